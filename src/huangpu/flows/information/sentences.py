"""What notices say. A room declares its sentences in its `notices.py`; they are made in each reader's language.

    # notices.py of a room
    declare({"tender.published": _("New tender: %(title)s. Bids are taken until %(due)s.")})

Parameters are plain JSON. Three shapes are written for the reader: a name in several languages ({"en": …, "zh-hans": …}),
an amount ({"minor": 1250, "currency": "CNY"}), and an instant ({"instant": "2026-11-23T02:00:00Z"}).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import SHANGHAI
from huangpu.core.names import in_language
from huangpu.core.words import spell, spell_money

_declared: dict[str, Any] = {}


def declare(sentences: Mapping[str, Any]) -> None:
    """Makes kinds of notices known, each with its lazily translated sentence with %(name)s parameters."""
    _declared.update(sentences)


def is_declared(kind: str) -> bool:
    """Whether some room has a sentence for this kind."""
    return kind in _declared


def sentence(kind: str, params: Mapping[str, Any], zone: ZoneInfo = SHANGHAI) -> str:
    """A notice in the reader's language. A kind whose room is no longer installed is named by its code."""
    template = _declared.get(kind)
    if template is None:
        return now_("Something happened: %(kind)s.") % {"kind": kind}
    text = str(template) % {name: _written(value, zone) for name, value in params.items()}
    return f"{text[:-2]}." if text.endswith("..") and not text.endswith("...") else text  # «… Steel Co..»


def _written(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, dict) and "minor" in value:
        return spell_money(int(value["minor"]), value["currency"])
    if isinstance(value, dict) and "instant" in value:
        with timezone.override(zone):
            return spell(datetime.fromisoformat(value["instant"]))
    if isinstance(value, dict):
        return in_language(value)
    return str(value)


declare(
    {
        "information.webhook_failed": _("Calls to %(url)s have failed for a day; %(kind)s was not delivered."),
        "information.webhook_gone": _("%(url)s answered that it is gone; no more calls are made to it."),
    }
)
