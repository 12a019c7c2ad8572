"""Template tags of every page: `{% load huangpu %}`. docs/explanation/design-language.md shows each in use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta
from babel.numbers import format_compact_currency, format_decimal, format_percent
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from huangpu.core import clock
from huangpu.core.ids import uuid7
from huangpu.core.money import Money
from huangpu.core.names import in_language
from huangpu.core.quantity import Quantity
from huangpu.core.web import status as states
from huangpu.core.web.lanes import LANES, STATES, Mark, draw
from huangpu.core.words import locale, spell, spell_quantity

register = template.Library()
NOTHING = "–"


@register.filter
def money(amount: Money | int | None, currency: str = "") -> str:
    """Minor units with their currency, or a Money: `{{ line.amount|money:line.currency }}` is «¥1,234.50»."""
    if amount is None:
        return NOTHING
    value = amount if isinstance(amount, Money) else Money(int(amount), currency)
    return value.text(locale())


@register.filter
def quantity(value: Quantity | Decimal | str | None, unit: str = "") -> str:
    """A quantity with its unit in the reader's language: `{{ line.quantity|quantity:line.unit }}` is «12.5 t»."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, Quantity):
        exact, unit = value.value, value.unit
    else:
        exact = Decimal(value)
    return spell_quantity(exact, unit)


@register.filter
def number(value: Decimal | int | float | None) -> str:
    """A plain number with the reader's digit grouping."""
    return NOTHING if value is None else format_decimal(value, locale=locale())


@register.filter
def percent(share: Decimal | float | None, decimals: int = 2) -> str:
    """A share of one as a percentage with at most two decimals, or fewer: 0.0574 is «5.74%», by `share|percent:1` «5.7%»."""
    if share is None:
        return NOTHING
    return format_percent(round(Decimal(str(share)), decimals + 2), format="#,##0.##%", locale=locale())


@register.filter
def ppm(millionths: int | None) -> str:
    """Millionths as a percentage: 5000 is «0.5%»."""
    return percent(None if millionths is None else Decimal(millionths) / 1_000_000)


@register.filter
def name(names: dict[str, str] | Any) -> str:
    """A name in the reader's language: `{{ organisation.name|name }}`, or of any object that has a `name`."""
    if names is None:
        return ""
    if isinstance(names, dict):
        return in_language(names)
    inner = getattr(names, "name", None)
    return in_language(inner) if isinstance(inner, dict) else str(inner or names)


@register.filter
def when(instant: datetime | date | None, form: str = "minute") -> SafeString | str:
    """An instant in the marketplace's zone, as <time>. Forms: minute (default), second, day, short, time, full, relative;
    plain is the minute without markup, for attributes.
    """
    if instant is None:
        return NOTHING
    if form == "plain" and isinstance(instant, datetime):
        return spell(instant, "minute")
    if not isinstance(instant, datetime):
        return format_html('<time datetime="{}">{}</time>', instant.isoformat(), format_date(instant, locale=locale()))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', machine(instant), spell(instant, "full"), spell(instant, form)
    )


def machine(instant: datetime) -> str:
    """The instant for machines, UTC to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.filter
def duration(value: timedelta | int | None) -> str:
    """A length of time (or a number of seconds) in its largest unit: «3 days»."""
    if value is None:
        return NOTHING
    return format_timedelta(value, threshold=1.2, locale=locale())


@register.filter(name="status")
def status_filter(code: str, vocabulary: str = "") -> SafeString:
    """The badge of a state: `{{ tender.stage|status:"tender" }}`. The vocabulary is registered in core.web.status."""
    state = states.state_of(code, vocabulary)
    return badge(state.kind, state.word)


@register.simple_tag
def badge(kind: str, word: Any) -> SafeString:
    """A badge with a word of your own: `{% badge "due" _("Answer by Friday") %}`."""
    return format_html(
        '<span class="hp-status hp-status-{}">{}{}</span>', kind, icon(states.ICONS.get(kind, "info")), word
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite. Without a label it is decoration; with one it is a picture that is read out."""
    address = f"{static('vendor/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="hp-icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, address
        )
    return format_html('<svg class="hp-icon" aria-hidden="true"><use href="{}"></use></svg>', address)


@register.simple_tag
def once() -> SafeString:
    """The hidden key that makes a form's act happen once, however often it is sent. In every form that changes something."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid7())


@register.simple_tag
def countdown(until: datetime, ended: str = "") -> SafeString:
    """The time left until an instant by the server's clock; it ticks where scripts run and is a plain sentence elsewhere."""
    left = until - clock.now()
    words = _("ended") if left <= timedelta() else format_timedelta(left, locale=locale())
    return format_html(
        '<time class="hp-countdown" datetime="{}" data-countdown data-ended="{}" data-day="{}">{}</time>',
        until.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        ended or _("ended"),
        _("d"),
        words,
    )


@register.simple_tag
def server_now() -> str:
    """The server's clock, for the page's own: milliseconds since 1970."""
    return str(int(clock.now().timestamp() * 1000))


@register.simple_tag(takes_context=True)
def address_with(context: dict[str, Any], **changes: Any) -> str:
    """This page's query string with some parameters changed, or removed when empty: `href="{% address_with page=2 %}"`."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.inclusion_tag("web/lanes.html")
def lanes(marks: Sequence[Mark], title: str = "", prefix: str = "lanes") -> dict[str, Any]:
    """The picture of a trade: `{% lanes marks title %}` with a list of core.web.lanes.Mark; a list for phones and readers."""
    words = {state: str(states.state_of(state).word) for state in STATES}
    zone = ZoneInfo(timezone.get_current_timezone_name())
    picture = draw(marks, now=clock.now(), zone=zone, locale=locale(), words=words, prefix=prefix)
    return {
        "title": title or _("The five flows of this trade over time"),
        "picture": picture,
        "names": lane_names(),
        "legend": [(state, words[state], count) for state, count in picture.counts if count],
    }


def lane_names() -> list[tuple[str, str, str]]:
    """The lanes in the reader's language, and in Chinese beside it where that is another."""
    chinese = {"commerce": "商流", "goods": "物流", "funds": "资金流", "information": "信息流", "process": "业务流"}
    words = {
        "commerce": _("Commerce"),
        "goods": _("Goods"),
        "funds": _("Funds"),
        "information": _("Information"),
        "process": _("Process"),
    }
    return [(name, words[name], "" if words[name] == chinese[name] else chinese[name]) for name in LANES]


@register.inclusion_tag("web/parts/field.html")
def field(name: str, label: Any, value: Any = "", **options: Any) -> dict[str, Any]:
    """A labelled field with its hint and its error: `{% field "price" label value error=errors.price unit="CNY" %}`.

    Options: type (text, number, date, checkbox, file, password, …), hint, error (a HuangpuError or a sentence), unit, choices
    [(value, word)], lines (a text of several lines), required, optional, inputmode, min, max, step, maxlength,
    autocomplete, placeholder, id.
    """
    return {"name": name, "label": label, "value": value, **options}


@register.filter
def money_short(amount: Money | int | None, currency: str = "") -> str:
    """Money for a tile, shortened: «CN¥24.1B», «¥241亿». Never where an exact amount is meant."""
    if amount is None:
        return NOTHING
    value = amount if isinstance(amount, Money) else Money(int(amount), currency)
    if abs(value.major) < 10_000:
        return value.text(locale())
    return format_compact_currency(value.major, value.currency, locale=locale(), fraction_digits=1)


@register.filter
def error_of(errors: dict[str, Any] | None, field: str) -> Any:
    """What is wrong with a field, from a mapping field → error; empty when nothing is."""
    return (errors or {}).get(field, "")
