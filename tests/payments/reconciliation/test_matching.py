"""Statements against the books: by cases, and at random against a twin that goes line by line."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import queries
from huangpu.flows.funds import verify as funds_verify
from huangpu.flows.funds.acts import ensure_accounts, post
from huangpu.flows.funds.rules import AccountSpec, Transfer
from huangpu.parties.actor import Actor
from huangpu.payments.gateway.provider import provider_id
from huangpu.payments.reconciliation import acts, verify
from huangpu.payments.reconciliation.matching import Found
from huangpu.payments.reconciliation.models import Break, Line, Match
from huangpu.payments.reconciliation.rules import Booked, operation_of
from tests.at_once import at_once

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@dataclass
class Books:
    """A marketplace with a bank's account, a wallet, and the statements that come, each of the next day."""

    market: UUID = field(default_factory=uuid7)
    closing: int = 0
    until: datetime = field(default_factory=lambda: datetime.now(UTC) + DAY)  # what is posted now is before its end

    def __post_init__(self) -> None:
        self.operator = Actor(person_id=uuid7(), organisation_id=None, marketplace_id=self.market,
                              market_roles=frozenset({"operator"}))  # fmt: skip
        self.specs = [AccountSpec(self.market, "bank", provider_id("icbc"), "CNY"),
                      AccountSpec(self.market, "wallet", uuid7(), "CNY"),
                      AccountSpec(self.market, "suspense", None, "CNY")]  # fmt: skip
        ensure_accounts(self.specs)

    def move(self, amount: int, operation: UUID | None = None) -> UUID:
        """In for us above zero, out below; returns the operation."""
        operation = operation or uuid7()
        bank, wallet, _suspense = (one.id for one in self.specs)
        debit, credit = (bank, wallet) if amount > 0 else (wallet, bank)
        post([Transfer(id=uuid7(), marketplace_id=self.market, debit=debit, credit=credit, amount=abs(amount), kind="top_up",
                       reference=operation)])  # fmt: skip
        return operation

    def line(self, amount: int, operation: UUID | str) -> Booked:
        reference = operation.hex if isinstance(operation, UUID) else operation
        return Booked(self.until - timedelta(hours=1), amount, reference, "B1")

    def load(self, *lines: Booked, **changed: Any) -> UUID:
        asked: dict[str, Any] = dict(
            actor=self.operator, marketplace_id=self.market, provider="icbc", currency="CNY",
            span=(self.until - 2 * DAY, self.until), lines=lines, now=self.until,
            balances=(self.closing, self.closing + sum(one.amount for one in lines)),
        )  # fmt: skip
        return acts.load(**{**asked, **changed})

    def match(self, *lines: Booked, tolerance: int = 0) -> Found:
        statement = self.load(*lines)
        self.closing += sum(one.amount for one in lines)
        found = acts.match(actor=self.operator, statement_id=statement, tolerance=tolerance, now=self.until)
        assert acts.match(actor=self.operator, statement_id=statement, tolerance=tolerance, now=self.until) == found
        self.until += DAY
        self.agree()
        return found

    def agree(self) -> None:
        """The bank's account is what the bank says, and what the bank has not said yet."""
        missing = sum(Break.objects.filter(resolved_at=None, line=None).values_list("amount", flat=True))
        assert -queries.balance(self.specs[0].id).posted == self.closing + missing
        assert not [check for check in (*verify.checks(), *funds_verify.checks()) if not check.ok]

    def suspense(self) -> int:
        return queries.balance(self.specs[2].id).posted


def reasons() -> list[tuple[str, int]]:
    return list(Break.objects.order_by("id").values_list("reason", "amount"))


def test_what_fits_fits_and_the_rest_is_told_with_its_reason() -> None:
    books = Books()
    first, second, third, out = books.move(1_000), books.move(2_000), books.move(3_000), None
    out = books.move(-500)
    found = books.match(
        books.line(1_000, first),
        books.line(1_000, first),  # once more
        books.line(1_999, second),  # another amount
        books.line(-500, out),
        books.line(77, "UNKNOWN"),
        books.line(-7, uuid7()),
    )
    assert found == Found(matched=2, theirs=4, ours=2, resolved=0)
    assert reasons() == [
        ("twice", 1_000),
        ("amount", 1_999),
        ("unknown", 77),
        ("unknown", -7),
        ("missing", 2_000),
        ("missing", 3_000),
    ]
    assert books.suspense() == 1_000 + 1_999 + 77 - 7
    assert books.match(books.line(3_000, third)) == Found(1, 0, 0, 0)
    assert [one.reason for one in Break.objects.filter(resolved_at=None, line=None)] == ["missing"]


def test_several_lines_are_one_transfer_in_parts() -> None:
    books = Books()
    operation = books.move(10_000)
    assert books.match(*(books.line(amount, operation) for amount in (2_500, 2_500, 5_000))) == Found(3, 0, 0, 0)
    assert Match.objects.values("transfer_id").distinct().count() == 1


def test_a_small_difference_is_matched_and_goes_into_suspense() -> None:
    books = Books()
    near, far, other_way = books.move(10_000), books.move(10_000), books.move(3)
    lines = (books.line(9_995, near), books.line(9_994, far), books.line(-2, other_way))
    assert books.match(*lines, tolerance=5) == Found(1, 2, 2, 0)
    assert list(Match.objects.values_list("difference", flat=True)) == [-5]
    assert books.suspense() == -5 + 9_994 - 2


def test_a_statement_is_loaded_once_and_refused_where_it_is_not_right() -> None:
    books = Books()
    line = books.line(5, "x")
    assert books.load(line) == books.load(line)
    assert Line.objects.count() == 1

    def refused(*lines: Booked, **changed: Any) -> str:
        with pytest.raises(HuangpuError) as wrong:
            books.load(*lines, **changed)
        assert str(wrong.value)
        return wrong.value.code

    assert refused(books.line(6, "x")) == "statement.differs"
    assert refused(line, balances=(0, 6)) == "statement.balance"
    assert refused(line, span=(books.until, books.until)) == "statement.span"
    assert refused(books.line(0, "x")) == "statement.line"
    assert refused(books.line(1, "x" * 36)) == "statement.line"
    assert refused(Booked(books.until, 1, "x")) == "statement.line"
    clerk = Actor(person_id=uuid7(), organisation_id=uuid7(), roles=frozenset({"owner"}))
    assert refused(line, actor=clerk).startswith("rights.")


@pytest.mark.parametrize("reference", ["", "ORDER 1", "g" * 32, "1" * 31, "1" * 33])
def test_a_reference_that_is_not_ours_names_no_operation(reference: str) -> None:
    assert operation_of(reference) is None


def twin(moved: list[tuple[UUID, int]], lines: list[Booked]) -> tuple[int, int, int]:
    """Line by line, with dictionaries: exact first, then sums of one operation."""
    left = defaultdict[tuple[UUID, int], int](int)
    for operation, amount in moved:
        left[operation, amount] += 1
    rest, matched = defaultdict[UUID | None, list[int]](list), 0
    for one in lines:
        operation = operation_of(one.reference)
        if operation and left[operation, one.amount]:
            left[operation, one.amount] -= 1
            matched += 1
        else:
            rest[operation].append(one.amount)
    theirs = 0
    for operation, amounts in rest.items():
        if operation and len(amounts) > 1 and left[operation, sum(amounts)]:
            left[operation, sum(amounts)] -= 1
            matched += len(amounts)
        else:
            theirs += len(amounts)
    return matched, theirs, sum(left.values())


@pytest.mark.parametrize("seed", range(20))
def test_at_random_as_the_twin_says(seed: int) -> None:
    chance, books = random.Random(seed), Books()
    operations = [uuid7() for _ in range(12)]
    moved = [(operation := chance.choice(operations), chance.choice((1, 2, 3, 4, -1))) for _ in range(20)]
    for operation, amount in moved:
        if amount < 0 and queries.balance(books.specs[1].id).available < -amount:
            books.move(10, uuid7())
        books.move(amount, operation)
    lines = [books.line(chance.choice((1, 2, 3, -1)), chance.choice([*operations, uuid7(), "?"])) for _ in range(25)]
    found = books.match(*lines)
    helped = Break.objects.filter(reason="missing", amount=10).count()
    assert (found.matched, found.theirs, found.ours - helped) == twin(moved, lines)


@pytest.mark.django_db(transaction=True)
def test_a_statement_loaded_by_two_at_once_is_one() -> None:
    books = Books()
    line = books.line(5, "x")
    assert len(set(at_once(*[lambda: books.load(line)] * 4))) == 1
    assert Line.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_turn", range(5))
def test_two_statements_matched_at_once_do_not_take_one_transfer_twice(_turn: int) -> None:
    books = Books()
    operation = books.move(1_000)
    first = books.load(books.line(1_000, operation))
    books.until += DAY
    second = books.load(books.line(1_000, operation), span=(books.until - DAY, books.until))

    def match(statement: UUID) -> Found:
        return acts.match(actor=books.operator, statement_id=statement, now=books.until)

    found = at_once(lambda: match(first), lambda: match(second))
    assert sorted((one.matched, one.theirs) for one in found) == [(0, 1), (1, 0)]
    assert [one.reason for one in Break.objects.all()] == ["twice"]
