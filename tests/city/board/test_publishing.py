"""What is published: periods, shares, and what is withheld so that no firm can be seen."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from huangpu.city.board import acts, queries
from huangpu.city.board.chart import HEIGHT, WIDTH, bars

from .scripted import DAY, START, begin, whole_story

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


@pytest.mark.django_db(transaction=True)
def test_shares_and_the_saving_are_what_their_definitions_say() -> None:
    script = begin()
    whole_story(script)
    acts.catch_up()
    month, next_month = queries.figures(by="month", since=OCTOBER, until=DECEMBER)
    assert (month.period, month.agreements, next_month.period) == (OCTOBER, 0, NOVEMBER)
    assert (next_month.tendered_minor, next_month.baseline_minor) == (64_050 + 70_000 + 2 * 23_331, 70_000 + 81_003)
    assert next_month.saving_minor == 70_000 + 81_003 - 64_050 - 2 * 23_331
    assert next_month.saving_share == Decimal(next_month.saving_minor) / 151_003
    steel = queries.industries(since=OCTOBER, until=DECEMBER, currency="CNY")
    assert [(one.code, one.agreements, one.agreed_minor) for one in steel] == [("steel", 4, 180_712)]


@pytest.mark.django_db(transaction=True)
def test_an_amount_behind_which_one_firm_could_be_seen_is_withheld() -> None:
    script = begin(buyers=4, sellers=4)
    for firm in range(2):
        script.sale(firm, firm, START, 1_000)
    acts.catch_up()
    (two,) = queries.figures(by="month", since=OCTOBER, until=NOVEMBER)
    assert (two.agreements, two.agreed_minor, two.business_minor, two.tendered_share) == (2, None, None, None)
    script.sale(2, 1, START, 1_000)
    acts.catch_up()
    (one_payee_short,) = queries.figures(by="month", since=OCTOBER, until=NOVEMBER)
    assert one_payee_short.agreed_minor is None
    script.sale(2, 3, START + DAY, 1_000)
    acts.catch_up()
    (three,) = queries.figures(by="month", since=OCTOBER, until=NOVEMBER)
    assert (three.agreed_minor, three.business_share) == (4_000, 1)
    by_day = queries.figures(by="day", since=OCTOBER, until=NOVEMBER)
    assert [one.agreed_minor for one in by_day] == [None, None]  # one day alone would follow from the month
    script.tender(0, START, "10", budget=None)
    acts.catch_up()
    assert queries.figures(by="month", since=NOVEMBER, until=DECEMBER)[0].tendered_minor == 7_000


@pytest.mark.django_db(transaction=True)
def test_the_citys_amount_is_withheld_where_it_would_show_one_marketplaces() -> None:
    large, small = begin(), begin(slug="small")
    for firm in range(3):
        large.sale(firm, firm, START, 1_000)
    acts.catch_up()
    assert queries.figures(by="month", since=OCTOBER, until=NOVEMBER)[0].agreed_minor == 3_000
    small.sale(0, 0, START, 77)
    acts.catch_up()
    mine = queries.figures(by="month", since=OCTOBER, until=NOVEMBER, marketplace_id=large.market.id)
    assert mine[0].agreed_minor == 3_000
    assert queries.figures(by="month", since=OCTOBER, until=NOVEMBER)[0].agreed_minor is None
    alone = queries.figures(by="month", since=OCTOBER, until=NOVEMBER, marketplace_id=small.market.id)
    assert alone[0].agreed_minor is None


@pytest.mark.django_db(transaction=True)
def test_the_api_gives_the_city_and_a_marketplace_and_whole_months_only(client: Client) -> None:
    script = begin()
    whole_story(script)
    acts.catch_up()
    asked = "since=2026-10-20&until=2026-11-20"
    city = client.get(f"/api/v1/board?{asked}").json()
    assert (city["since"], city["until"], city["by"]) == ("2026-10-01", "2026-11-30", "month")
    assert [one["period"] for one in city["periods"]] == ["2026-10-01", "2026-11-01"]
    assert city["periods"][1]["saving_share"] == "0.2668"
    assert city["periods"][1]["flows"].keys() == {"commerce", "goods", "funds", "information", "process"}
    assert city["industries"][0]["code"] == "steel"
    days = client.get(f"/api/v1/m/steel/board?by=day&{asked}").json()
    assert days["periods"][0]["period"] == "2026-10-28"
    assert sum(one["tenders"] for one in days["periods"]) == 4
    refused = client.get("/api/v1/board?by=day&since=2026-12-01&until=2026-11-01")
    assert (refused.status_code, refused.json()["code"]) == (422, "board.period")
    assert client.get("/api/v1/m/nowhere/board").status_code == 404


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 23), 0, NOVEMBER),
        (date(2026, 11, 23), -1, DECEMBER),
        (date(2026, 12, 31), -1, date(2027, 1, 1)),
        (date(2026, 1, 31), 11, date(2025, 2, 1)),
    ],
)
def test_months_back(day: date, months: int, expected: date) -> None:
    assert queries.months_back(day, months) == expected


@given(st.lists(st.integers(-(10**9), 10**15), min_size=1, max_size=40))
def test_bars_stay_in_their_picture_and_keep_their_order(values: list[int]) -> None:
    drawn = bars([(OCTOBER + timedelta(days=place), value) for place, value in enumerate(values)])
    for one in drawn:
        assert 0 <= float(one.x) < float(one.x) + float(one.width) <= WIDTH
        assert abs(float(one.y) + float(one.height) - HEIGHT) < 0.02
    for one, other in pairwise(drawn):
        assert float(one.x) + float(one.width) <= float(other.x)
        if max(one.value, other.value) > 0 and one.value < other.value:
            assert float(one.height) <= float(other.height)
