"""What a tender's pages draw: the stages it goes through, and the saving as bars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .models import Tender
from .procedures import STAGE_NAMES, procedure_of
from .rules import Saving

PATH = ("draft", "open", "evaluation", "auction", "standstill", "concluded")


def steps(tender: Tender) -> list[dict[str, Any]]:
    """The stages of the tender's own procedure, done, now or waiting; a tender that ended early ends there."""
    path = [stage for stage in PATH if stage != "auction" or procedure_of(tender.procedure).auction]
    held = tender.stage not in path  # cancelled, unsuccessful
    if held:
        reached = "draft" if tender.published_at is None else "open" if tender.opened_at is None else "evaluation"
        path = [*path[: path.index(reached) + 1], tender.stage]
    here = path.index(tender.stage)
    states = ["done" if place < here else "now" if place == here else "waiting" for place in range(len(path))]
    if tender.stage == "concluded":
        states[-1] = "done"
    return [{"label": STAGE_NAMES[stage], "state": state} for stage, state in zip(path, states, strict=True)]


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of the price: its word, the amount in minor units, its length as a share of the longest in thousandths."""

    label: str
    minor: int
    length: int
    is_baseline: bool


def saving_bars(saving: Saving) -> list[Bar]:
    """A bar for each step of the price that is known, budget first."""
    known = [
        (label, value)
        for label, value in (
            (_("Budget"), saving.budget),
            (_("Lowest opening price"), saving.opening),
            (_("Final price"), saving.final),
            (_("Contracted"), saving.contracted),
            (pgettext("saving", "Delivered"), saving.delivered),
        )
        if value is not None
    ]
    longest = max((value for _label, value in known), default=0) or 1
    return [Bar(label, value, value * 1000 // longest, place == 0) for place, (label, value) in enumerate(known)]


def share(ppm: int | None) -> Decimal | None:
    """Millionths as a share of one, for the filter `percent`."""
    return None if ppm is None else Decimal(ppm) / 1_000_000
