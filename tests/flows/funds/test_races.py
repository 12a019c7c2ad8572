"""Many connections at once: what is there is spent once, and nobody waits in a circle."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts, queries, verify
from huangpu.flows.funds.models import Hold as HoldRow
from huangpu.flows.funds.models import SubBalance
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Item, Transfer, Void

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CONNECTIONS = 16

pytestmark = pytest.mark.django_db(transaction=True)


class Books:
    """A marketplace with two wallets, one of them rich, and the shared books."""

    def __init__(self, money: int) -> None:
        self.market = uuid7()
        specs = [AccountSpec(self.market, "wallet", uuid7(), "CNY") for _ in range(2)]
        shared = [AccountSpec(self.market, book, None, "CNY") for book in ("bank", "escrow", "fees")]
        acts.ensure_accounts([*specs, *shared])
        self.rich, self.poor = (spec.id for spec in specs)
        self.bank, self.escrow, self.fees = (spec.id for spec in shared)
        acts.post([self.transfer(self.bank, self.rich, money)])

    def transfer(self, debit: UUID, credit: UUID, amount: int, id: UUID | None = None) -> Transfer:
        return Transfer(id=id or uuid7(), marketplace_id=self.market, debit=debit, credit=credit, amount=amount, kind="race",
                        reference=self.market)  # fmt: skip

    def hold(self, amount: int, expires_at: datetime | None = None) -> Hold:
        hold = Hold(id=uuid7(), marketplace_id=self.market, debit=self.rich, credit=self.escrow, amount=amount, kind="escrow",
                    reference=self.market, expires_at=expires_at)  # fmt: skip
        acts.post([hold])
        return hold


def at_once(work: Callable[[int], str], times: int = CONNECTIONS) -> Counter[str]:
    """Runs `work(number)` on as many connections, all let go together; counts what they answered."""
    answers: list[str] = []
    barrier = threading.Barrier(times)

    def one(number: int) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            barrier.wait()
            answers.append(work(number))
        except Exception as wrong:  # a deadlock or a crash is an answer too, and never the expected one
            answers.append(f"{type(wrong).__name__}: {wrong}")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)


def posted(items: list[Item]) -> str:
    try:
        return ",".join(outcome.result for outcome in acts.post(items, now=NOW))
    except HuangpuError as refused:
        return refused.code


def sound() -> None:
    assert [check.name for check in verify.checks() if not check.ok] == []


def test_sixteen_connections_cannot_spend_the_same_money() -> None:
    books = Books(1_000)
    answers = at_once(lambda _: posted([books.transfer(books.rich, books.poor, 300)]))
    assert answers == {"posted": 3, "transfer.exceeds_floor": CONNECTIONS - 3}
    assert (queries.available(books.rich), queries.available(books.poor)) == (100, 900)
    sound()


def test_a_hold_is_captured_once() -> None:
    books = Books(1_000)
    hold = books.hold(500)

    def capture(_: int) -> str:
        return posted(
            [Capture(id=uuid7(), marketplace_id=books.market, hold_id=hold.id, amount=500, credit=books.poor)]
        )

    assert at_once(capture) == {"posted": 1, "transfer.hold_closed": CONNECTIONS - 1}
    assert queries.balance(books.poor).posted == 500
    sound()


def test_parts_of_a_hold_never_exceed_it() -> None:
    books = Books(1_000)
    hold = books.hold(1_000)

    def part(number: int) -> str:
        if number % 2:
            return posted([Void(id=uuid7(), marketplace_id=books.market, hold_id=hold.id, amount=150)])
        return posted(
            [Capture(id=uuid7(), marketplace_id=books.market, hold_id=hold.id, amount=150, credit=books.fees)]
        )

    assert at_once(part) == {"posted": 6, "transfer.hold_exhausted": CONNECTIONS - 6}
    row = HoldRow.objects.get(pk=hold.id)
    assert row.captured + row.voided == 900
    sound()


@pytest.mark.parametrize("shared", [False, True], ids=["in one row", "both in sub-balances"])
def test_the_same_id_at_once_is_posted_once(shared: bool) -> None:
    books = Books(10_000)
    debit, credit = (books.bank, books.fees) if shared else (books.rich, books.poor)
    again = books.transfer(debit, credit, 70)
    other = books.transfer(debit, books.escrow if shared else books.fees, 70, again.id)
    first = at_once(lambda _: posted([again]))
    assert first == {"posted": 1, "existing": CONNECTIONS - 1}
    assert at_once(lambda _: posted([other])) == {"transfer.id_reused": CONNECTIONS}
    assert queries.balance(credit).posted == 70
    sound()


def test_two_contents_of_one_id_at_once() -> None:
    books, id = Books(10_000), uuid7()

    def one_of_two(number: int) -> str:
        credit = books.fees if number % 2 else books.escrow
        return posted([books.transfer(books.bank, credit, 70, id)])

    answers = at_once(one_of_two)
    assert answers == {"posted": 1, "existing": CONNECTIONS // 2 - 1, "transfer.id_reused": CONNECTIONS // 2}
    sound()


def test_crossing_groups_do_not_wait_in_a_circle() -> None:
    books = Books(1_000_000)
    acts.post([books.transfer(books.rich, books.poor, 500_000)])
    accounts = [books.rich, books.poor, books.fees, books.escrow, books.bank]

    def cross(number: int) -> str:
        dice, answers = random.Random(number), set()
        for _ in range(20):
            pairs = [dice.sample(accounts, 2) for _ in range(dice.randint(1, 4))]
            answers.add(posted([books.transfer(debit, credit, 10) for debit, credit in pairs]).split(",")[0])
        return ",".join(sorted(answers))

    assert at_once(cross) == {"posted": CONNECTIONS}
    sound()


def test_a_hot_account_is_spread_and_adds_up() -> None:
    books = Books(1_000_000)
    assert at_once(lambda _: posted([books.transfer(books.rich, books.fees, 5) for _ in range(3)])) == {
        "posted,posted,posted": CONNECTIONS
    }
    assert queries.balance(books.fees).posted == 5 * 3 * CONNECTIONS
    assert SubBalance.objects.filter(account_id=books.fees).count() > 1
    sound()


def test_an_expiry_and_a_capture_meet() -> None:
    books = Books(1_000)
    hold = books.hold(400, NOW + timedelta(hours=1))

    def meet(number: int) -> str:
        if number % 2:
            return f"expired {acts.expire_holds(now=NOW + timedelta(hours=1))}"
        return posted(
            [Capture(id=uuid7(), marketplace_id=books.market, hold_id=hold.id, amount=400, credit=books.poor)]
        )

    answers = at_once(meet)
    assert answers["posted"] + answers["expired 1"] == 1
    assert answers["posted"] + answers["transfer.hold_closed"] == CONNECTIONS // 2
    assert HoldRow.objects.get(pk=hold.id).state in ("posted", "expired")
    sound()
