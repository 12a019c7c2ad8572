"""The rules against their naive twins: scores in long fractions, prices spread by hand, savings as written in the docs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.ids import uuid7
from huangpu.core.money import line_total
from huangpu.markets.tender import rules
from huangpu.markets.tender.rules import Contender, Criterion, Saving

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@st.composite
def evaluations(draw: st.DrawFn) -> tuple[list[Contender], list[Criterion]]:
    weights = draw(st.lists(st.integers(1, 200), max_size=4))
    criteria = [Criterion(f"c{n}", {}, weight, draw(st.integers(1, 1000))) for n, weight in enumerate(weights)]
    evaluators = draw(st.integers(1, 3))
    contenders = []
    for number in range(1, draw(st.integers(1, 7)) + 1):
        price = draw(st.integers(1, 30) | st.integers(1, 10**12))
        points = {
            c.code: [
                draw(st.decimals(0, c.best, places=3, allow_nan=False, allow_infinity=False)) for _ in range(evaluators)
            ]
            for c in criteria
        }
        received = START + timedelta(microseconds=draw(st.integers(0, 3)))
        contenders.append(Contender(uuid7(), number, uuid7(), received, price, price, points))
    return contenders, criteria


def naive_order(contenders: list[Contender], criteria: list[Criterion]) -> list[int]:
    """By the words of the documentation: cross-multiplied integers, best picked again and again."""
    lowest = min(c.price_minor for c in contenders)

    def numerator_and_denominator(c: Contender) -> tuple[int, int]:
        n, d = (1000 - sum(k.weight for k in criteria)) * lowest, 1000 * c.price_minor
        for k in criteria:
            thousandths = sum(int(p * 1000) for p in c.points[k.code])
            kn, kd = k.weight * thousandths, 1000 * 1000 * len(c.points[k.code]) * k.best
            n, d = n * kd + kn * d, d * kd
        return n, d

    left, order = list(contenders), []
    while left:
        best = left[0]
        for other in left[1:]:
            (bn, bd), (on, od) = numerator_and_denominator(best), numerator_and_denominator(other)
            if on * bd > bn * od or (
                on * bd == bn * od and (other.received_at, other.bid_id) < (best.received_at, best.bid_id)
            ):
                best = other
        order.append(best.number)
        left.remove(best)
    return order


@given(evaluations())
def test_ranking_is_the_naive_one_and_the_file_recomputes_it(case: tuple[list[Contender], list[Criterion]]) -> None:
    contenders, criteria = case
    ranked = rules.rank(contenders, criteria)
    assert [r.contender.number for r in ranked] == naive_order(contenders, criteria)
    assert [r.rank for r in ranked] == list(range(1, len(contenders) + 1))
    assert all(0 < r.score <= 1 for r in ranked)
    file = rules.evaluation_file(tender="T", lot=1, currency="CNY", criteria=criteria, ranked=ranked)
    again = rules.recompute(file)
    assert [(r.contender.bid_id, r.score, r.rank) for r in again] == [
        (r.contender.bid_id, r.score, r.rank) for r in ranked
    ]
    assert rules.file_hash(file) == rules.file_hash(dict(reversed(file.items())))


@given(evaluations())
def test_without_criteria_the_lowest_price_wins_whatever_else_is_told(case: tuple[list[Contender], Any]) -> None:
    contenders, _criteria = case
    first = rules.rank(contenders, [])[0].contender
    assert first.price_minor == min(c.price_minor for c in contenders)


def test_the_worked_table_of_the_documentation() -> None:
    criteria = [Criterion("quality", {}, 300, 100), Criterion("service", {}, 100, 10)]
    table = [(950_000, 70, 8), (1_000_000, 95, 9), (1_200_000, 100, 10)]
    contenders = [
        Contender(uuid7(), n, uuid7(), START, price, price, {"quality": [Decimal(q)], "service": [Decimal(s)]})
        for n, (price, q, s) in enumerate(table, 1)
    ]
    ranked = rules.rank(contenders, criteria)
    assert [(r.contender.number, r.score) for r in ranked] == [
        (2, Fraction(189, 200)),
        (1, Fraction(89, 100)),
        (3, Fraction(7, 8)),
    ]


@given(
    lines=st.lists(
        st.tuples(
            st.decimals("0.001", "100000", places=3),
            st.decimals("0.01", "100000", places=4),
        ),
        min_size=1,
        max_size=12,
    ),
    cut_ppm=st.integers(0, 900_000),
    currency=st.sampled_from(["CNY", "JPY", "KWD"]),
)
def test_the_lines_sum_to_the_final_price_always(
    lines: list[tuple[Decimal, Decimal]], cut_ppm: int, currency: str
) -> None:
    named = [(str(n), quantity, price) for n, (quantity, price) in enumerate(lines)]
    opening = sum(line_total(quantity, price, currency) for _n, quantity, price in named)
    final = opening - opening * cut_ppm // 1_000_000
    if final <= 0:
        return
    priced = rules.final_lines(named, currency, final)
    assert sum(line.amount_minor for line in priced) == final
    assert all(line.amount_minor >= 0 for line in priced)
    unchanged = rules.final_lines(named, currency, None)
    assert [line.unit_price for line in unchanged] == [price for _n, _q, price in named]


@pytest.mark.parametrize(
    ("saving", "baseline", "saved", "ppm"),
    [
        (Saving(1_000_000, 950_000, 900_000), "budget", 100_000, 100_000),
        (Saving(None, 950_000, 900_000), "opening", 50_000, 52_631),
        (Saving(1_000_000, 950_000, 900_000, 900_000, 890_000), "budget", 110_000, 110_000),
        (Saving(900_000, 1_000_000, 1_000_000), "budget", -100_000, -111_111),
        (Saving(None, None, None), None, None, None),
        (Saving(1_000_000, None, None), "budget", None, None),
    ],
)
def test_savings(saving: Saving, baseline: str | None, saved: int | None, ppm: int | None) -> None:
    assert (saving.baseline or (None,))[0] == baseline
    assert (saving.saved_minor, saving.saved_ppm) == (saved, ppm)


def test_the_standstill_ends_with_a_local_day() -> None:
    friday = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)  # 15:00 in Shanghai
    assert rules.standstill_end(friday, 0, False) == friday
    assert rules.standstill_end(friday, 1, False) == datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    assert rules.standstill_end(friday, 1, True) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # over the weekend
