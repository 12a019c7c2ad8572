"""The rules of performing, as properties over any purchase and any script of acts.

Whatever the parties do and in whatever order: nothing is due before what it waits for, no money leaves a hold twice,
what is released is exactly earned, and a trade that has come to rest has paid out or given back every fen.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7
from huangpu.flows.commerce.compiled import compile_terms
from huangpu.flows.commerce.terms import Line, Terms, TermsError, accept, deliver, hold, release
from huangpu.flows.process import options, rules
from huangpu.flows.process.rules import Trade
from huangpu.sectors.manufacturing.terms import purchase_terms

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
D = Decimal


def trade_of(terms: Terms) -> Trade:
    parties: dict[str, UUID] = {role: uuid7() for role in ("buyer", "seller", "operator")}
    compiled = compile_terms(terms, parties)
    trade = Trade(
        id=uuid7(),
        marketplace_id=uuid7(),
        operator_id=parties["operator"],
        number="PO-1",
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


lines = st.lists(
    st.tuples(st.decimals(min_value="0.000001", max_value="1000", places=6), st.integers(1, 10**9)),
    min_size=1,
    max_size=5,
)
script = st.lists(
    st.tuples(
        st.sampled_from(["perform", "part", "lapse", "option", "wait"]),
        st.integers(0, 40),
        st.fractions(0, 1),
        st.integers(0, 9),
    ),
    max_size=40,
)


def purchase(parts: list[tuple[Decimal, int]], fee_ppm: int, by_hand: bool) -> Terms:
    price = sum(amount for _quantity, amount in parts)
    return purchase_terms(
        {
            "lines": [
                {"key": str(number), "name": {"en": "x"}, "quantity": str(quantity), "unit": "TNE", "amount": amount}
                for number, (quantity, amount) in enumerate(parts, 1)
            ],
            "fee": price * fee_ppm // 1_000_000,
            "pay_within": 3,
            "deliver_within": 10,
            "inspect_within": 2,
            "release_by_hand": by_hand,
        }
    )


def check(trade: Trade) -> None:
    for promise in trade.promises:
        waits = trade.conditions(promise)
        if promise.state in ("due", "done") and not promise.stepwise:
            assert all(item.over for item in waits), f"{promise.key} came before what it waits for"
        if promise.stepwise and waits and promise.begun:
            reach = rules.earned(trade, promise)
            penalised = sum(item.done_amount for item in trade.penalties if item.details["out_of"] == promise.key)
            whole = (promise.amount or 0) + penalised
            progress = promise.progress if not penalised else Fraction(promise.done_amount + penalised, whole)
            assert promise in trade.penalties or progress <= reach, f"{promise.key} went further than was earned"
        assert 0 <= promise.progress <= 1
    for hold_promise in (item for item in trade.promises if item.action == "hold"):
        assert trade.held(hold_promise) >= 0, "more was drawn than was held"
        if trade.state in ("fulfilled", "terminated") and hold_promise.begun:
            assert trade.held(hold_promise) == 0, "money was left in the hold of a closed trade"


def use_option(trade: Trade, which: int, portion: Fraction, choice: int, now: datetime) -> None:
    """Whoever may uses one of the options, for a part of its line, or gives a part of what is held."""
    option = trade.options[which % len(trade.options)]
    quantity = None
    if option.get("line") and choice:
        quantity = (rules.by_key(trade, option["line"]).done_quantity * choice / 9).quantize(rules.MICRO)
    amount = trade.held(trade.promise(1)) * portion.numerator // portion.denominator
    options.exercise(trade, option["key"], role=option["by"][0], now=now, quantity=quantity, amount=amount)


@settings(max_examples=150, deadline=None)
@given(parts=lines, fee_ppm=st.integers(0, 100_000), by_hand=st.booleans(), acts=script)
def test_whatever_the_parties_do(
    parts: list[tuple[Decimal, int]], fee_ppm: int, by_hand: bool, acts: list[tuple[str, int, Fraction, int]]
) -> None:
    trade, now = trade_of(purchase(parts, fee_ppm, by_hand)), NOW
    check(trade)
    for verb, which, portion, choice in acts:
        promise = trade.promises[which % len(trade.promises)]
        try:
            if verb == "wait":
                now += timedelta(days=which % 5)
            elif verb == "lapse":
                options.lapse(trade, promise.ordinal, now)
            elif verb == "option":
                use_option(trade, which, portion, choice, now)
            else:
                quantity = None
                if verb == "part" and promise.quantity is not None:
                    quantity = (promise.quantity * portion.numerator / portion.denominator).quantize(rules.MICRO)
                rules.perform(trade, promise.ordinal, quantity, None, now=now)
        except (Conflict, Invalid):
            pass
        rules.advance(trade, now)
        check(trade)


@settings(max_examples=60, deadline=None)
@given(parts=lines, cuts=st.lists(st.fractions(0, 1), max_size=6), fee_ppm=st.integers(0, 100_000))
def test_parts_add_up_to_the_whole(parts: list[tuple[Decimal, int]], cuts: list[Fraction], fee_ppm: int) -> None:
    trade = trade_of(purchase(parts, fee_ppm, by_hand=False))
    rules.perform(trade, 1, None, None, now=NOW)
    rules.advance(trade, NOW)
    for cut in [*cuts, Fraction(1)]:
        for action in ("deliver", "accept"):
            for promise in [item for item in trade.promises if item.action == action]:
                if promise.state != "due":
                    continue
                quantity, _amount = rules.performable(trade, promise)
                assert quantity is not None
                part = (quantity * cut.numerator / cut.denominator).quantize(rules.MICRO)
                if part > 0:
                    rules.perform(trade, promise.ordinal, part if cut < 1 else None, None, now=NOW)
                    rules.advance(trade, NOW)
    price = sum(amount for _quantity, amount in parts)
    paid = {item.action: item.done_amount for item in trade.promises if item.flow == "funds"}
    assert paid["release"] + paid.get("charge", 0) == price == paid["hold"]


def test_only_what_is_accepted_is_invoiced_so_that_a_rejection_leaves_nothing_to_credit() -> None:
    trade = trade_of(purchase([(D(10), 1000)], 0, by_hand=False))
    for ordinal, part in ((1, None), (2, None), (3, D(4))):  # all is delivered, 4 of 10 are accepted
        rules.perform(trade, ordinal, part, None, now=NOW)
        rules.advance(trade, NOW)
    invoice = rules.by_key(trade, "invoice")
    assert rules.performable(trade, invoice)[1] == 400
    rules.perform(trade, invoice.ordinal, None, None, now=NOW)
    options.exercise(trade, "reject/1", role="buyer", now=NOW, quantity=D(6))
    rules.advance(trade, NOW)
    assert invoice.done_amount == 400
    for ordinal in (2, 3, invoice.ordinal):
        rules.perform(trade, ordinal, None, None, now=NOW)
        rules.advance(trade, NOW)
    assert (invoice.state, invoice.done_amount, trade.state) == ("done", 1000, "fulfilled")
    check(trade)


def test_a_delivery_that_is_rejected_is_owed_again_and_only_what_is_accepted_is_paid() -> None:
    trade = trade_of(purchase([(D(10), 1000)], 0, by_hand=False))
    rules.perform(trade, 1, None, None, now=NOW)
    rules.advance(trade, NOW)
    rules.perform(trade, 2, D(6), None, now=NOW)
    rules.advance(trade, NOW)
    rules.perform(trade, 3, D(2), None, now=NOW)
    rules.advance(trade, NOW)
    with pytest.raises(Invalid) as accepted_already:
        options.exercise(trade, "reject/1", role="buyer", now=NOW, quantity=D(5))
    assert accepted_already.value.params["most"] == "4"


def test_reject_then_deliver_again() -> None:
    trade = trade_of(purchase([(D(10), 1000)], 0, by_hand=False))
    for ordinal in (1, 2):
        rules.perform(trade, ordinal, None, None, now=NOW)
        rules.advance(trade, NOW)
    options.exercise(trade, "reject/1", role="buyer", now=NOW, quantity=D(4))
    rules.advance(trade, NOW)
    delivery, acceptance = trade.promise(2), trade.promise(3)
    assert (delivery.state, delivery.done_quantity) == ("due", D(6))
    assert rules.performable(trade, acceptance) == (D(6), None)
    rules.perform(trade, 2, None, None, now=NOW)
    rules.advance(trade, NOW)
    assert rules.performable(trade, acceptance) == (D(10), None)


def test_silence_after_delivery_is_acceptance_and_pays() -> None:
    trade = trade_of(purchase([(D(10), 1000)], 50_000, by_hand=False))
    for ordinal in (1, 2):
        rules.perform(trade, ordinal, None, None, now=NOW)
        rules.advance(trade, NOW)
    due = trade.promise(3).due_at
    assert due is not None
    assert options.lapse(trade, 3, due - timedelta(microseconds=1)) is None
    assert options.lapse(trade, 3, due) == "deemed"
    rules.advance(trade, due)
    assert {item.action: item.done_amount for item in trade.promises if item.draws} == {"release": 950, "charge": 50}


def test_what_is_not_delivered_in_time_is_cancelled_and_its_money_goes_back() -> None:
    trade = trade_of(purchase([(D(10), 1000)], 0, by_hand=False))
    rules.perform(trade, 1, None, None, now=NOW)
    rules.advance(trade, NOW)
    rules.perform(trade, 2, D(4), None, now=NOW)
    rules.advance(trade, NOW)
    with pytest.raises(Conflict) as early:
        options.exercise(trade, "cancel_undelivered", role="buyer", now=NOW)
    assert early.value.code == "option.not_yet"
    late = NOW + timedelta(days=20)
    options.exercise(trade, "cancel_undelivered", role="buyer", now=late)
    rules.advance(trade, late)
    assert trade.held(trade.promise(1)) == 1000  # what was delivered is still to be accepted
    rules.perform(trade, 3, None, None, now=late)
    rules.advance(trade, late)
    paid = {item.key: item.done_amount for item in trade.promises if item.draws}
    assert paid == {"release": 400, "refund_undelivered": 600}


def test_nothing_moves_in_a_dispute_until_the_arbiter_divides_what_is_held() -> None:
    trade = trade_of(purchase([(D(10), 1001)], 0, by_hand=False))
    for ordinal in (1, 2):
        rules.perform(trade, ordinal, None, None, now=NOW)
        rules.advance(trade, NOW)
    options.exercise(trade, "dispute", role="seller", now=NOW)
    rules.advance(trade, NOW)
    with pytest.raises(Conflict) as stopped:
        rules.perform(trade, 3, None, None, now=NOW)
    assert stopped.value.code == "agreement.disputed"
    assert options.lapse(trade, 3, NOW + timedelta(days=99)) is None
    with pytest.raises(Invalid):
        options.exercise(trade, "decide", role="arbiter", now=NOW, amount=1002)
    options.exercise(trade, "decide", role="arbiter", now=NOW, amount=700)
    rules.advance(trade, NOW)
    assert trade.state == "terminated"
    assert {item.key: item.done_amount for item in trade.promises if item.draws and item.done_amount} == {
        "awarded": 700,
        "refund_decided": 301,
    }


def test_the_seller_may_leave_when_the_money_does_not_come() -> None:
    trade = trade_of(purchase([(D(10), 1000)], 0, by_hand=False))
    with pytest.raises(Conflict):
        options.exercise(trade, "withdraw_unpaid", role="seller", now=NOW)
    late = NOW + timedelta(days=5)
    assert options.lapse(trade, 1, late) == "late"
    rules.advance(trade, late)
    options.exercise(trade, "withdraw_unpaid", role="seller", now=late)
    rules.advance(trade, late)
    assert trade.state == "terminated"
    assert not trade.steps


def test_a_template_that_contradicts_itself_is_found_when_it_is_built() -> None:
    line = Line("1", {"en": "x"}, D(1), "C62", 100)
    paid = hold("buyer", 100)
    with pytest.raises(TermsError, match="draw 101"):
        Terms(paid, release("buyer", "seller", 101, draws=paid, after=paid))
    with pytest.raises(TermsError, match="not in the terms"):
        Terms(*accept("buyer", deliver("seller", "buyer", [line])))
    with pytest.raises(TermsError, match="same key"):
        Terms(paid, paid)
