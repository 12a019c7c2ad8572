"""The words and shapes of states. A state is never shown by colour alone: it has an icon and a word.

A room registers the states of its own things once, in its AppConfig.ready:

    register("tender", {"published": State("live", _("Published")), "cancelled": State("cancelled", _("Cancelled"))})

and shows one with `{{ tender.stage|status:"tender" }}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import pgettext_lazy

# kind → icon; the kind also chooses the colour in huangpu.css
ICONS = {
    "done": "circle-check",
    "due": "circle-dot",
    "late": "triangle-alert",
    "waiting": "circle-dashed",
    "cancelled": "ban",
    "live": "activity",
    "draft": "pencil",
    "info": "info",
}


@dataclass(frozen=True, slots=True)
class State:
    """How a state looks: one of the kinds in ICONS, and its word (lazily translated)."""

    kind: str
    word: Any


BASE: dict[str, State] = {
    "done": State("done", pgettext_lazy("state", "Done")),
    "due": State("due", pgettext_lazy("state", "Due")),
    "late": State("late", pgettext_lazy("state", "Late")),
    "waiting": State("waiting", pgettext_lazy("state", "Waiting")),
    "cancelled": State("cancelled", pgettext_lazy("state", "Cancelled")),
    "live": State("live", pgettext_lazy("state", "Live")),
    "open": State("live", pgettext_lazy("state", "Open")),
    "closed": State("done", pgettext_lazy("state", "Closed")),
    "draft": State("draft", pgettext_lazy("state", "Draft")),
    "info": State("info", pgettext_lazy("state", "Note")),
}

_vocabularies: dict[str, Mapping[str, State]] = {"": BASE}


def register(vocabulary: str, states: Mapping[str, State]) -> None:
    """Name the states of a kind of thing. Registering the same vocabulary again replaces it."""
    _vocabularies[vocabulary] = states


def state_of(code: str, vocabulary: str = "") -> State:
    """How to show a state. A code that nobody named is shown as it is, as a note: a page never fails on a word."""
    return _vocabularies.get(vocabulary, BASE).get(code) or BASE.get(code) or State("info", code)
