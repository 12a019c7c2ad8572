"""What must hold for the board: it is what counting the log from its beginning gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from huangpu.core.clock import rfc3339
from huangpu.core.db import execute, rows
from huangpu.core.log.sequencer import placed
from huangpu.core.verify import Check

from . import store
from .acts import BATCH_MAX, position
from .models import Coverage, Day, Firm, IndustryDay, KnownFirm, KnownTender
from .rules import FIGURES, Known, Market, Tally, count, wanted

SHOWN_MAX = 5


def checks() -> Iterator[Check]:
    """Counts every log again, as far as the board has read it, and compares every row: all of one instant, since the board
    may read on meanwhile."""
    with _one_instant():
        found = list(_checks())
    yield from found


@contextmanager
def _one_instant() -> Iterator[None]:
    if connection.in_atomic_block:  # of a test: nothing else is written there
        yield
        return
    with transaction.atomic():
        execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _checks() -> Iterator[Check]:
    events, wrong = 0, []
    told: set[UUID] = set()
    trading: set[UUID] = set()
    for market in store.markets([id for (id,) in rows("SELECT id FROM parties_marketplace")]):
        tally, read_events = recount(market)
        events += read_events
        told |= tally.told
        trading |= tally.trading
        wrong += [f"marketplace {market.id}: {flaw}" for flaw in _flaws(market, tally)]
    detail = "; ".join(wrong[:SHOWN_MAX]) or f"{events} events"
    yield Check("board: figures are what the log says", not wrong, detail)
    lost = told ^ set(KnownFirm.objects.filter(registered=True).values_list("pk", flat=True))
    idle = trading ^ set(KnownFirm.objects.filter(trades=True).values_list("pk", flat=True))
    yield Check("board: organisations are those of the log", not lost | idle, ", ".join(map(str, [*lost, *idle][:5])))
    shown = set(Coverage.objects.exclude(organisations=0).values_list("industry", "organisations", "trading"))
    counted = set(
        rows(
            "SELECT industry, count(*), count(*) FILTER (WHERE trades) FROM board_knownfirm WHERE registered GROUP BY 1"
        )
    )
    yield Check(
        "board: coverage is what its organisations add up to", shown == counted, str(sorted(shown ^ counted)[:5])
    )


def recount(market: Market) -> tuple[Tally, int]:
    """What the whole log of a marketplace adds up to, as far as the board has read; and how many events that is."""
    end, place = position(market.id), 0
    tally = Tally()
    while place < end:
        events = [one for one in placed(market.id, place, BATCH_MAX) if one.position <= end]
        tally.terms = store.terms(wanted(events)[0])
        count(tally, market, events)
        place = events[-1].position
    return tally, end


def _flaws(market: Market, tally: Tally) -> Iterator[str]:
    mine = {"marketplace_id": market.id}
    days = {(one.day, one.currency): one for one in Day.objects.filter(**mine)}
    for key in days.keys() | tally.days.keys():
        kept = days.get(key)
        for name in FIGURES:
            said = getattr(kept, name) if kept else 0
            if said != tally.days[key][name]:
                yield f"{key[0]} {key[1]} {name} is {said}, by the log {tally.days[key][name]}"
    industries = {
        (one.day, one.currency, one.industry): (one.agreements, one.agreed_minor)
        for one in IndustryDay.objects.filter(**mine)
    }
    by_log = {key: (told["agreements"], told["agreed_minor"]) for key, told in tally.industries.items()}
    for differs in sorted(industries.items() ^ by_log.items(), key=str):
        yield f"industry: {differs}"
    names = ("day", "currency", "figure", "side", "organisation_id")
    for firm in sorted(set(Firm.objects.filter(**mine).values_list(*names)) ^ tally.firms, key=str):
        yield f"who stands behind an amount: {firm}"
    known = store.tenders(list(KnownTender.objects.filter(**mine).values_list("pk", flat=True)))
    for id in known.keys() | tally.tenders.keys():
        if _plain(known.get(id)) != _plain(tally.tenders.get(id)):
            yield f"tender {id} is {known.get(id)}, by the log {tally.tenders.get(id)}"


def _plain(tender: Known | None) -> Any:
    if tender is None:
        return None
    until = tender.bids_until and rfc3339(datetime.fromisoformat(tender.bids_until))
    return {**asdict(tender), "bids_until": until}
