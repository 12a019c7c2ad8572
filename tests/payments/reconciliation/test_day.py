"""A day in ISO 20022: payouts as pain.001, from bank to bank as pacs.008 and pacs.002, told by pain.002 and camt.054, then
a camt.053 that is matched with our books without a break that nobody can explain."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.verify import all_checks
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds.queries import balances, wallet
from huangpu.flows.funds.rules import account_id
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.payments.gateway import provider
from huangpu.payments.gateway.by_files import BankByFiles
from huangpu.payments.operations import acts, asking
from huangpu.payments.operations.acts import Wish
from huangpu.payments.operations.models import Operation
from huangpu.payments.reconciliation import acts as reconciling
from huangpu.payments.reconciliation import files
from huangpu.payments.reconciliation.models import Break
from huangpu.payments.standards.iso20022.parties import Account
from huangpu.payments.standards.iso20022.statements import Line
from tests.payments.reconciliation.two_banks import OtherBank, OurBank

pytestmark = pytest.mark.django_db
OURS = Account("Huangpu", "6222000000001", "PJBKCNSHXXX")
PAYOUTS, UNKNOWN_ACCOUNTS = 40, 3


@pytest.fixture
def gateway() -> Iterator[BankByFiles]:
    order: list[UUID] = []

    def beneficiary(id: UUID) -> Account:
        order.append(id)
        return Account(f"Supplier {len(order)}", f"88{len(order):04}", "WTBKCNSHXXX")

    known = dict(provider._known)
    made = BankByFiles(OURS, beneficiary)
    provider.register("files", made, payable=False)
    yield made
    provider._known.clear()
    provider._known.update(known)


def test_a_day_reconciles(gateway: BankByFiles) -> None:
    now = datetime.now(UTC)
    since, until = now - timedelta(hours=1), now + timedelta(hours=1)
    market, holder = uuid7(), uuid7()
    finance = Actor(uuid7(), holder, market, frozenset({"finance"}))
    operator = Actor(uuid7(), uuid7(), market, market_roles=frozenset({"operator"}))
    asked = _payouts(finance, market, now)
    other = OtherBank({f"88{number:04}" for number in range(UNKNOWN_ACCOUNTS + 1, PAYOUTS + 1)})
    bank = OurBank(OURS, other, opening=5_000_000)

    pain001 = gateway.cut(now)
    assert pain001 is not None
    assert gateway.cut(now) is None
    for _time in range(2):  # a file that is sent twice is done once
        pain002, camt054 = bank.take(pain001, now)
        answers = gateway.take_report(pain002) + (
            gateway.take_notification(camt054) if bank.lines and _time == 0 else []
        )
        for said in answers:
            acts.answer(operation_id=said.id, said=said, now=now)
    states = list(Operation.objects.filter(verb="payout").values_list("state", flat=True))
    assert (states.count("succeeded"), states.count("declined")) == (PAYOUTS - UNKNOWN_ACCOUNTS, UNKNOWN_ACCOUNTS)
    paid = sum(other.credited.values())
    assert paid == sum(Operation.objects.filter(pk__in=asked, state="succeeded").values_list("amount", flat=True))
    assert wallet(market, holder, "CNY").posted == 10_000_000 - paid

    bank.book(Line("NOTPROVIDED", -1_500, now, "FEE1"))
    camt053 = bank.end_of_day(since, until)
    common: dict[str, Any] = dict(actor=operator, marketplace_id=market, provider="files", now=now)
    statement = files.load_camt053(file=io.BytesIO(camt053), **common)
    assert files.load_camt053(file=io.BytesIO(camt053), **common) == statement
    found = reconciling.match(actor=operator, statement_id=statement, now=now)
    assert (found.matched, found.ours) == (PAYOUTS - UNKNOWN_ACCOUNTS, 0)
    (fee,) = Break.objects.all()
    assert (fee.amount, fee.reason, fee.posted_id is not None) == (-1_500, "unknown", True)
    ours = balances([account := account_id(market, "bank", provider.provider_id("files"), "CNY")])[account]
    assert -ours.posted == bank.opening - 5_000_000
    assert [check for check in all_checks() if not check.ok] == []


def _payouts(finance: Actor, market: UUID, now: datetime) -> list[UUID]:
    assert finance.organisation_id is not None
    funds.top_up(actor=SYSTEM, marketplace_id=market, organisation_id=finance.organisation_id, amount=10_000_000,
                 currency="CNY", now=now)  # fmt: skip
    asked = []
    for number in range(PAYOUTS):
        wish = Wish("payout", 1_000 + number, uuid7())
        asked.append(acts.ask_of_wallet(actor=finance, marketplace_id=market, provider="files", currency="CNY", wish=wish,
                                        now=now))  # fmt: skip
        assert asking.attempt(asked[-1], now=now) == "pending"
    return asked


def test_a_statement_goes_on_from_the_one_before(gateway: BankByFiles) -> None:
    now = datetime.now(UTC)
    market = uuid7()
    operator = Actor(uuid7(), uuid7(), market, market_roles=frozenset({"operator"}))
    common: dict[str, Any] = dict(actor=operator, marketplace_id=market, provider="files", now=now)
    bank = OurBank(gateway.account, OtherBank(set()), opening=100)
    bank.book(Line("X", 5, now, "1"))
    first = bank.end_of_day(now - timedelta(hours=1), now + timedelta(hours=1))
    bank.opening += 1
    bank.book(Line("Y", 7, now + timedelta(hours=2), "2"))
    second = bank.end_of_day(now + timedelta(hours=1), now + timedelta(hours=3))
    files.load_camt053(file=io.BytesIO(first), **common)
    with pytest.raises(HuangpuError) as refused:
        files.load_camt053(file=io.BytesIO(second), **common)
    assert (refused.value.code, refused.value.field) == ("statement.gap", "OPBD")


def test_a_statement_is_brought_by_api(gateway: BankByFiles) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    from tests.small_city import found

    city, now = found(), datetime.now(UTC)
    client = Client()
    client.force_login(city.operator)
    bank = OurBank(gateway.account, OtherBank(set()), opening=100)
    bank.book(Line("X", 5, now, "1"))
    data = bank.end_of_day(now - timedelta(hours=1), now + timedelta(hours=1))

    def bring(content: bytes, key: str) -> Any:
        file = SimpleUploadedFile("day.xml", content, "application/xml")
        told = {"provider": "files", "file": file}
        return client.post("/api/v1/m/manufacturing/statements", told, headers={"Idempotency-Key": key})

    first = bring(data, "a")
    assert (first.status_code, first.json()["theirs"], first.json()["closing"]) == (201, 1, 105), first.json()
    assert bring(data, "b").json()["id"] == first.json()["id"]
    assert bring(b"no xml", "c").json()["code"] == "iso20022.xml"
    breaks = client.get(f"/api/v1/m/manufacturing/statements/{first.json()['id']}/breaks").json()
    assert [(one["amount"], one["reason"]) for one in breaks] == [(5, "unknown")]
