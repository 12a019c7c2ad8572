"""A delivery may be of other lots and pieces than the promised ones: they are what arrives, is accepted, goes back, is told."""

from __future__ import annotations

from typing import Any

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.flows.commerce.models import Commitment
from huangpu.flows.funds import acts as funds
from huangpu.flows.goods.models import Shipment, Stock
from huangpu.flows.process import acts, deadlines
from huangpu.flows.process import verify as process
from huangpu.flows.process.acts import Part
from huangpu.flows.process.rules import Trade
from huangpu.parties.actor import SYSTEM
from tests.flows.goods.test_keeping import consistent
from tests.flows.goods.warehouse import NOW, D, Warehouse, build


@pytest.fixture
def w(db: None) -> Warehouse:  # noqa: ARG001
    made = build()
    funds.top_up(
        actor=SYSTEM, marketplace_id=made.city.market.pk, organisation_id=made.city.buyer.pk, amount=10**9, currency="CNY",
        now=NOW,
    )  # fmt: skip
    return made


def concluded(w: Warehouse, quantity: str, of: Any, **line: Any) -> Trade:
    return acts.conclude(
        actor=w.actor("owner", of=w.city.buyer), marketplace_id=w.city.market.pk, template="manufacturing.purchase",
        parameters={
            "lines": [{"key": "1", "name": of.name, "quantity": quantity, "unit": of.unit, "amount": 100_000,
                       "item": str(of.pk), "to_place": str(w.gate.pk), **line}],
            "fee": 500, "pay_within": 3, "deliver_within": 10, "inspect_within": 2, "pay_at_once": True,
        },
        parties={"buyer": w.city.buyer.pk, "seller": w.city.seller.pk}, title={"en": "Goods"}, currency="CNY", now=NOW,
    )  # fmt: skip


def do(w: Warehouse, trade: Trade, action: str, quantity: str | None = None, **details: Any) -> None:
    ordinal = ordinal_of(trade, action)
    by = w.city.seller if action == "deliver" else w.city.buyer
    part = Part(ordinal, None if quantity is None else D(quantity))
    acts.perform(actor=w.actor("owner", of=by), agreement_id=trade.id, parts=[part], details=details, now=NOW)


def ordinal_of(trade: Trade, action: str) -> int:
    return next(item.ordinal for item in trade.promises if item.action == action)


def lying(at: Any) -> dict[tuple[str, str, str], tuple[Any, Any]]:
    found = Stock.objects.filter(place=at, on_hand__gt=0)
    return {(one.lot, one.serial, one.disposition): (one.on_hand, one.reserved) for one in found}


def test_another_lot_arrives_and_is_accepted_as_what_it_is(w: Warehouse) -> None:
    w.take_in(w.coil, "10", lot="L1")
    w.take_in(w.coil, "10", lot="L2")
    trade = concluded(w, "8", w.coil, from_place=str(w.yard.pk), lot="L1")
    deliver = ordinal_of(trade, "deliver")
    lots = [
        {"commitment": deliver, "lot": "L1", "quantity": "3"},
        {"commitment": deliver, "lot": "L2", "quantity": "5"},
    ]
    do(w, trade, "deliver", lots=lots)
    assert lying(w.yard) == {("L1", "", "available"): (7, 0), ("L2", "", "available"): (5, 0)}
    assert lying(w.gate) == {("L1", "", "inspecting"): (3, 0), ("L2", "", "inspecting"): (5, 0)}
    do(w, trade, "accept", "4")
    assert lying(w.gate) == {
        ("L1", "", "available"): (3, 0), ("L2", "", "available"): (1, 0), ("L2", "", "inspecting"): (4, 0),
    }  # fmt: skip
    do(w, trade, "accept")
    assert lying(w.gate) == {("L1", "", "available"): (3, 0), ("L2", "", "available"): (5, 0)}
    line = Shipment.objects.get(reference_id=trade.id).lines[0]
    assert [(lot["lot"], lot["quantity"]) for lot in line["lots"]] == [("L1", "3"), ("L2", "5")]
    assert consistent()


def test_pieces_come_from_a_place_that_the_terms_did_not_name(w: Warehouse) -> None:
    w.take_in(w.pump, "3", serials=("A1", "A2", "A3"))
    trade = concluded(w, "2", w.pump)
    deliver = ordinal_of(trade, "deliver")
    named = {"commitment": deliver, "serials": ["A1", "A3"], "from_place": str(w.yard.pk)}
    do(w, trade, "deliver", lots=[named])
    assert set(lying(w.yard)) == {("", "A2", "available")}
    assert set(lying(w.gate)) == {("", "A1", "inspecting"), ("", "A3", "inspecting")}
    do(w, trade, "accept", "1")
    do(w, trade, "accept", "1")
    assert set(lying(w.gate)) == {("", "A1", "available"), ("", "A3", "available")}
    assert not Commitment.objects.filter(agreement_id=trade.id, state="due", action="accept").exists()
    assert consistent()


def test_a_piece_that_is_elsewhere_cannot_be_delivered(w: Warehouse) -> None:
    w.take_in(w.pump, "2", serials=("A1", "A2"))
    trade = concluded(w, "1", w.pump)
    deliver = ordinal_of(trade, "deliver")
    for named, code in (
        ({"serials": ["A9"], "from_place": str(w.yard.pk)}, "stock.insufficient"),
        ({"serials": ["A1"], "from_place": str(w.shop.pk)}, "stock.insufficient"),
        ({"serials": ["A1"]}, "serial.elsewhere"),  # from outside, though it lies in the yard
        ({"serials": ["A1", "A2"], "from_place": str(w.yard.pk)}, "lots.quantity"),
    ):
        with pytest.raises(HuangpuError) as refused:
            do(w, trade, "deliver", lots=[{"commitment": deliver, **named}])
        assert refused.value.code == code
    assert not lying(w.gate)


def test_what_is_rejected_goes_back_as_the_lot_it_is(w: Warehouse) -> None:
    w.take_in(w.coil, "10", lot="L1")
    w.take_in(w.coil, "10", lot="L2")
    trade = concluded(w, "8", w.coil, from_place=str(w.yard.pk), lot="L1")
    do(w, trade, "deliver", lots=[{"commitment": ordinal_of(trade, "deliver"), "lot": "L2", "quantity": "8"}])
    assert lying(w.yard) == {("L1", "", "available"): (10, 0), ("L2", "", "available"): (2, 0)}
    option = next(one["key"] for one in trade.options if one["undoes"])
    acts.resolve(actor=w.actor("owner", of=w.city.buyer), agreement_id=trade.id, option=option, now=NOW)
    assert lying(w.yard) == {("L1", "", "available"): (10, 8), ("L2", "", "available"): (10, 0)}
    assert not lying(w.gate)
    do(w, trade, "deliver")
    assert lying(w.gate) == {("L1", "", "inspecting"): (8, 0)}
    assert consistent()
    assert all(check.ok for check in process.checks())


def test_silence_accepts_the_lots_that_came(w: Warehouse) -> None:
    w.take_in(w.coil, "10", lot="L2")
    trade = concluded(w, "8", w.coil)
    named = {"commitment": ordinal_of(trade, "deliver"), "lot": "L2", "quantity": "8", "from_place": str(w.yard.pk)}
    do(w, trade, "deliver", lots=[named])
    late = Commitment.objects.get(agreement_id=trade.id, action="accept").due_at
    assert late is not None
    deadlines.sweep(now=late)
    assert lying(w.gate) == {("L2", "", "available"): (8, 0)}
    assert consistent()
