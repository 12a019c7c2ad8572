"""What a bench says: one measure a line, with its reference, its floor and the machine."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. `ratio` is value ÷ reference where one was measured in the same run; the floor is then the ratio's."""

    name: str
    value: float
    unit: str
    reference: float | None
    ratio: float | None
    floor: float | None
    ok: bool
    machine: str

    def line(self) -> str:
        """One JSON object on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)


def at_least(name: str, value: float, unit: str, floor: float | None = None, reference: float | None = None) -> Measure:
    """More is better. Without a floor the figure is only told. A reference of 0 was not measured: ValueError."""
    return _measure(name, value, unit, floor, reference, more_is_better=True)


def at_most(name: str, value: float, unit: str, floor: float | None = None, reference: float | None = None) -> Measure:
    """Less is better: seconds, bytes, statements."""
    return _measure(name, value, unit, floor, reference, more_is_better=False)


def _measure(
    name: str, value: float, unit: str, floor: float | None, reference: float | None, *, more_is_better: bool
) -> Measure:
    if reference is not None and reference <= 0:
        raise ValueError(f"the reference of {name} is {reference}: it was not measured")
    ratio = None if reference is None else value / reference
    judged = value if ratio is None else ratio
    ok = floor is None or (judged >= floor if more_is_better else judged <= floor)
    return Measure(
        name,
        round(value, 4),
        unit,
        None if reference is None else round(reference, 4),
        None if ratio is None else round(ratio, 4),
        floor,
        ok,
        machine(),
    )


@cache
def machine() -> str:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    size = f"{os.cpu_count()} cores, {memory:.0f} GiB"
    return f"{platform.system()} {platform.machine()}, {size}, Python {platform.python_version()}"
