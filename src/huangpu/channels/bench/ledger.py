"""`huangpu bench ledger`: transfers a second, one call each, against TPC-B on the same server.

Both sides are pgbench scripts with 8 clients and prepared statements; ours call the SQL function that the product calls.
Reference and candidates take turns, and the median round counts, so that a busy moment of the machine hits them alike.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import UUID

import psycopg

from huangpu.channels.bench import ledger_lanes
from huangpu.channels.bench.measure import Measure, at_least
from huangpu.channels.bench.registry import bench
from huangpu.channels.bench.run import CLIENTS, Run, pgbench_program, throwaway_database
from huangpu.channels.bench.together import count_for, together
from huangpu.core.ids import uuid7
from huangpu.flows.funds.rules import ITEMS_MAX, Item, Transfer

ROUNDS = 7
TPCB_SCALE = 20
WALLETS, WALLETS_GROWN = 10_000, 100_000
RICH = 10**12  # what each wallet starts with, so that the floor of 0 is checked and never met
FLOOR = 1.5
MARKET = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
REFERENCE = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
HOT, BANK = 9 * 10**11, 8 * 10**11  # numbers that end in the ids of the shared accounts

# pgbench picks numbers, not ids: the accounts of the bench have ids that end in a number of twelve digits
ACCOUNT = "('00000000-0000-8000-8000-' || {}::bigint)::uuid"
FIRST = 10**11
NEW_ID = {
    True: "uuidv7()",
    False: "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' ||"
    " substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid",
}
SCRIPT = """\\set payer random({first}, {last})
\\set payee random({first}, {last} - 1)
\\set amount random(1, 10000)
SELECT ledger_transfer({id}, '{market}', {debit}, {credit}, :amount, 'bench', '{reference}');
"""
OPEN = f"""
INSERT INTO funds_account (id, marketplace_id, book, holder_id, currency, balance_min, sub_balances,
                           posted_debit, posted_credit, pending_debit, pending_credit)
SELECT {ACCOUNT.format("n")}, %(market)s, %(book)s, {ACCOUNT.format("n")}, 'CNY', %(floor)s, %(slots)s, 0, 0, 0, 0
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
"""


@bench("ledger")
def ledger(run: Run) -> Iterator[Measure]:
    """Transfers a second, one call each, 8 clients: among many accounts, into one hot account, and through Python.

    The planted twin keeps the hot account in one row.
    """
    seconds = 2 if run.quick else 15
    open_accounts(run, hot_slots=0 if run.planted else 16)
    with _tpcb(run) as reference_url:
        run.say(f"{ROUNDS} rounds of TPC-B, single and hot, {seconds} s each")
        rounds = [
            (
                run.pgbench(url=reference_url, seconds=seconds).tps,
                run.pgbench(script(run, WALLETS), seconds=seconds).tps,
                run.pgbench(script(run, WALLETS, hot=True), seconds=seconds).tps,
            )
            for _ in range(ROUNDS)
        ]
        yield _median("ledger.single", [(single, tpcb) for tpcb, single, _ in rounds])
        yield _median("ledger.hot", [(hot, tpcb) for tpcb, _, hot in rounds])
        tpcb = statistics.median(tpcb for tpcb, _, _ in rounds)
        run.say(f"{CLIENTS} processes post one transfer a transaction through Python")
        yield from ledger_lanes.measures(run, seconds, reference_url)
        yield at_least("ledger.python", together(__name__, CLIENTS, str(seconds)) / seconds, "transfers/s", None, tpcb)
        if not run.quick:
            run.say(f"{WALLETS_GROWN} accounts")
            _wallets(run, FIRST + WALLETS, FIRST + WALLETS_GROWN)
            grown = run.pgbench(script(run, WALLETS_GROWN), seconds=seconds).tps
            single = statistics.median(single for _, single, _ in rounds)
            yield at_least("ledger.grown", grown, "transfers/s with ten times the accounts", None, single)


def _median(name: str, pairs: list[tuple[float, float]]) -> Measure:
    """The round whose ratio is the median: value and reference of one and the same moment."""
    value, reference = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
    return at_least(name, value, "transfers/s", FLOOR, reference)


@contextmanager
def _tpcb(run: Run) -> Iterator[str]:
    """A database of its own with TPC-B's tables, large enough that its branches are no bottleneck for 8 clients."""
    run.say(f"TPC-B, scale {TPCB_SCALE}")
    with throwaway_database(run.owner_url) as url:
        subprocess.run(
            [pgbench_program(), "-i", "-q", "-s", str(TPCB_SCALE), url], check=True, stderr=subprocess.DEVNULL
        )
        yield url


def open_accounts(run: Run, hot_slots: int = 16) -> None:
    """A market with rich wallets, a bank and a hot account."""
    with psycopg.connect(run.url) as connection:
        for number, slots in ((BANK, 16), (HOT, hot_slots)):
            facts = {"market": MARKET, "book": "fees", "floor": None, "slots": slots, "first": number, "last": number}
            connection.execute(OPEN, facts)
    _wallets(run, FIRST, FIRST + WALLETS)


def _wallets(run: Run, begin: int, end: int) -> None:
    """Wallets, each funded by a transfer from the bank, in groups."""
    from huangpu.flows.funds import acts

    with psycopg.connect(run.url) as connection:
        facts = {"market": MARKET, "book": "wallet", "floor": 0, "slots": 0, "first": begin, "last": end - 1}
        connection.execute(OPEN, facts)
    for first in range(begin, end, ITEMS_MAX):
        funding: list[Item] = [
            Transfer(id=uuid7(), marketplace_id=MARKET, debit=account_of(BANK), credit=account_of(number), amount=RICH,
                     kind="top_up", reference=REFERENCE)
            for number in range(first, min(first + ITEMS_MAX, end))
        ]  # fmt: skip
        acts.post(funding)


@cache
def account_of(number: int) -> UUID:
    return UUID(f"00000000-0000-8000-8000-{number}")


def script(run: Run, wallets: int, hot: bool = False) -> str:
    with psycopg.connect(run.url) as connection:
        has_uuidv7 = connection.info.server_version >= 180000
    other = "(:payee::bigint + (:payee >= :payer)::int)"  # never the payer itself
    return SCRIPT.format(
        first=FIRST,
        last=FIRST + wallets - 1,
        id=NEW_ID[has_uuidv7],
        market=MARKET,
        reference=REFERENCE,
        debit=ACCOUNT.format(":payer"),
        credit=f"'{account_of(HOT)}'" if hot else ACCOUNT.format(other),
    )


def random_transfer(dice: random.Random) -> Transfer:
    """One minor unit from one of the bench's wallets to another."""
    payer, further = dice.randrange(WALLETS), dice.randrange(1, WALLETS)
    debit, credit = account_of(FIRST + payer), account_of(FIRST + (payer + further) % WALLETS)
    return Transfer(
        id=uuid7(), marketplace_id=MARKET, debit=debit, credit=credit, amount=1, kind="bench", reference=REFERENCE
    )


def _child(seconds: int, number: int) -> None:
    """Posts until the time is over."""
    import django

    django.setup()
    from huangpu.flows.funds import acts

    dice = random.Random(number)

    def one() -> None:
        acts.post([random_transfer(dice)])

    one()
    count_for(seconds, one)


if __name__ == "__main__":
    _child(int(sys.argv[1]), int(sys.argv[2]))
