"""What lateness costs, purely: a penalty for each started day or week by which a part of a delivery came after its time.

    penalty of a line = min( Σ value of the part × min(rate × started periods, cap),  cap × value of the line )

Exact in fractions; rounded half up to the minor unit once a line, and never above its cap (which is rounded down). Which part
came when: parts are accepted in the order in which they came; what was rejected is what came last of what is not accepted.
docs/explanation/terms.md has a worked table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

PERIODS: Mapping[str, timedelta] = {"day": timedelta(days=1), "week": timedelta(days=7)}
HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate` of the late part's value for each started `per` ("day" or "week"), at most `cap` of it: exact shares of 1."""

    rate: Fraction
    per: str
    cap: Fraction

    @staticmethod
    def of(details: Mapping[str, Any]) -> Rate:
        """From a commitment's details: the shares as decimal texts ("0.005")."""
        return Rate(Fraction(Decimal(details["rate"])), details["per"], Fraction(Decimal(details["cap"])))

    def share(self, due: datetime, came: datetime) -> Fraction:
        """The share of its value that a part which came then costs. A time is over at its instant: to come then is late."""
        if came < due:
            return Fraction(0)
        return min(self.rate * ((came - due) // PERIODS[self.per] + 1), self.cap)


def penalty(
    *,
    amount: int,
    quantity: Decimal,
    accepted: Decimal,
    due: datetime,
    arrivals: Iterable[tuple[datetime, Decimal]],
    rate: Rate,
) -> int:
    """Minor units that a line of this value costs so far. `arrivals`: when how much of it came, in order; less than nothing
    where it was rejected. Only what is accepted counts: it never becomes less as more is accepted."""
    exact = sum((Fraction(part) * rate.share(due, came) for came, part in _taken(arrivals, accepted)), Fraction(0))
    value = amount * exact / Fraction(quantity)
    return min(int(value + HALF), int(amount * rate.cap))


def _taken(arrivals: Iterable[tuple[datetime, Decimal]], accepted: Decimal) -> list[tuple[datetime, Decimal]]:
    """The parts that have been accepted, each with when it came."""
    standing: list[tuple[datetime, Decimal]] = []
    for at, part in arrivals:
        if part > 0:
            standing.append((at, part))
            continue
        back = -part
        while back > 0 and standing:
            came, last = standing.pop()
            if last > back:
                standing.append((came, last - back))
            back -= min(last, back)
    taken, rest = [], accepted
    for came, part in standing:
        if rest <= 0:
            break
        taken.append((came, min(part, rest)))
        rest -= part
    return taken
