"""`huangpu bench reconcile`: a provider's statement against the books, from the first line loaded to the last one matched."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from huangpu.channels.bench.measure import Measure, at_most
from huangpu.channels.bench.registry import bench
from huangpu.channels.bench.run import Run
from huangpu.core.ids import uuid7

LINES, LINES_QUICK = 1_000_000, 50_000
SECONDS_MAX = 120  # for a million
BATCH = 5_000
MARKET = UUID("01890a5d-ac96-774b-bcce-b302099a8059")


@bench("reconcile")
def reconcile(run: Run) -> Iterator[Measure]:
    """Seconds to load and match a statement of 1,000,000 lines, of which one in a thousand does not fit.

    The planted twin looks for each line by itself.
    """
    from huangpu.parties.actor import SYSTEM
    from huangpu.payments.reconciliation import acts, matching
    from huangpu.payments.reconciliation.rules import Booked

    count = LINES_QUICK if run.quick else LINES
    run.say(f"{count:,} transfers, posted by the bulk lane")
    moved = _posted(count)
    until = datetime.now(UTC) + timedelta(hours=1)
    lines = [Booked(until - timedelta(minutes=1), amount, id.hex, "S") for id, amount in moved]
    for place in range(0, count, 1_000):
        lines[place] = Booked(until - timedelta(minutes=1), 1, uuid7().hex, "S")  # nobody knows it
    random.Random(2).shuffle(lines)

    run.say("loaded and matched")
    began = time.monotonic()
    statement = acts.load(
        actor=SYSTEM, marketplace_id=MARKET, provider="bench", currency="CNY",
        span=(until - timedelta(days=1), until), balances=(0, sum(one.amount for one in lines)), lines=lines, now=until,
    )  # fmt: skip
    loaded = time.monotonic()
    limit = SECONDS_MAX * count / LINES
    if run.planted:
        _one_by_one(statement, until=began + 2 * limit)
    found = acts.match(actor=SYSTEM, statement_id=statement, now=until)
    ended = time.monotonic()
    strange = len(range(0, count, 1_000))
    if found != matching.Found(count - strange, strange, strange, 0):
        raise RuntimeError(f"wrongly matched: {found}")
    yield at_most("reconcile.load", loaded - began, "s", None)
    yield at_most("reconcile", ended - began, f"s for {count:,} lines", limit)


def _posted(count: int) -> list[tuple[UUID, int]]:
    from huangpu.flows.funds.acts import ensure_accounts
    from huangpu.flows.funds.lanes import post_each
    from huangpu.flows.funds.rules import AccountSpec, Transfer
    from huangpu.payments.gateway.provider import provider_id

    bank = AccountSpec(MARKET, "bank", provider_id("bench"), "CNY")
    wallets = [AccountSpec(MARKET, "wallet", uuid7(), "CNY") for _ in range(1_000)]
    ensure_accounts([bank, *wallets])
    chance, moved = random.Random(1), list[tuple[UUID, int]]()
    while len(moved) < count:
        part = [(uuid7(), chance.randrange(1, 100_000)) for _ in range(min(BATCH, count - len(moved)))]
        groups = [
            [Transfer(id=uuid7(), marketplace_id=MARKET, debit=bank.id, credit=chance.choice(wallets).id, amount=amount,
                      kind="top_up", reference=operation)]
            for operation, amount in part
        ]  # fmt: skip
        if not all(isinstance(answer, list) for answer in post_each(groups)):
            raise RuntimeError("a transfer of the bench was refused")
        moved += part
    return moved


def _one_by_one(statement: UUID, until: float) -> None:
    """As far as it comes in the time."""
    from huangpu.core.db import row, rows

    for operation, amount in rows(
        "SELECT operation_id, amount FROM reconciliation_line WHERE statement_id = %s", [statement]
    ):
        row("SELECT id FROM funds_transfer WHERE reference_id = %s AND amount = %s", [operation, amount])
        if time.monotonic() > until:
            return
