"""The ledger's single rules, in words: what a person would ask of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import translation

from huangpu.core.db import execute, row
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused
from huangpu.core.grants import grant
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event
from huangpu.flows.funds import acts, queries, verify
from huangpu.flows.funds.models import Account
from huangpu.flows.funds.models import Transfer as TransferRow
from huangpu.flows.funds.rules import (
    BOOKS,
    ITEMS_MAX,
    AccountSpec,
    Capture,
    Expiry,
    Hold,
    Limits,
    Transfer,
    Void,
    account_id,
)
from huangpu.parties.actor import SYSTEM, Actor

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


class Books:
    def __init__(self) -> None:
        self.market, self.buyer, self.seller = uuid7(), uuid7(), uuid7()
        acts.top_up(actor=SYSTEM, marketplace_id=self.market, organisation_id=self.buyer, amount=100_000, currency="CNY",
                    now=NOW)  # fmt: skip
        acts.ensure_accounts(
            [
                AccountSpec(self.market, "wallet", self.seller, "CNY"),
                *(AccountSpec(self.market, book, None, "CNY") for book in ("escrow", "fees")),
            ]
        )

    def account(self, book: str, holder: UUID | None = None) -> UUID:
        return account_id(self.market, book, holder, "CNY")

    @property
    def wallet(self) -> UUID:
        return self.account("wallet", self.buyer)

    def hold(self, amount: int, expires_at: datetime | None = None) -> Hold:
        return Hold(id=uuid7(), marketplace_id=self.market, debit=self.wallet, credit=self.account("escrow"), amount=amount,
                    kind="escrow", reference=uuid7(), expires_at=expires_at)  # fmt: skip

    def capture(self, hold: Hold, amount: int, credit: UUID, final: bool = False) -> Capture:
        return Capture(
            id=uuid7(), marketplace_id=self.market, hold_id=hold.id, amount=amount, credit=credit, final=final
        )

    def transfer(self, amount: int) -> Transfer:
        return Transfer(id=uuid7(), marketplace_id=self.market, debit=self.wallet, credit=self.account("fees"), amount=amount,
                        kind="fee", reference=uuid7())  # fmt: skip


@pytest.fixture
def books() -> Books:
    return Books()


def test_an_account_is_what_it_is_of() -> None:
    market = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    id = account_id(market, "wallet", None, "CNY")
    assert (id.version, id.variant) == (8, "specified in RFC 4122")
    assert (
        len(
            {
                account_id(market, book, holder, money)
                for book in BOOKS
                for holder in (None, market)
                for money in ("CNY", "USD")
            }
        )
        == len(BOOKS) * 4
    )


def test_escrow_is_released_to_the_seller_less_the_fee(books: Books) -> None:
    hold = books.hold(60_000)
    seller, fees = books.account("wallet", books.seller), books.account("fees")
    acts.post([hold])
    assert (queries.balance(books.wallet).posted, queries.available(books.wallet)) == (100_000, 40_000)
    acts.post([books.capture(hold, 29_700, seller), books.capture(hold, 300, fees)])
    acts.post([books.capture(hold, 20_000, seller, final=True)])
    buyer = queries.balance(books.wallet)
    assert (buyer.posted, buyer.held, buyer.available) == (50_000, 0, 50_000)
    assert (queries.balance(seller).posted, queries.balance(fees).posted) == (49_700, 300)
    assert queries.balance(books.account("escrow")).pending_credit == 0
    with pytest.raises(Conflict) as refused:
        acts.post([books.capture(hold, 1, seller)])
    assert refused.value.code == "transfer.hold_closed"


def test_a_hold_may_be_used_in_the_group_that_makes_it(books: Books) -> None:
    hold = books.hold(500)
    group = [
        hold,
        books.capture(hold, 200, books.account("fees")),
        Void(id=uuid7(), marketplace_id=books.market, hold_id=hold.id),
    ]
    assert {outcome.result for outcome in acts.post(group)} == {"posted"}
    assert {outcome.result for outcome in acts.post(group)} == {"existing"}
    assert queries.available(books.wallet) == 99_800


def test_a_group_is_all_or_nothing_and_leaves_the_transaction_whole(books: Books) -> None:
    with pytest.raises(Conflict) as refused:
        acts.post([books.transfer(60_000), books.transfer(50_000)])
    error = refused.value
    assert (error.code, error.params["index"], error.params["account"]) == (
        "transfer.exceeds_floor",
        0,
        str(books.wallet),
    )
    assert (error.params["asked_minor"], error.params["available_minor"], error.params["missing"]) == (
        110_000,
        100_000,
        10_000,
    )
    assert queries.available(books.wallet) == 100_000  # the same transaction goes on


def test_a_refusal_speaks_to_its_reader(books: Books) -> None:
    with pytest.raises(Conflict) as refused:
        acts.post([books.transfer(123_456)])
    with translation.override("en"):
        assert "CN¥1,234.56 is asked for, and CN¥1,000.00 is available" in str(refused.value)
    with translation.override("zh-hans"):
        assert "余额不足" in str(refused.value)
        assert "¥1,234.56" in str(refused.value)


@pytest.mark.parametrize("amount", [0, -1, 2**53, True, 1.5])
def test_what_is_no_amount_is_refused(books: Books, amount: int) -> None:
    with pytest.raises(Invalid) as refused:
        acts.post([books.transfer(1), books.transfer(amount)])
    assert (refused.value.code, refused.value.params["index"]) == ("transfer.amount", 1)


def test_limits_of_a_posting(books: Books) -> None:
    with pytest.raises(Invalid) as refused:
        acts.post([books.transfer(1)] * (ITEMS_MAX + 1))
    assert refused.value.code == "transfer.too_many"
    many = [books.transfer(1) for _ in range(1_000)]
    assert {outcome.result for outcome in acts.post(many)} == {"posted"}
    assert queries.balance(books.account("fees")).posted == 1_000


def test_the_database_itself_refuses(books: Books) -> None:
    """Whoever writes past the functions meets the constraints."""
    wrong = (
        "UPDATE funds_account SET posted_debit = 100001 WHERE id = %s",
        "UPDATE funds_account SET pending_debit = 100001 WHERE id = %s",
        "UPDATE funds_account SET pending_credit = -1 WHERE id = %s",
        "UPDATE funds_account SET balance_max = 99999 WHERE id = %s",
        "UPDATE funds_account SET sub_balances = 4 WHERE id = %s",
    )
    for sql in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            execute(sql, [books.wallet])
    with pytest.raises(ValueError, match="one row"):
        Limits(balance_min=0, sub_balances=4)


def test_holds_expire_when_their_time_has_come(books: Books) -> None:
    short, long = books.hold(100, NOW + timedelta(hours=1)), books.hold(100, NOW + timedelta(hours=2))
    acts.post([short, long], now=NOW)
    assert acts.expire_holds(now=NOW) == 0
    with pytest.raises(Conflict) as early:
        acts.post([Expiry(id=uuid7(), marketplace_id=books.market, hold_id=long.id)], now=NOW)
    assert early.value.code == "transfer.hold_closed"
    assert acts.expire_holds(now=NOW + timedelta(hours=1)) == 1
    assert acts.expire_holds(now=NOW + timedelta(hours=1)) == 0
    assert queries.balance(books.wallet).held == 100


def test_money_comes_and_goes_by_finance_only(books: Books) -> None:
    def actor(role: str, organisation: UUID) -> Actor:
        return Actor(uuid7(), organisation, books.market, frozenset({role}))

    facts = {"marketplace_id": books.market, "organisation_id": books.buyer, "currency": "CNY", "now": NOW}
    for stranger in (actor("clerk", books.buyer), actor("finance", books.seller)):
        with pytest.raises(Refused):
            acts.withdraw(actor=stranger, amount=1, **facts)  # type: ignore[arg-type]
    id = uuid7()
    for _ in range(2):
        acts.withdraw(actor=actor("finance", books.buyer), amount=40_000, transfer_id=id, **facts)  # type: ignore[arg-type]
    assert queries.available(books.wallet) == 60_000
    events = Event.objects.filter(subject_id=books.wallet, kind="funds.withdrawn")
    assert [event.audience for event in events] == [[books.buyer]]


def test_trial_balance_and_statement(books: Books) -> None:
    hold = books.hold(1_000)
    acts.post([hold, books.transfer(50)])
    acts.post([books.capture(hold, 600, books.account("fees"), final=True)])
    totals = queries.trial_balance(books.market)
    assert sum(book.posted_debit - book.posted_credit for book in totals) == 0
    assert {book.book: book.posted_credit for book in totals} == {
        "bank": 0,
        "escrow": 0,
        "fees": 650,
        "wallet": 100_000,
    }
    page = queries.statement(books.wallet)
    assert next((line.kind, line.posted, line.held, line.balance) for line in page.items) == (
        "capture",
        -600,
        -1_000,
        99_350,
    )
    assert [line.kind for line in queries.statement(books.wallet, limit=1).items] == ["capture"]
    with pytest.raises(NotFound):
        queries.balance(uuid7())
    foreign = queries.statement(books.account("bank"), limit=1)
    cursor = queries.statement(books.wallet, limit=1).next_cursor
    assert foreign.next_cursor is None
    with pytest.raises(Invalid) as refused:
        queries.statement(books.account("escrow"), cursor)
    assert refused.value.code == "paging.cursor"


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE funds_account SET posted_credit = posted_credit + 1 WHERE id = %(wallet)s",
        "UPDATE funds_account SET pending_credit = pending_credit + 1 WHERE id = %(wallet)s",
        "UPDATE funds_transfer SET amount = amount + 1 WHERE credit_id = %(wallet)s",
        "DELETE FROM funds_transfer WHERE debit_id = %(wallet)s AND phase = 1",
        "UPDATE funds_hold SET amount = amount + 1 WHERE debit_id = %(wallet)s",
        "UPDATE funds_account SET currency = 'USD' WHERE id = %(wallet)s",
    ],
)
def test_verify_finds_what_was_tampered_with(books: Books, harm: str) -> None:
    acts.post([books.hold(10)])
    assert [check.name for check in verify.checks() if not check.ok] == []
    assert execute(harm, {"wallet": books.wallet}) > 0
    assert [check.name for check in verify.checks() if not check.ok]


@pytest.mark.django_db(transaction=True)
def test_the_application_role_adds_but_never_changes_a_transfer() -> None:
    books = Books()
    role = "huangpu_ledger_test"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {role}")
        cursor.execute(f"CREATE ROLE {role}")
    grant(role)
    try:
        for sql in ("UPDATE funds_transfer SET amount = 1", "DELETE FROM funds_transfer", "TRUNCATE funds_transfer",
                    "UPDATE funds_transfer_default SET amount = 1", "DELETE FROM funds_transfer_default"):  # fmt: skip
            with pytest.raises(ProgrammingError, match="permission denied"):
                _as_role(role, sql)
        with transaction.atomic():
            execute(f"SET LOCAL ROLE {role}")
            hold = books.hold(100)
            acts.post([hold, books.transfer(5)])
            acts.post([books.capture(hold, 100, books.account("fees"))])
        assert TransferRow.objects.filter(marketplace_id=books.market).count() == 4
    finally:
        execute(f"DROP OWNED BY {role}")
        execute(f"DROP ROLE {role}")


def _as_role(role: str, sql: str) -> None:
    with transaction.atomic():
        execute(f"SET LOCAL ROLE {role}")
        execute(sql)


def test_accounts_are_opened_once(books: Books) -> None:
    spec = AccountSpec(books.market, "wallet", uuid7(), "CNY")
    acts.ensure_accounts([spec, spec])
    acts.ensure_accounts([spec])
    found = Account.objects.get(pk=spec.id)
    assert (found.balance_min, found.sub_balances) == (0, 0)
    with pytest.raises(ValueError, match="no book"):
        AccountSpec(books.market, "walet", None, "CNY")


def test_known_instants_keep_their_balance(books: Books) -> None:
    before = row("SELECT clock_timestamp()")
    acts.post([books.transfer(10_000)])
    assert before is not None
    assert queries.balance_at(books.wallet, before[0]).posted == 100_000
    assert queries.balance_at(books.wallet, NOW - timedelta(days=3650)).posted == 0
