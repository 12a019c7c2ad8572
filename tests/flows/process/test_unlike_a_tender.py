"""Three trades unlike a tender, written as terms alone: the kernel needs no change for them.

A warehouse receipt delivered against payment; an order split over two sellers with a partial return and a refund; a
hotel night cancelled inside the penalty window. Here the rules alone are tried; `test_trades.py` runs them to the ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7
from huangpu.flows.commerce.compiled import compile_terms
from huangpu.flows.commerce.terms import (
    HOUSE,
    Line,
    Measure,
    Terms,
    accept,
    at,
    charge,
    days,
    deliver,
    forfeit,
    give_back,
    hold,
    hours,
    option,
    pay,
    refund,
    release,
    serve,
    transfer_title,
)
from huangpu.flows.process import options, rules
from huangpu.flows.process.rules import Trade

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
D = Decimal


def begin(terms: Terms, *roles: str) -> Trade:
    parties: dict[str, UUID] = {role: uuid7() for role in (*roles, "operator")}
    compiled = compile_terms(terms, parties)
    trade = Trade(
        id=uuid7(),
        marketplace_id=uuid7(),
        operator_id=parties["operator"],
        number="T-1",
        currency="CNY",
        state="open",
        concluded_at=NOW,
        zone=ZoneInfo("Asia/Shanghai"),
        roles=parties,
        options=compiled.options,
        promises=[rules.promise_of({**data, "id": uuid7()}) for data in compiled.commitments],
    )
    rules.advance(trade, NOW)
    return trade


def do(trade: Trade, key: str, quantity: str | None = None, now: datetime = NOW) -> None:
    rules.perform(trade, rules.by_key(trade, key).ordinal, D(quantity) if quantity else None, None, now=now)
    rules.advance(trade, now)


def use(trade: Trade, key: str, role: str, quantity: str | None = None, now: datetime = NOW) -> None:
    options.exercise(trade, key, role=role, now=now, quantity=D(quantity) if quantity else None)
    rules.advance(trade, now)


def done(trade: Trade) -> dict[str, int]:
    return {item.key: item.done_amount for item in trade.promises if item.flow == "funds"}


# ── a warehouse receipt against payment ──────────────────────────────────────────────────────────────────────────────


def receipt_terms(price: int, fee: int, **places: str) -> Terms:
    coil = Line("r1", {"en": "Hot-rolled coil, receipt 88"}, D("24.68"), "TNE", price, **places)
    paid = hold("buyer", price, due=days(1), on_silence="lapse")
    title = transfer_title("seller", "buyer", [coil], after=paid)
    return Terms(
        paid,
        title,
        release("buyer", "seller", price - fee, draws=paid, after=title),
        charge("seller", fee, draws=paid, after=title),
        options=[option("lapse", by=HOUSE, late=paid, ends=(paid, title))],
    )


def test_receipt_and_payment_change_hands_in_one_act() -> None:
    trade = begin(receipt_terms(9_876_500, 9_876), "buyer", "seller")
    assert [item.state for item in trade.promises] == ["due", "waiting", "waiting", "waiting"]
    do(trade, "hold")
    assert trade.state == "fulfilled"
    assert [step.promise.action for step in trade.steps] == ["hold", "transfer_title", "release", "charge"]
    assert done(trade) == {"hold": 9_876_500, "release": 9_866_624, "charge": 9_876}


def test_receipt_stays_with_the_seller_when_nobody_pays() -> None:
    trade = begin(receipt_terms(9_876_500, 9_876), "buyer", "seller")
    paid = trade.promise(1)
    assert paid.due_at is not None
    assert options.lapse(trade, 1, paid.due_at - timedelta(microseconds=1)) is None
    assert options.lapse(trade, 1, paid.due_at) == "lapse"
    rules.advance(trade, paid.due_at)
    assert trade.state == "terminated"
    assert {item.state for item in trade.promises} == {"ended"}
    assert not trade.steps


# ── one order, two sellers, a partial return and its refund ──────────────────────────────────────────────────────────


def split_order() -> Terms:
    tea = Line("tea", {"en": "Tea"}, D(4), "C62", 20_000)
    pot = Line("pot", {"en": "Pot"}, D(1), "C62", 15_000)
    paid = hold("buyer", 35_000, at_conclusion=True)
    parts: list[object] = [paid]
    options = []
    for seller, line in (("seller/a", tea), ("seller/b", pot)):
        sent = deliver(seller, "buyer", [line], after=paid, due=days(2))
        taken = accept("buyer", sent, due=days(7), on_silence="deemed")
        fee = line.amount // 20
        parts += [sent, taken, release("buyer", seller, line.amount - fee, draws=paid, after=taken, key=f"release/{line.key}"),
                  charge(seller, fee, draws=paid, after=taken, key=f"charge/{line.key}")]  # fmt: skip
        back = give_back("buyer", seller, line, key=f"back/{line.key}", due=days(7))
        options.append(
            option(f"return/{line.key}", by="buyer", after=sent, line=sent[0], closes=days(7),
                   closes_from=sent[0].key,
                   then=(back, pay(seller, "buyer", line.amount, after=back, key=f"repay/{line.key}",
                                   automatic=True, measure=Measure.SHARE)))
        )  # fmt: skip
    return Terms(*parts, options=options)  # type: ignore[arg-type]


def test_order_of_two_sellers_with_a_partial_return() -> None:
    trade = begin(split_order(), "buyer", "seller/a", "seller/b")
    assert done(trade)["hold"] == 35_000
    do(trade, "deliver/tea", "3")
    do(trade, "accept/tea")
    assert (done(trade)["release/tea"], done(trade)["charge/tea"]) == (14_250, 750)
    do(trade, "deliver/tea")
    do(trade, "accept/tea")
    do(trade, "deliver/pot")
    do(trade, "accept/pot")
    assert trade.state == "fulfilled"
    assert trade.held(trade.promise(1)) == 0
    use(trade, "return/tea", "buyer", "1")
    assert trade.state == "open"
    assert rules.by_key(trade, "repay/tea").state == "waiting"
    do(trade, "back/tea")
    assert done(trade)["repay/tea"] == 5_000
    assert trade.state == "fulfilled"
    use(trade, "return/tea", "buyer", "2")
    do(trade, "back/tea")
    assert [item.done_amount for item in trade.promises if item.key.startswith("repay/tea")] == [5_000, 10_000]
    with pytest.raises(Invalid) as too_much:
        use(trade, "return/tea", "buyer", "2")
    assert str(too_much.value.params["most"]) == "1 pcs"
    with pytest.raises(Conflict) as late:
        use(trade, "return/tea", "buyer", "1", now=NOW + timedelta(days=9))
    assert late.value.code == "option.out_of_time"


# ── a hotel night, cancelled inside the penalty window ───────────────────────────────────────────────────────────────

ARRIVAL = NOW + timedelta(days=3)


def night_terms(price: int, penalty: int, fee: int) -> Terms:
    paid = hold("guest", price, at_conclusion=True)
    night = serve("hotel", "guest", [Line("n1", {"en": "One night"}, D(1), "ROM", price)], after=paid,
                  due=at(ARRIVAL + timedelta(hours=20)))  # fmt: skip
    paid_out = release("guest", "hotel", price - fee, draws=paid, after=night)
    charged = charge("hotel", fee, draws=paid, after=night)
    free_until = ARRIVAL - timedelta(hours=24)
    return Terms(
        paid, night, paid_out, charged,
        options=[
            option("cancel", by="guest", unless=night, closes=at(free_until), ends=(night, paid_out, charged),
                   then=refund("guest", draws=paid)),
            option("cancel_late", by="guest", unless=night, opens=at(free_until), closes=at(ARRIVAL),
                   ends=(night, paid_out, charged),
                   then=(forfeit("guest", "hotel", penalty, draws=paid), refund("guest", draws=paid, key="refund_late"))),
        ],
    )  # fmt: skip


def test_night_is_stayed_and_paid() -> None:
    trade = begin(night_terms(80_000, 40_000, 4_000), "guest", "hotel")
    do(trade, "serve/n1", now=ARRIVAL + timedelta(hours=18))
    assert trade.state == "fulfilled"
    assert done(trade) == {"hold": 80_000, "release": 76_000, "charge": 4_000}


@pytest.mark.parametrize(
    ("before", "key", "to_hotel", "to_guest"),
    [(timedelta(hours=24, microseconds=1), "cancel", 0, 80_000), (timedelta(hours=24), "cancel_late", 40_000, 40_000)],
)
def test_night_cancelled_free_or_with_its_penalty_to_the_microsecond(
    before: timedelta, key: str, to_hotel: int, to_guest: int
) -> None:
    moment = ARRIVAL - before
    other = "cancel_late" if key == "cancel" else "cancel"
    trade = begin(night_terms(80_000, 40_000, 4_000), "guest", "hotel")
    with pytest.raises(Conflict) as refused:
        use(trade, other, "guest", now=moment)
    assert refused.value.code == "option.out_of_time"
    use(trade, key, "guest", now=moment)
    assert trade.state == "terminated"
    paid = {item.action: item.done_amount for item in trade.promises if item.over and item.done_amount and item.draws}
    assert (paid.get("release", 0), paid.get("refund", 0)) == (to_hotel, to_guest)
    assert trade.held(trade.promise(1)) == 0


def test_an_hour_is_an_hour_and_a_day_ends_with_the_local_day() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    assert hours(3).after(NOW, shanghai) == NOW + timedelta(hours=3)
    assert days(3).after(NOW, shanghai) == datetime(2026, 11, 26, 16, 0, tzinfo=UTC)
