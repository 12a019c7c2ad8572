"""Small tags of the tender's own pages: `{% load tender %}`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template

from huangpu.core.quantity import plain
from huangpu.core.web.templatetags.huangpu import money

register = template.Library()


@register.simple_tag
def given(points: dict[str, Any], bid_id: Any, code: str) -> dict[str, Any]:
    """The points given to a bid for a criterion: {"own", "count", "scores"}, or nothing."""
    found: dict[str, Any] = points.get(f"{bid_id}.{code}", {})
    return found


@register.filter
def plain_decimal(value: Decimal | None) -> str:
    """A decimal as it is typed into a field; empty if there is none."""
    return plain(value) if isinstance(value, Decimal) else ""


@register.filter
def whole_money(minor: int | str | None, currency: str) -> str:
    """Minor units that a tag has turned into text, as money."""
    return money(int(minor), currency) if minor else money(None)
