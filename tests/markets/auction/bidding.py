"""What the processes of test_kill.py run: open an auction, bid until it is over, verify. Answers go to standard output."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")
django.setup()

from huangpu.core import clock  # noqa: E402
from huangpu.core.ids import uuid7  # noqa: E402
from huangpu.core.names import named  # noqa: E402
from huangpu.markets.auction import acts, verify  # noqa: E402
from huangpu.markets.auction.models import Bidder  # noqa: E402
from huangpu.markets.auction.rules import AuctionRules  # noqa: E402
from huangpu.parties.actor import Actor  # noqa: E402
from huangpu.parties.models import Organisation  # noqa: E402

LATE_BIDS = 5


def open_auction(seconds: int) -> None:
    organisations = [Organisation.objects.create(name=named("供应商", f"Supplier {n}")) for n in range(4)]
    market, now = uuid7(), clock.now()
    made = acts.schedule(
        actor=Actor(uuid7(), organisations[0].id, market, roles=frozenset({"buyer"})),
        marketplace_id=market,
        subject_id=uuid7(),
        lot_id=None,
        currency="CNY",
        bidders=[(one.id, str(n), 10**12) for n, one in enumerate(organisations[1:], 1)],
        rules=AuctionRules(duration_s=max(10, seconds), step_minor=1, step_ppm=0, extensions_max=0),
        opens_at=now - timedelta(seconds=max(10, seconds) - seconds),
        now=now - timedelta(seconds=60),
    )
    print(json.dumps({"auction": str(made.id)}))


def bid(auction_id: str, number: int) -> None:
    own = Bidder.objects.select_related("auction").get(auction_id=auction_id, number=number)
    actor = Actor(uuid7(), own.organisation_id, own.auction.marketplace_id, roles=frozenset({"clerk"}))
    amount, late, tries = own.start_minor, 0, 0
    while late < LATE_BIDS:
        tries += 1
        asked = amount - (1 if tries % 7 else 0)
        answer = acts.bid(actor=actor, auction_id=own.auction_id, amount=asked, received_at=clock.now())
        said = [answer.sequence, number, asked, answer.accepted, answer.reason]
        os.write(1, json.dumps(said).encode() + b"\n")  # one write: a line is whole or not there
        amount = answer.own_minor
        late += answer.reason == "too_late"


if __name__ == "__main__":
    if sys.argv[1] == "open":
        open_auction(int(sys.argv[2]))
    elif sys.argv[1] == "bid":
        told = sys.argv[2]
        if told == "-":
            os.write(1, b"[]\n")  # ready
            told = sys.stdin.readline().strip()
        bid(told, int(sys.argv[3]))
    else:
        print(json.dumps([check.detail for check in verify.checks() if not check.ok]))
