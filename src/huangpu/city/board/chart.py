"""A bar a day, drawn by the server. Pure: values in, places in a picture of 600 × 120 units out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 600, 120
GAP = 4.0
LOWEST = 1.5  # a day without anything still shows that it was there


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's bar: its place, and what it says. `value` in minor units."""

    day: date
    value: int
    x: str
    y: str
    width: str
    height: str
    is_none: bool


def bars(days: Sequence[tuple[date, int]]) -> list[Bar]:
    """The bars of consecutive days, the highest as high as the picture."""
    if not days:
        return []
    most = max(max(value for _day, value in days), 1)
    step = WIDTH / len(days)
    drawn = []
    for place, (day, value) in enumerate(days):
        height = max(HEIGHT * max(value, 0) / most, LOWEST)
        drawn.append(
            Bar(
                day, value, _plain(place * step + GAP / 2), _plain(HEIGHT - height), _plain(step - GAP), _plain(height),
                value <= 0,
            )
        )  # fmt: skip
    return drawn


def _plain(number: float) -> str:
    """A number as SVG reads it, whatever the reader's language."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
