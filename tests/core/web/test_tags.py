"""What the template tags write, in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from huangpu.core.errors import Invalid
from huangpu.core.money import Money
from huangpu.core.quantity import Quantity


def written(source: str, language: str = "en", **context: object) -> str:
    with translation.override(language), timezone.override(ZoneInfo("Asia/Shanghai")):
        return Template("{% load huangpu %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("source", "english", "chinese"),
    [
        ("{{ amount|money:'CNY' }}", "CN¥1,234.50", "¥1,234.50"),
        ("{{ cash|money }}", "¥500", "JP¥500"),
        ("{{ nothing|money:'CNY' }}", "–", "–"),
        ("{{ large|money_short:'CNY' }}", "CN¥24.1B", "¥241亿"),
        ("{{ coils|quantity }}", "12.5 t", "12.5 吨"),
        ("{{ '1200.000000'|quantity:'KGM' }}", "1,200 kg", "1,200 千克"),
        ("{{ share|percent }}", "5.7%", "5.7%"),
        ("{{ names|name }}", "Baoshan Steel", "宝山钢铁"),
        ("{{ half_named|name }}", "宝山钢铁", "宝山钢铁"),
        ("{{ day|when }}", '<time datetime="2026-03-01">Mar 1, 2026</time>', "2026年3月1日"),
        ("{{ three_days|duration }}", "3 days", "3天"),
    ],
)
def test_values_are_written_in_the_readers_language(source: str, english: str, chinese: str) -> None:
    values = {
        "amount": 123450,
        "cash": Money(500, "JPY"),
        "nothing": None,
        "large": 2_410_000_000_000,
        "coils": Quantity(Decimal("12.5"), "TNE"),
        "share": Decimal("0.057"),
        "names": {"zh-hans": "宝山钢铁", "en": "Baoshan Steel"},
        "half_named": {"zh-hans": "宝山钢铁"},
        "day": date(2026, 3, 1),
        "three_days": timedelta(days=3),
    }
    assert written(source, "en", **values) == english
    assert chinese in written(source, "zh-hans", **values)


def test_an_instant_is_shown_in_the_zone_of_the_page_and_given_to_machines_in_utc() -> None:
    html = written("{{ at|when }}", at=datetime(2026, 3, 1, 16, 30, tzinfo=UTC))
    assert 'datetime="2026-03-01T16:30:00Z"' in html
    assert ">2 Mar 2026, 00:30<" in html
    assert "Asia/Shanghai" in html


def test_a_form_gets_a_new_key_each_time() -> None:
    first, second = written("{% once %}"), written("{% once %}")
    assert 'type="hidden" name="idempotency_key"' in first
    assert first != second


def test_a_status_has_an_icon_and_a_word_and_an_unknown_code_is_shown_safely() -> None:
    html = written("{{ 'late'|status }}")
    assert "Late" in html
    assert "#triangle-alert" in html
    assert "&lt;b&gt;" in written("{{ code|status }}", code="<b>")


def test_a_countdown_carries_its_end_for_the_script_and_words_for_everybody_else() -> None:
    until = timezone.now() + timedelta(days=3, hours=1)
    html = written("{% countdown until %}", until=until)
    assert "data-countdown" in html
    assert ">3 days<" in html
    assert ">ended<" in written("{% countdown until %}", until=until - timedelta(days=9))


def test_a_field_shows_the_error_beside_it_and_escapes_what_was_typed() -> None:
    wrong = Invalid("amount.invalid", "“%(value)s” is not an amount.", value="<x>")
    html = written('{% field "price" "Price" value error=wrong unit="CNY" required=True %}', value='"><x>', wrong=wrong)
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="h-price"' in html
    assert "“&lt;x&gt;” is not an amount." in html
    assert "<x>" not in html


def test_an_address_keeps_the_other_parameters() -> None:
    request = RequestFactory().get("/", {"q": "钢", "cursor": "9"})
    assert written("{% address_with cursor='' page=2 %}", request=request) == "?q=%E9%92%A2&amp;page=2"
