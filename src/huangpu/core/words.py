"""How amounts, instants and names are told to a person: in the reader's language, at once or (for an error that is raised now
and read later) when they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import get_language

from .clock import now
from .money import Money
from .names import in_language
from .quantity import unit_name

PATTERNS = {  # of an instant: English, Chinese
    "minute": ("d MMM y, HH:mm", "y年M月d日 HH:mm"),
    "second": ("d MMM y, HH:mm:ss", "y年M月d日 HH:mm:ss"),
    "day": ("d MMM y", "y年M月d日"),
    "short": ("d MMM, HH:mm", "M月d日 HH:mm"),
    "time": ("HH:mm", "HH:mm"),
}


def language() -> str:
    """The language that is read and typed: one of those a name has."""
    return "zh-hans" if (get_language() or "en").startswith("zh") else "en"


def locale() -> str:
    """Babel's name of the reader's language."""
    return "zh_Hans_CN" if language() == "zh-hans" else "en"


def spell_money(minor: int, currency: str) -> str:
    """«CN¥1,250.00», «¥1,250.00»."""
    return Money(minor, currency).text(locale())


def spell_quantity(value: Decimal, unit: str = "") -> str:
    """«12.5 t», «12.5 吨»."""
    number = format_decimal(value, format="#,##0.######", locale=locale())
    return f"{number} {unit_name(unit)}" if unit else number


def spell(instant: datetime, form: str = "minute") -> str:
    """The instant in the zone of the page (UTC where there is none). Forms: those of `PATTERNS`, full, relative."""
    if form == "relative":
        return format_timedelta(instant - now(), add_direction=True, locale=locale())
    zone = timezone.get_current_timezone() or UTC
    if form == "full":
        return f"{format_datetime(instant, 'y-MM-dd HH:mm:ss', tzinfo=zone, locale=locale())} {zone}"
    return format_datetime(instant, PATTERNS[form][locale() != "en"], tzinfo=zone, locale=locale())


def spell_list(words: Iterable[Any]) -> str:
    """«a, b», «a、b»."""
    return (", " if locale() == "en" else "、").join(map(str, words))


# the same when it is shown
money_text: Callable[[int, str], str] = lazy(spell_money, str)
quantity_text: Callable[[Decimal, str], str] = lazy(spell_quantity, str)
instant_text: Callable[[datetime], str] = lazy(spell, str)
name_text: Callable[[dict[str, str]], str] = lazy(in_language, str)
_list_text: Callable[[tuple[Any, ...]], str] = lazy(spell_list, str)


def list_text(words: Iterable[Any]) -> str:
    """The words, which may themselves be made when they are shown."""
    return _list_text(tuple(words))
