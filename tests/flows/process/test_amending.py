"""Amendments, purely: what is cut, what is added, and that every fen stays where it belongs, whatever is amended when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huangpu.core.errors import Conflict, HuangpuError, Invalid
from huangpu.flows.commerce.terms import Line, Terms, deliver, hold, pay
from huangpu.flows.process import amending, options, rules
from huangpu.flows.process.amending import Change
from huangpu.flows.process.rules import Trade
from huangpu.sectors.manufacturing.terms import purchase_terms

from .test_rules import NOW, trade_of

D = Decimal
DAY = timedelta(days=1)
LATE = {"rate": "0.01", "per": "day", "cap": "0.1"}


def purchase(*amounts: int, quantity: str = "40", fee: int = 0, **more: Any) -> Trade:
    lines = [
        {"key": str(n), "name": {"en": f"x{n}"}, "quantity": quantity, "unit": "C62", "amount": amount}
        for n, amount in enumerate(amounts, 1)
    ]
    return trade_of(
        purchase_terms({"lines": lines, "fee": fee, "pay_within": 3, "deliver_within": 10, "inspect_within": 2, **more})
    )


def do(trade: Trade, key: str, quantity: str | None = None, now: datetime = NOW) -> None:
    rules.perform(trade, rules.by_key(trade, key).ordinal, quantity and D(quantity), None, now=now)
    rules.advance(trade, now)


def amend(trade: Trade, *changes: Change, number: int = 1, now: datetime = NOW) -> amending.Amended:
    done = amending.apply(trade, changes, number, now)
    rules.advance(trade, now)
    return done


def finish(trade: Trade, now: datetime = NOW) -> None:
    """Everybody keeps every promise that is still open."""
    for _round in range(30):
        for promise in [item for item in trade.promises if item.state == "due" and not item.automatic]:
            if promise.state == "due":
                rules.perform(trade, promise.ordinal, None, None, now=now)
                rules.advance(trade, now)


def drawn(trade: Trade, action: str) -> int:
    return sum(item.done_amount for item in trade.promises if item.action == action)


def conserved(trade: Trade) -> None:
    for one in (item for item in trade.promises if item.action == "hold"):
        left = trade.held(one)
        assert left >= 0
        if trade.state in ("fulfilled", "terminated"):
            assert left == 0 or not one.begun
    assert drawn(trade, "hold") >= sum(drawn(trade, verb) for verb in ("release", "charge", "refund", "penalty"))


def states(trade: Trade) -> dict[str, str]:
    return {item.key: item.state for item in trade.promises}


def test_more_of_the_rest() -> None:
    """40 at 1,000.00, fee 5.00; 24 came, 20 accepted; of the rest of 16 there shall be 30."""
    trade = purchase(100_000, fee=500)
    do(trade, "hold")
    do(trade, "deliver/1", "24")
    do(trade, "accept/1", "20")
    done = amend(trade, Change(2, quantity=D(30)))
    # 16 of 40 are worth 400.00; 30 at the same price 750.00
    assert (done.cut, done.added) == (40_000, 75_000)
    old, new = rules.by_key(trade, "deliver/1"), rules.by_key(trade, "deliver/1~1")
    assert (old.quantity, old.amount, old.state) == (D(24), 60_000, "done")
    assert (new.quantity, new.amount, new.state) == (D(30), 75_000, "due")
    assert new.due_at == trade.concluded_at.replace(hour=16, minute=0) + 10 * DAY
    assert [(step.promise.key, step.amount) for step in trade.steps[-2:]] == [("refund~1", 40_000), ("hold~1", 75_000)]
    assert {item.key: item.amount for item in trade.promises if item.action in ("release", "charge", "invoice")} == {
        "release": 59_700, "charge": 300, "invoice": 60_000,
        "release~1": 74_625, "charge~1": 375, "invoice~1": 75_000,
    }  # fmt: skip
    finish(trade)
    assert trade.state == "fulfilled"
    assert (drawn(trade, "release"), drawn(trade, "charge"), drawn(trade, "refund")) == (134_325, 675, 40_000)
    conserved(trade)


@pytest.mark.parametrize(
    ("change", "cut", "added"),
    [
        (Change(2, quantity=D(8)), 40_000, 20_000),  # fewer
        (Change(2, quantity=D(0)), 40_000, 0),  # none any more
        (Change(2, amount=32_000), 40_000, 32_000),  # cheaper
        (Change(2, quantity=D(20), amount=60_000), 40_000, 60_000),  # more, and dearer
        (Change(2, due_at=NOW + 99 * DAY), 40_000, 40_000),  # later
        (Change(None, D(3), 9_000, None, {"en": "new"}, "C62"), 0, 9_000),  # a line more
    ],
)
def test_each_kind_of_change_ends_fulfilled_and_to_the_last_fen(change: Change, cut: int, added: int) -> None:
    trade = purchase(100_000, fee=500)
    do(trade, "hold")
    do(trade, "deliver/1", "24")
    done = amend(trade, change)
    assert (done.cut, done.added) == (cut, added)
    finish(trade)
    assert trade.state == "fulfilled"
    assert drawn(trade, "release") + drawn(trade, "charge") == 100_000 - cut + added
    assert drawn(trade, "charge") == (100_000 - cut) // 200 + added // 200
    conserved(trade)


def test_a_new_time_is_the_new_rests_own() -> None:
    trade = purchase(100_000, late_penalty=LATE)
    do(trade, "hold")
    later = NOW + 50 * DAY
    amend(trade, Change(2, due_at=later))
    assert rules.by_key(trade, "deliver/1~1").due_at == later
    do(trade, "deliver/1~1", now=later - DAY)
    do(trade, "accept/1~1", now=later - DAY)
    assert drawn(trade, "penalty") == 0
    finish(trade, later)
    assert trade.state == "fulfilled"


def test_what_is_late_under_the_amendment_costs_its_penalty() -> None:
    trade = purchase(100_000, fee=500, late_penalty=LATE)
    do(trade, "hold")
    do(trade, "deliver/1", "24", now=NOW + 11 * DAY)  # a day late: 600.00 × 1 %
    amend(trade, Change(2, amount=50_000, due_at=NOW + 20 * DAY), now=NOW + 11 * DAY)
    do(trade, "deliver/1~1", now=NOW + 21 * DAY)  # two started days late: 500.00 × 2 %
    finish(trade, NOW + 21 * DAY)
    assert {item.key: item.done_amount for item in trade.penalties} == {"penalty": 600, "penalty~1": 1_000}
    assert drawn(trade, "release") + drawn(trade, "charge") == 110_000 - 1_600
    assert trade.state == "fulfilled"
    conserved(trade)


def test_before_it_is_paid_the_hold_itself_is_cut() -> None:
    trade = purchase(100_000, 50_000, fee=750)
    due = rules.by_key(trade, "hold").due_at
    amend(trade, Change(2, quantity=D(10)))
    assert (rules.by_key(trade, "hold").amount, rules.by_key(trade, "hold~1").amount) == (50_000, 25_000)
    assert (rules.by_key(trade, "hold~1").state, rules.by_key(trade, "hold~1").due_at) == ("due", due)
    assert not trade.steps
    finish(trade)
    assert trade.state == "fulfilled"
    assert drawn(trade, "release") + drawn(trade, "charge") == 75_000
    conserved(trade)


def test_if_nothing_of_the_old_is_left_the_options_are_of_the_new() -> None:
    trade = purchase(100_000)
    amend(trade, Change(2, amount=90_000))
    assert states(trade)["hold"] == states(trade)["release"] == "ended"
    do(trade, "hold~1")
    options.exercise(trade, "dispute", role="buyer", now=NOW)
    rules.advance(trade, NOW)
    options.exercise(trade, "decide", role="arbiter", now=NOW, amount=30_000)
    rules.advance(trade, NOW)
    assert (drawn(trade, "release"), drawn(trade, "refund")) == (30_000, 60_000)
    conserved(trade)


def test_an_arbiter_divides_all_holds() -> None:
    trade = purchase(100_000)
    do(trade, "hold")
    do(trade, "deliver/1", "10")
    amend(trade, Change(2, quantity=D(60)))
    options.exercise(trade, "dispute", role="seller", now=NOW)
    rules.advance(trade, NOW)
    with pytest.raises(Invalid) as refusal:
        options.exercise(trade, "decide", role="arbiter", now=NOW, amount=175_001)
    assert str(refusal.value.params["most"]) == "CN¥1,750.00"
    options.exercise(trade, "decide", role="arbiter", now=NOW, amount=100_000)
    rules.advance(trade, NOW)
    assert trade.state == "terminated"
    assert (drawn(trade, "release"), drawn(trade, "refund")) == (100_000, 75_000 + 75_000)
    conserved(trade)


def test_the_new_rest_can_be_rejected_and_cancelled_and_so_can_the_old() -> None:
    trade = purchase(100_000)
    do(trade, "hold")
    do(trade, "deliver/1", "24")
    amend(trade, Change(2, quantity=D(8)))
    do(trade, "deliver/1~1", "4")
    options.exercise(trade, "reject/1", role="buyer", now=NOW, quantity=D(5))
    options.exercise(trade, "reject/1~1", role="buyer", now=NOW, quantity=D(4))
    rules.advance(trade, NOW)
    assert [rules.by_key(trade, key).done_quantity for key in ("deliver/1", "deliver/1~1")] == [D(19), D(0)]
    late = NOW + 30 * DAY
    options.exercise(trade, "cancel_undelivered", role="buyer", now=late)
    rules.advance(trade, late)
    finish(trade, late)
    assert trade.state == "terminated"
    assert drawn(trade, "release") == 47_500  # 19 of 40
    conserved(trade)


def test_amended_twice() -> None:
    trade = purchase(100_000, fee=500)
    do(trade, "hold")
    amend(trade, Change(2, quantity=D(50)))
    do(trade, "deliver/1~1", "20")
    ordinal = rules.by_key(trade, "deliver/1~1").ordinal
    amend(trade, Change(ordinal, quantity=D(10), amount=20_000), number=2)
    assert rules.by_key(trade, "deliver/1~2").quantity == D(10)
    finish(trade)
    assert trade.state == "fulfilled"
    assert drawn(trade, "release") + drawn(trade, "charge") == 50_000 + 20_000
    conserved(trade)


def test_what_was_paid_for_two_halves_is_never_cut_away() -> None:
    """Half of each of two lines of one fen was accepted: together one fen is earned, paid and invoiced."""
    trade = purchase(1, 1, quantity="2")
    do(trade, "hold")
    for key in ("deliver/1", "deliver/2", "accept/1", "accept/2"):
        do(trade, key, "1")
    do(trade, "invoice")
    assert drawn(trade, "release") == 1
    amend(trade, Change(2, quantity=D(0)), Change(3, quantity=D(0)))
    assert [item.amount for item in trade.promises if item.action in ("release", "invoice")] == [2, 2]
    finish(trade)
    conserved(trade)


def refused(trade: Trade, *changes: Change) -> str:
    with pytest.raises(HuangpuError) as info:
        amending.apply(trade, changes, 1, NOW)
    return info.value.code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([], "amendment.nothing"),
        ([Change(2, quantity=D(40))], "amendment.nothing"),
        ([Change(2, quantity=D(1)), Change(2, quantity=D(2))], "amendment.nothing"),
        ([Change(1, quantity=D(1))], "amendment.not_a_delivery"),
        ([Change(99, quantity=D(1))], "amendment.not_a_delivery"),
        ([Change(2, quantity=D(-1))], "amendment.quantity"),
        ([Change(2, quantity=D("0.0000001"))], "amendment.quantity"),
        ([Change(2, quantity=D(0), amount=1)], "amendment.amount"),
        ([Change(2, quantity=D(1), amount=0)], "amendment.amount"),
        ([Change(2, due_at=NOW)], "amendment.due_at"),
        ([Change(None, D(1), 5, None, {"en": " "}, "C62")], "amendment.name"),
        ([Change(None, D(0), 5, None, {"en": "x"}, "C62")], "quantity.invalid"),
        ([Change(None, D(1), None, None, {"en": "x"}, "C62")], "amendment.amount"),
        ([Change(2, quantity=D(1), delivered=D(3))], "amendment.outdated"),
    ],
)
def test_what_cannot_be_amended(changes: Sequence[Change], code: str) -> None:
    assert refused(purchase(100_000), *changes) == code


def test_no_amendment_of_what_is_over_in_dispute_or_paid_otherwise() -> None:
    trade = purchase(100_000, 50_000)
    do(trade, "hold")
    do(trade, "deliver/1")
    assert refused(trade, Change(2, quantity=D(1))) == "amendment.over"
    options.exercise(trade, "dispute", role="seller", now=NOW)
    rules.advance(trade, NOW)
    assert refused(trade, Change(3, quantity=D(1))) == "amendment.not_open"
    line = Line("1", {"en": "x"}, D(1), "C62", 100)
    paid = pay("buyer", "seller", 100)
    assert refused(trade_of(Terms(paid, deliver("seller", "buyer", [line], after=paid))), Change(2, amount=1)) == (
        "amendment.not_possible"
    )
    held = hold("buyer", 100)
    assert refused(trade_of(Terms(held, deliver("seller", "buyer", [line], after=held))), Change(2, amount=1)) == (
        "amendment.not_possible"
    )


script = st.lists(
    st.tuples(
        st.sampled_from(["perform", "part", "part", "amend", "amend", "line", "wait", "reject", "lapse"]),
        st.integers(0, 60),
        st.integers(0, 60),
        st.integers(0, 10**6),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(
    amounts=st.lists(st.integers(1, 10**7), min_size=1, max_size=3),
    fee_ppm=st.integers(0, 100_000),
    late=st.booleans(),
    paid=st.booleans(),
    acts=script,
)
def test_whatever_is_amended_when_every_fen_stays(
    amounts: list[int], fee_ppm: int, late: bool, paid: bool, acts: list[tuple[str, int, int, int]]
) -> None:
    price = sum(amounts)
    more = {"late_penalty": LATE} if late and price > 100 else {}
    trade, now, number = purchase(*amounts, fee=price * fee_ppm // 1_000_000, **more), NOW, 0
    if paid:
        do(trade, "hold")
    agreed = price
    for verb, which, quantity, amount in acts:
        promise = trade.promises[which % len(trade.promises)]
        try:
            if verb == "wait":
                now += timedelta(days=which % 7)
            elif verb == "lapse":
                options.lapse(trade, promise.ordinal, now)
            elif verb == "reject":
                option = trade.options[which % len(trade.options)]
                if option.get("line"):
                    options.exercise(trade, option["key"], role="buyer", now=now, quantity=D(1 + quantity % 9))
            elif verb in ("amend", "line"):
                change = (
                    Change(promise.ordinal, D(quantity), amount if quantity else None)
                    if verb == "amend"
                    else Change(None, D(quantity), amount, None, {"en": "new"}, "C62")
                )
                number += 1
                done = amending.apply(trade, [change], number, now)
                agreed += done.added - done.cut
            else:
                rules.perform(
                    trade, promise.ordinal, D(quantity) if verb == "part" and promise.quantity is not None else None, None,
                    now=now,
                )  # fmt: skip
        except (Conflict, Invalid):
            continue
        rules.advance(trade, now)
        conserved(trade)
        for item in trade.promises:
            assert item.done_quantity <= (item.quantity if item.quantity is not None else 0)
            assert item.measure or item.done_amount <= (item.amount or 0), item.key
    finish(trade, now)
    conserved(trade)
    assert trade.state == "fulfilled", states(trade)
    assert drawn(trade, "release") + drawn(trade, "charge") + drawn(trade, "penalty") == agreed
    moved = Fraction(drawn(trade, "hold") - drawn(trade, "refund"))
    assert moved == agreed


def test_nothing_is_due_before_what_it_waits_for_after_an_amendment() -> None:
    trade = purchase(100_000, 70_000)
    do(trade, "hold")
    amend(trade, Change(3, quantity=D(1)), Change(None, D(2), 500, None, {"en": "new"}, "C62"))
    for item in trade.promises:
        if item.state in ("due", "done") and not item.stepwise:
            assert all(other.over for other in trade.conditions(item))
    assert states(trade)["release~1"] == "waiting"
    do(trade, "deliver/1")
    do(trade, "accept/1")
    assert drawn(trade, "release") == 100_000
