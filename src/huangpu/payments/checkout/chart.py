"""The takings of days as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .queries import Taking

HEIGHT, STEP, WIDTH = 96, 24, 16


@dataclass(frozen=True, slots=True)
class Bar:
    """A day: what came above the line, what was paid back in another colour upon it; all in units of the picture."""

    day: Taking
    x: int
    height: int
    back: int
    is_last: bool

    @property
    def y(self) -> int:
        return HEIGHT - self.height


def bars(days: Sequence[Taking]) -> list[Bar]:
    """One bar a day; the highest fills the picture, a day with anything at all can be seen."""
    most = max((day.captured for day in days), default=0)
    return [
        Bar(
            day=day, x=number * STEP + (STEP - WIDTH) // 2, height=_scaled(day.captured, most),
            back=_scaled(min(day.refunded, day.captured), most), is_last=number == len(days) - 1,
        )
        for number, day in enumerate(days)
    ]  # fmt: skip


def _scaled(amount: int, most: int) -> int:
    return max(2, amount * HEIGHT // most) if amount else 0
