"""The front pages: what they show, in both languages, to whom, and with how many statements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from huangpu.city.board import acts
from huangpu.core import clock
from huangpu.core.names import named
from huangpu.core.web.templatetags.huangpu import percent
from huangpu.markets.auction import acts as auctions
from huangpu.markets.auction.rules import AuctionRules
from huangpu.markets.tender import acts as tenders
from huangpu.markets.tender.models import Tender

from .scripted import DAY, Script, begin, org

pytestmark = pytest.mark.django_db(transaction=True)
STATEMENTS_MAX = 12


@pytest.fixture
def script() -> Script:
    """What happened in the last days, counted."""
    cache.clear()
    made = begin()
    made.market.profile = {"jurisdiction": "CN", "markets": ["tender", "auction"]}
    made.market.save()
    ago = clock.now() - 9 * DAY
    made.tender(0, ago, "91.5", budget=70_000)
    made.tender(1, ago + DAY, "80", budget=90_000)
    made.tender(2, clock.now() - timedelta(hours=3), None, budget=123_400_000)
    acts.catch_up()
    return made


def page(path: str, language: str = "en") -> str:
    answer = Client().get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.content[:500]
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("CN¥640.50", "CN¥560.00", "25% of the budgets", "Five flows, one river", "budget CN¥1.2M")),
        ("zh-hans", ("¥640.50", "占预算的 25%", "五流合一江", "预算 ¥123.4万", "最新成交", "近30天交易额")),
    ],
)
def test_the_city_front_shows_what_is_traded_now(script: Script, language: str, words: tuple[str, ...]) -> None:
    html = page("/", language)
    tender = Tender.objects.get(stage="open")
    assert f'href="/m/steel/tenders/{tender.number}/"' in html
    assert all(one in html for one in words), [one for one in words if one not in html]
    assert html.count('class="hp-strand"') == 5
    for firm in [*script.buyers, *script.sellers]:
        assert str(org(firm)) not in html


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("E-Commerce Law, article 46", "0.2 % of a trade", "No tender is open", "These figures as data")),
        ("zh-hans", ("《电子商务法》第四十六条", "暂无招标中的项目", "法律依据")),
    ],
)
def test_a_marketplace_front_shows_its_figures_its_rules_and_the_law(
    script: Script, language: str, words: tuple[str, ...]
) -> None:
    open_one = Tender.objects.get(stage="open")
    tenders.cancel(actor=script.buyers[2], tender_id=open_one.id, reason="changed", now=clock.now())
    acts.catch_up()
    html = page("/m/steel/", language)
    assert all(one in html for one in words), [one for one in words if one not in html]
    script.market.profile = {"jurisdiction": "MD", "markets": ["tender"]}
    script.market.save()
    assert words[0] not in page("/m/steel/", language)


def test_a_live_auction_is_shown_with_its_lead_and_a_restricted_one_is_not(script: Script) -> None:
    for shown in (True, False):
        auctions.schedule(
            actor=script.buyers[0], marketplace_id=script.market.id, subject_id=script.market.id, lot_id=None,
            currency="CNY", bidders=[(org(script.sellers[0]), "A", 4_242_00)], rules=AuctionRules(duration_s=600),
            opens_at=clock.now(), now=clock.now() - timedelta(seconds=1), is_public=shown,
            title=named("公开", "To be seen") if shown else named("不公开", "Not to be seen"),
        )  # fmt: skip
    for path in ("/", "/m/steel/"):
        html = page(path)
        assert "To be seen" in html
        assert "CN¥4,242.00" in html
        assert "Not to be seen" not in html


def test_an_empty_city_has_a_front_page_too() -> None:
    cache.clear()
    html = page("/")
    assert "No marketplace yet" in html
    assert "No tender is open" in html


def statements(path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        page(path)
    asked = [one["sql"] or "(already prepared)" for one in caught.captured_queries]
    assert len(asked) <= STATEMENTS_MAX, "\n".join(sql[:120] for sql in asked)
    return len(asked)


def test_the_front_page_takes_as_many_statements_for_a_large_city_as_for_a_small_one(script: Script) -> None:
    page("/")  # what is remembered between requests, is now
    small = statements("/"), statements("/m/steel/")
    for number in range(5):
        more = begin(slug=f"more-{number}")
        more.tender(0, clock.now() - 8 * DAY, "70", budget=60_000)
        more.tender(1, clock.now() - timedelta(hours=1), None, budget=None)
        more.sale(0, 1, clock.now() - DAY, 1_000)
    acts.catch_up()
    assert (statements("/"), statements("/m/steel/")) == small
    assert page("/").count("hp-market-card") == 6
    assert script.market.slug in page("/")


def test_a_percentage_has_as_many_decimals_as_it_is_asked_for() -> None:
    assert (percent(0.24969, 1), percent(0.5, 1), percent(-0.1071, 1)) == ("25%", "50%", "-10.7%")
    assert percent(0.24969) == "24.97%"
