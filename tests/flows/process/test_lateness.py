"""The penalty for late delivery: the rule by worked tables, its bounds as properties, and whole trades down to the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from huangpu.core.errors import Conflict, Invalid
from huangpu.flows.commerce.terms import Line, Terms, TermsError, accept, days, deliver, hold, penalty, release
from huangpu.flows.funds.models import Transfer
from huangpu.flows.process import acts, options, rules
from huangpu.flows.process.lateness import Rate
from huangpu.flows.process.lateness import penalty as cost
from huangpu.flows.process.rules import Trade
from huangpu.sectors.manufacturing.terms import purchase_terms

from .test_rules import NOW, check, trade_of, use_option
from .test_trades import City, city, conclude, consistent, do  # noqa: F401

D = Decimal
WEEK, DAY = timedelta(days=7), timedelta(days=1)
WEEKLY = Rate(Fraction(5, 1000), "week", Fraction(5, 100))
TERMS = {"rate": "0.005", "per": "week", "cap": "0.05"}


@pytest.mark.parametrize(
    ("late", "per", "share"),
    [
        (-timedelta(microseconds=1), "week", "0"),
        (timedelta(0), "week", "0.005"),  # the instant itself is over: a week has begun
        (WEEK - timedelta(microseconds=1), "week", "0.005"),
        (WEEK, "week", "0.01"),
        (9 * WEEK, "week", "0.05"),
        (900 * WEEK, "week", "0.05"),
        (DAY - timedelta(microseconds=1), "day", "0.005"),
        (DAY, "day", "0.01"),
        (9 * DAY, "day", "0.05"),
    ],
)
def test_each_started_period_costs_its_rate_up_to_the_cap(late: timedelta, per: str, share: str) -> None:
    assert Rate(Fraction(5, 1000), per, Fraction(5, 100)).share(NOW, NOW + late) == Fraction(share)


@pytest.mark.parametrize(
    ("arrivals", "accepted", "expected"),
    [
        # of 40 pieces worth 1,000.00 in all, due at week 0
        ([(-1, "40")], "40", 0),
        ([(0, "40")], "40", 500),  # one started week: 0.5 %
        ([(-1, "24"), (0, "16")], "40", 200),  # only the 16 are late: 400.00 × 0.5 %
        ([(-1, "24"), (0, "16")], "24", 0),  # what came first is accepted first
        ([(-1, "24"), (0, "16")], "25", 13),  # 25.00 × 0.5 % = 0.125, half up
        ([(0, "20"), (3, "20")], "40", 1250),  # 500.00 × 0.5 % + 500.00 × 2 %
        ([(20, "40")], "40", 5000),  # the cap: 5 %
        ([(-1, "40"), (-1, "-16"), (1, "16")], "40", 400),  # rejected and brought again two started weeks late
        ([(-1, "24"), (1, "16"), (1, "-16")], "24", 0),  # rejected and never brought again
        ([(-1, "10"), (0, "10"), (0, "-15"), (2, "35")], "40", 1313),  # 5 in time, 35 at 1.5 %: 13.125, half up
    ],
)
def test_parts_that_come_late_cost_in_proportion(arrivals: list[tuple[int, str]], accepted: str, expected: int) -> None:
    found = cost(
        amount=100_000, quantity=D(40), accepted=D(accepted), due=NOW, rate=WEEKLY,
        arrivals=[(NOW + weeks * WEEK, D(quantity)) for weeks, quantity in arrivals],
    )  # fmt: skip
    assert found == expected


@settings(max_examples=300)
@given(
    amount=st.integers(1, 10**12),
    quantity=st.decimals(min_value="0.000001", max_value="1000", places=6),
    cuts=st.lists(st.tuples(st.fractions(0, 1), st.integers(-5, 400)), max_size=8),
    rate=st.fractions(Fraction(1, 10_000), Fraction(1, 2)),
    more=st.fractions(1, 20),
)
def test_never_above_the_cap_and_never_less_as_more_is_accepted(
    amount: int, quantity: Decimal, cuts: list[tuple[Fraction, int]], rate: Fraction, more: Fraction
) -> None:
    cap = min(rate * more, Fraction(1))
    arrivals, rest = [], quantity
    for cut, late in sorted(cuts, key=lambda one: one[1]):
        part = (rest * cut.numerator / cut.denominator).quantize(rules.MICRO)
        if 0 < part <= rest:
            arrivals.append((NOW + late * DAY, part))
            rest -= part
    before, accepted = 0, D(0)
    for _at, part in arrivals:
        accepted += part
        now = cost(
            amount=amount, quantity=quantity, accepted=accepted, due=NOW, arrivals=arrivals, rate=Rate(rate, "day", cap)
        )
        assert before <= now <= amount * cap
        before = now


acted = st.lists(
    st.tuples(
        st.sampled_from(["perform", "part", "lapse", "option", "wait"]),
        st.integers(0, 40),
        st.fractions(0, 1),
        st.integers(0, 9),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(
    amounts=st.lists(st.integers(100, 10**9), min_size=1, max_size=3),
    fee_ppm=st.integers(0, 100_000),
    by_hand=st.booleans(),
    per=st.sampled_from(["day", "week"]),
    rate=st.integers(1, 30),
    acts=acted,
)
def test_whatever_the_parties_do_penalties_stay_within_cap_and_hold(
    amounts: list[int], fee_ppm: int, by_hand: bool, per: str, rate: int, acts: list[tuple[str, int, Fraction, int]]
) -> None:
    price = sum(amounts)
    parameters = {
        "lines": [
            {"key": str(n), "name": {"en": "x"}, "quantity": "9", "unit": "C62", "amount": amount}
            for n, amount in enumerate(amounts, 1)
        ],
        "fee": price * fee_ppm // 1_000_000, "pay_within": 3, "deliver_within": 1, "inspect_within": 2,
        "release_by_hand": by_hand, "late_penalty": {"rate": f"0.{rate:03d}", "per": per, "cap": "0.3"},
    }  # fmt: skip
    trade, now = trade_of(purchase_terms(parameters)), NOW
    for verb, which, portion, choice in acts:
        promise = trade.promises[which % len(trade.promises)]
        try:
            if verb == "wait":
                now += timedelta(days=which)
            elif verb == "lapse":
                options.lapse(trade, promise.ordinal, now)
            elif verb == "option":
                use_option(trade, which, portion, choice, now)
            else:
                quantity = D(1 + choice % 3) if verb == "part" and promise.quantity is not None else None
                rules.perform(trade, promise.ordinal, quantity, None, now=now)
        except (Conflict, Invalid):
            pass
        rules.advance(trade, now)
        check(trade)
        [due] = trade.penalties
        accepted = sum(
            ((item.amount or 0) * item.progress for item in trade.promises if item.action == "accept"), Fraction(0)
        )
        assert 0 <= due.done_amount <= price * Fraction(3, 10)
        assert due.done_amount <= accepted * Fraction(3, 10) + len(amounts)
        proceeds = rules.by_key(trade, "release")
        assert (proceeds.amount or 0) + due.done_amount == price - parameters["fee"], (
            "what is not released is a penalty"
        )


def late_trade(amount: int = 100_000, quantity: str = "40", **more: object) -> Trade:
    line = {"key": "1", "name": {"en": "x"}, "quantity": quantity, "unit": "C62", "amount": amount}
    trade = trade_of(
        purchase_terms(
            {"lines": [line], "fee": 500, "pay_within": 3, "deliver_within": 10, "inspect_within": 2,
             "late_penalty": TERMS, **more}
        )
    )  # fmt: skip
    rules.perform(trade, 1, None, None, now=NOW)
    rules.advance(trade, NOW)
    return trade


def step(trade: Trade, key: str, quantity: str, at: datetime) -> None:
    rules.perform(trade, rules.by_key(trade, key).ordinal, D(quantity), None, now=at)
    rules.advance(trade, at)


def drawn(trade: Trade) -> dict[str, int]:
    return {item.key: item.done_amount for item in trade.promises if item.draws and item.done_amount}


def test_half_in_time_and_half_a_week_late() -> None:
    trade = late_trade()
    due = rules.by_key(trade, "deliver/1").due_at
    assert due is not None
    step(trade, "deliver/1", "20", due - DAY)
    step(trade, "accept/1", "20", due - DAY)
    assert drawn(trade) == {"release": 49_750, "charge": 250}
    step(trade, "deliver/1", "20", due + DAY)
    assert trade.penalties[0].state == "waiting"
    step(trade, "accept/1", "20", due + 5 * WEEK)  # that the buyer takes its time costs the seller nothing
    assert drawn(trade) == {"penalty": 250, "release": 99_250, "charge": 500}
    assert (trade.penalties[0].state, rules.by_key(trade, "release").state) == ("done", "done")
    assert trade.held(trade.promise(1)) == 0


def test_in_time_nothing_is_owed_and_the_trade_is_fulfilled() -> None:
    trade = late_trade()
    step(trade, "deliver/1", "40", NOW)
    step(trade, "accept/1", "40", NOW)
    rules.perform(trade, rules.by_key(trade, "invoice").ordinal, None, None, now=NOW)
    rules.advance(trade, NOW)
    assert (trade.penalties[0].state, trade.state) == ("ended", "fulfilled")


def test_lateness_counts_from_the_first_time_even_if_what_came_in_time_is_rejected() -> None:
    trade = late_trade()
    due = rules.by_key(trade, "deliver/1").due_at
    assert due is not None
    step(trade, "deliver/1", "40", due - DAY)
    options.exercise(trade, "reject/1", role="buyer", now=due - DAY)
    rules.advance(trade, due - DAY)
    again = rules.by_key(trade, "deliver/1").due_at
    assert again is not None
    assert again > due + WEEK
    step(trade, "deliver/1", "40", due + WEEK)
    step(trade, "accept/1", "40", due + WEEK)
    assert drawn(trade)["penalty"] == 1_000


def test_what_is_cancelled_pays_the_penalty_of_what_came_and_returns_the_rest() -> None:
    trade = late_trade()
    due = rules.by_key(trade, "deliver/1").due_at
    assert due is not None
    step(trade, "deliver/1", "10", due)
    options.exercise(trade, "cancel_undelivered", role="buyer", now=due)
    rules.advance(trade, due)
    step(trade, "accept/1", "10", due)
    assert drawn(trade) == {"penalty": 125, "release": 24_750, "charge": 125, "refund_undelivered": 75_000}


def test_a_penalty_that_contradicts_its_contract_is_found_when_it_is_built() -> None:
    line = Line("1", {"en": "x"}, D(1), "C62", 100)
    paid = hold("buyer", 100)
    sent = deliver("seller", "buyer", [line], after=paid, due=days(1))
    taken = accept("buyer", sent)
    out = release("buyer", "seller", 100, draws=paid, after=taken)

    def terms(rate: str, cap: str, per: str = "day") -> Terms:
        due = penalty("seller", "buyer", out_of=out, rate=D(rate), per=per, cap=D(cap), after=taken)
        return Terms(paid, sent, taken, due, out)

    assert [clause.key for clause in terms("0.1", "0.5").clauses][3] == "penalty"
    for rate, cap, per in (("0", "0.1", "day"), ("0.2", "0.1", "day"), ("0.1", "0.2", "month"), ("0.1", "2", "day")):
        with pytest.raises(TermsError, match="not a rate"):
            terms(rate, cap, per)
    with pytest.raises(TermsError, match="leave nothing"):
        terms("0.1", "1")
    due = penalty("seller", "buyer", out_of=out, rate=D("0.1"), per="day", cap=D("0.5"), after=taken)
    with pytest.raises(TermsError, match="before the draw"):
        Terms(paid, sent, taken, out, due)
    timeless = deliver("seller", "buyer", [line], after=paid)
    checked = accept("buyer", timeless)
    with pytest.raises(TermsError, match="have a time"):
        Terms(
            paid,
            timeless,
            checked,
            penalty("seller", "buyer", out_of=out, rate=D("0.1"), per="day", cap=D("0.5"), after=checked),
            release("buyer", "seller", 100, draws=paid, after=checked),
        )


def test_a_late_trade_to_the_last_fen(city: City) -> None:  # noqa: F811
    trade = conclude(city, late_penalty=TERMS)
    do(city, trade, "hold")
    due = acts.store.load(trade.id).promise(2).due_at
    assert due is not None
    do(city, trade, "deliver", "4", now=due - DAY)
    do(city, trade, "accept", now=due - DAY)
    assert city.worth(city.seller) == (39_800, 0)
    do(city, trade, "deliver", "6", now=due + WEEK)
    do(city, trade, "accept", now=due + 2 * WEEK)
    # 600.00 two started weeks late: 1 % is 6.00
    assert city.worth(city.seller) == (99_500 - 600, 0)
    assert city.worth(city.buyer) == (10_000_000 - 100_000 + 600, 0)
    assert list(Transfer.objects.filter(kind="penalty").values_list("amount", flat=True)) == [600]
    assert do(city, trade, "invoice", number="INV-1", now=due + 2 * WEEK).state == "fulfilled"
    assert not consistent()


def test_without_a_penalty_an_act_is_as_many_statements_as_before(city: City) -> None:  # noqa: F811
    for late, statements in ((None, 2), (TERMS, 3)):
        trade = conclude(city, late_penalty=late)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            do_hold(city, trade)
        assert len([one for one in seen if "SAVEPOINT" not in str(one["sql"])]) == statements


def do_hold(city: City, trade: Trade) -> None:  # noqa: F811
    acts.perform(actor=city.actor(city.buyer), agreement_id=trade.id, parts=[acts.Part(1)], now=NOW)


def test_verify_finds_a_penalty_above_its_cap(city: City) -> None:  # noqa: F811
    trade = conclude(city, late_penalty=TERMS)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE commerce_commitment SET amount = 5001, done_amount = 5001 WHERE agreement_id = %s AND action = 'penalty'",
            [trade.id],
        )
    assert any("above their cap" in found for found in consistent())
