"""Trades through the acts, down to the ledger and the stock and back: one purchase, its parts, its failures, its cost."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from huangpu.core.errors import Conflict, HuangpuError, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event
from huangpu.flows.commerce.models import Agreement, Commitment, Invoice
from huangpu.flows.commerce.templates import register
from huangpu.flows.commerce.terms import Terms
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds import verify as books
from huangpu.flows.funds.models import Account
from huangpu.flows.funds.rules import account_id
from huangpu.flows.goods import acts as goods
from huangpu.flows.goods import verify as stock
from huangpu.flows.goods.models import Place, Stock
from huangpu.flows.process import acts, deadlines, verify
from huangpu.flows.process.acts import Part
from huangpu.flows.process.rules import Trade
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Marketplace, Organisation

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
D = Decimal


@dataclass
class City:
    """A marketplace with a buyer who has money and a seller who has stock."""

    market: Marketplace
    buyer: Organisation
    seller: Organisation
    yard: Place
    gate: Place
    item: UUID

    def actor(self, organisation: Organisation, *roles: str) -> Actor:
        return Actor(uuid7(), organisation.id, self.market.id, frozenset(roles or ("owner",)))

    def wallet(self, organisation: Organisation) -> Account:
        return Account.objects.get(pk=account_id(self.market.id, "wallet", organisation.id, "CNY"))

    def worth(self, organisation: Organisation) -> tuple[int, int]:
        account = self.wallet(organisation)
        return account.posted_credit - account.posted_debit, account.pending_debit


def build() -> City:
    operator, buyer, seller = (
        Organisation.objects.create(name={"en": name}) for name in ("Operator", "Buyer", "Seller")
    )
    market = Marketplace.objects.create(slug=f"m-{uuid7().hex[-8:]}", name={"en": "Market"}, operator=operator)
    yard = Place.objects.create(organisation=seller, code="yard", name={"en": "Yard"})
    gate = Place.objects.create(organisation=buyer, code="gate", name={"en": "Gate"})
    city = City(market, buyer, seller, yard, gate, uuid7())
    funds.top_up(
        actor=SYSTEM, marketplace_id=market.id, organisation_id=buyer.id, amount=10_000_000, currency="CNY", now=NOW
    )
    goods.take_in(
        actor=SYSTEM, marketplace_id=market.id, place_id=yard.id, item_id=city.item, quantity=D(1000), now=NOW
    )
    return city


@pytest.fixture
def city(db: None) -> City:  # noqa: ARG001
    return build()


def lines(city: City, count: int, stocked: bool) -> list[dict[str, Any]]:
    places = {"item": str(city.item), "from_place": str(city.yard.id), "to_place": str(city.gate.id)} if stocked else {}
    return [
        {
            "key": str(n),
            "name": {"en": f"Line {n}"},
            "quantity": "10",
            "unit": "TNE",
            "amount": 100_000 // count,
            **places,
        }
        for n in range(1, count + 1)
    ]


def conclude(city: City, *, count: int = 1, stocked: bool = True, fee: int = 500, **more: Any) -> Trade:
    return acts.conclude(
        actor=city.actor(city.buyer),
        marketplace_id=city.market.id,
        template="manufacturing.purchase",
        parameters={
            "lines": lines(city, count, stocked), "fee": fee, "pay_within": 3, "deliver_within": 10,
            "inspect_within": 2, **more,
        },
        parties={"buyer": city.buyer.id, "seller": city.seller.id},
        title={"en": "Steel"},
        currency="CNY",
        now=NOW,
    )  # fmt: skip


def do(city: City, trade: Trade, action: str, quantity: str | None = None, **more: Any) -> Trade:
    parts = [
        Part(ordinal, D(quantity) if quantity else None)
        for ordinal in Commitment.objects.filter(agreement_id=trade.id, action=action, state="due").values_list(
            "ordinal", flat=True
        )
    ]
    by = city.seller if action in ("deliver", "invoice") else city.buyer
    return acts.perform(
        actor=city.actor(by), agreement_id=trade.id, parts=parts, now=more.pop("now", NOW), details=more
    )


def consistent() -> list[str]:
    found = [*books.checks(), *stock.checks(), *verify.checks()]
    return [f"{check.name}: {check.detail}" for check in found if not check.ok]


def test_a_purchase_from_conclusion_to_the_last_fen(city: City) -> None:
    trade = conclude(city)
    assert trade.number.startswith("PO-2026-")
    assert Stock.objects.get(place=city.yard).reserved == 10
    do(city, trade, "hold")
    assert city.worth(city.buyer) == (10_000_000, 100_000)
    do(city, trade, "deliver", carrier="申通", tracking="7731")
    assert Stock.objects.get(place=city.gate, disposition="inspecting").on_hand == 10
    do(city, trade, "accept")
    assert Stock.objects.get(place=city.gate, disposition="available").on_hand == 10
    assert city.worth(city.buyer) == (9_900_000, 0)
    assert city.worth(city.seller) == (99_500, 0)
    done = do(city, trade, "invoice", number="INV-1")
    assert done.state == "fulfilled"
    assert Agreement.objects.get(pk=trade.id).closed_at == NOW
    assert Invoice.objects.get(agreement_id=trade.id).amount == 100_000
    kinds = list(Event.objects.filter(thread_id=trade.id).order_by("id").values_list("kind", flat=True))
    assert kinds == ["agreement.concluded", "funds.held", "goods.delivered", "process.accepted", "information.invoiced"]
    assert not consistent()


def test_in_parts_money_follows_what_is_accepted(city: City) -> None:
    trade = conclude(city, count=3, fee=1)
    do(city, trade, "hold")
    do(city, trade, "deliver", "3.333333")
    do(city, trade, "accept")
    part, _held = city.worth(city.seller)
    assert 0 < part < 33_333
    do(city, trade, "deliver")
    do(city, trade, "accept", "1")
    do(city, trade, "accept")
    do(city, trade, "invoice", number="INV-2")
    assert city.worth(city.seller)[0] == 99_998  # three lines of 33 333, less the fee of 1
    assert city.worth(city.buyer)[1] == 0
    assert not consistent()


def test_not_enough_money_changes_nothing(city: City) -> None:
    trade = conclude(city)
    funds.withdraw(actor=SYSTEM, marketplace_id=city.market.id, organisation_id=city.buyer.id, amount=9_950_000,
                   currency="CNY", now=NOW)  # fmt: skip
    from django.db import transaction

    with pytest.raises(Conflict) as refused, transaction.atomic():
        do(city, trade, "hold")
    assert refused.value.code == "transfer.exceeds_floor"
    assert refused.value.params["missing"] == 50_000
    assert Commitment.objects.get(agreement_id=trade.id, action="hold").state == "due"
    assert not consistent()


def test_more_than_there_is_in_stock_is_not_promised(city: City) -> None:
    from django.db import transaction

    with pytest.raises(Conflict) as refused, transaction.atomic():
        conclude(city, count=101)
    assert refused.value.code == "stock.insufficient"
    assert not Agreement.objects.exists()


def test_silence_of_the_buyer_is_acceptance_when_the_sweeper_comes(city: City) -> None:
    trade = conclude(city)
    do(city, trade, "hold")
    do(city, trade, "deliver")
    due = Commitment.objects.get(agreement_id=trade.id, action="accept").due_at
    assert due is not None
    assert deadlines.sweep(due - timedelta(seconds=1)) == 0
    assert deadlines.sweep(due) == 1  # deemed accepted, and paid
    assert deadlines.sweep(due + timedelta(days=9)) == 1  # the invoice is late
    assert deadlines.sweep(due + timedelta(days=9)) == 0
    assert city.worth(city.seller) == (99_500, 0)
    assert not consistent()


def test_rejected_goods_go_back_and_are_owed_again(city: City) -> None:
    trade = conclude(city)
    do(city, trade, "hold")
    do(city, trade, "deliver")
    acts.resolve(
        actor=city.actor(city.buyer), agreement_id=trade.id, option="reject/1", quantity=D(4), reason="rust", now=NOW
    )
    yard = Stock.objects.get(place=city.yard)
    assert (yard.on_hand, yard.reserved) == (994, 4)
    do(city, trade, "deliver")
    do(city, trade, "accept")
    assert city.worth(city.seller)[0] == 99_500
    assert not consistent()


def test_a_dispute_is_divided_by_the_arbiter_alone(city: City) -> None:
    trade = conclude(city, stocked=False)
    do(city, trade, "hold")
    acts.resolve(
        actor=city.actor(city.seller), agreement_id=trade.id, option="dispute", reason="they do not open", now=NOW
    )
    with pytest.raises(Refused):
        acts.resolve(actor=city.actor(city.seller), agreement_id=trade.id, option="decide", amount=1, now=NOW)
    arbiter = Actor(uuid7(), None, city.market.id, market_roles=frozenset({"arbiter"}))
    done = acts.resolve(actor=arbiter, agreement_id=trade.id, option="decide", amount=30_000, now=NOW)
    assert done.state == "terminated"
    assert city.worth(city.seller)[0] == 30_000
    assert city.worth(city.buyer) == (9_970_000, 0)
    assert not consistent()


def test_cancelled_before_delivery_frees_money_and_stock(city: City) -> None:
    trade = conclude(city)
    do(city, trade, "hold")
    late = NOW + timedelta(days=30)
    acts.resolve(actor=city.actor(city.buyer), agreement_id=trade.id, option="cancel_undelivered", now=late)
    assert city.worth(city.buyer) == (10_000_000, 0)
    assert Stock.objects.get(place=city.yard).reserved == 0
    assert not consistent()


def test_who_has_not_promised_it_does_not_do_it(city: City) -> None:
    trade = conclude(city)
    for actor in (city.actor(city.seller), city.actor(city.buyer, "auditor"), city.actor(city.buyer, "warehouse")):
        with pytest.raises(Refused):
            acts.perform(actor=actor, agreement_id=trade.id, parts=[Part(1)], now=NOW)
    stranger = Actor(uuid7(), uuid7(), city.market.id, frozenset({"owner"}))
    with pytest.raises(NotFound):
        acts.perform(actor=stranger, agreement_id=trade.id, parts=[Part(1)], now=NOW)


def statements(city: City, count: int) -> int:
    """The statements of one trade in four acts, BEGIN and COMMIT included."""
    with CaptureQueriesContext(connection) as seen:
        trade = conclude(city, count=count, pay_at_once=True, release_by_hand=True)
        do_parts(city, trade, "deliver")
        do_parts(city, trade, "accept")
        do_parts(city, trade, "release")
    return len(seen)


def do_parts(city: City, trade: Trade, action: str) -> None:
    parts = [Part(item.ordinal) for item in trade.promises if item.action == action]
    by = city.seller if action == "deliver" else city.buyer
    acts.perform(actor=city.actor(by), agreement_id=trade.id, parts=parts, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_one_line_and_fifty_cost_the_same_statements() -> None:
    city = build()
    conclude(city)  # the first trade opens the accounts
    one, fifty = statements(city, 1), statements(city, 50)
    assert one == fifty
    assert one <= 12
    assert not consistent()


@pytest.mark.django_db(transaction=True)
def test_released_once_however_many_release_at_once() -> None:
    city = build()
    trade = conclude(city, pay_at_once=True, release_by_hand=True)
    do(city, trade, "deliver")
    do(city, trade, "accept")
    together, refusals = threading.Barrier(8), []

    def release() -> None:
        together.wait(20)
        try:
            do_parts(city, trade, "release")
        except HuangpuError as refused:
            refusals.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=release) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refusals == ["commitment.over"] * 7
    assert city.worth(city.seller) == (99_500, 0)
    assert not consistent()


@pytest.mark.django_db(transaction=True)
def test_lines_accepted_at_once_by_different_people_all_count() -> None:
    city = build()
    trade = conclude(city, count=6, pay_at_once=True)
    do(city, trade, "deliver")
    together, wrong = threading.Barrier(6), []
    ordinals = [item.ordinal for item in trade.promises if item.action == "accept"]

    def accept(ordinal: int) -> None:
        together.wait(20)
        try:
            acts.perform(actor=city.actor(city.buyer), agreement_id=trade.id, parts=[Part(ordinal)], now=NOW)
        except HuangpuError as refused:
            wrong.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=[ordinal]) for ordinal in ordinals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert city.worth(city.seller)[0] == 6 * (100_000 // 6) - 500
    assert not consistent()


def test_the_receipt_and_the_night_run_to_the_ledger_too(city: City) -> None:
    from . import test_unlike_a_tender as odd

    def receipt(_parameters: Any) -> Terms:
        places = {"item_id": str(city.item), "from_place": str(city.yard.id)}
        return odd.receipt_terms(50_000, 50, **places)

    register("test.receipt", version=1, prefix="WR", build=receipt)
    register("test.night", version=1, prefix="HN", build=lambda _: odd.night_terms(80_000, 40_000, 4_000))
    common: dict[str, Any] = {
        "marketplace_id": city.market.id, "parameters": {}, "title": {"en": "x"}, "currency": "CNY", "now": NOW,
    }  # fmt: skip
    parties = {"buyer": city.buyer.id, "seller": city.seller.id}
    trade = acts.conclude(actor=city.actor(city.buyer), template="test.receipt", parties=parties, **common)
    done = do(city, trade, "hold")
    assert done.state == "fulfilled"
    assert Stock.objects.get(place=city.yard, owner=city.buyer).on_hand == D("24.68")
    assert city.worth(city.seller)[0] == 49_950
    parties = {"guest": city.buyer.id, "hotel": city.seller.id}
    night = acts.conclude(actor=city.actor(city.buyer), template="test.night", parties=parties, **common)
    acts.resolve(actor=city.actor(city.buyer), agreement_id=night.id, option="cancel_late",
                 now=odd.ARRIVAL - timedelta(hours=1))  # fmt: skip
    assert city.worth(city.seller)[0] == 49_950 + 40_000
    assert city.worth(city.buyer) == (10_000_000 - 50_000 - 40_000, 0)
    assert not consistent()
