"""The naive twin: the rules of an auction once more, as one reads them, slow and without a shared line of code.

It keeps every bid it was ever given and finds each answer by looking at all of them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any


@dataclass
class Twin:
    rules: dict[str, Any]
    opens_at: datetime
    starts: dict[int, int]
    log: list[tuple[int, int, datetime]] = field(default_factory=list)  # bidder, amount, when: of accepted bids
    sequences: list[int] = field(default_factory=list)
    answered: int = 0
    extensions: int = 0
    lost: timedelta = timedelta()
    paused_at: datetime | None = None

    def __post_init__(self) -> None:
        self.closes_at = self.opens_at + timedelta(seconds=self.rules["duration_s"])
        hard = self.rules["hard_close_after_s"]
        self.hard = self.opens_at + timedelta(seconds=hard) if hard else None

    def own(self, number: int) -> int:
        mine = [amount for who, amount, _when in self.log if who == number]
        return mine[-1] if mine else self.starts[number]

    def lead(self) -> int:
        return min(self.own(number) for number in self.starts)

    def ranking(self) -> list[int]:
        def since(number: int) -> tuple[int, int]:
            places = [sequence for (who, *_), sequence in zip(self.log, self.sequences, strict=True) if who == number]
            return (places[-1] if places else 0, number)

        return sorted(self.starts, key=lambda number: (self.own(number), *since(number)))

    def bid(self, number: int, amount: int, when: datetime) -> str:
        self.answered += 1
        reason = self.reason(number, amount, when)
        if reason:
            return reason
        before = self.lead()
        effective = max([when, *(then for _who, _amount, then in self.log)])
        self.log.append((number, amount, effective))
        self.sequences.append(self.answered)
        if amount < before or self.rules["extend_on"] == "any":
            self.extend(effective)
        return ""

    def reason(self, number: int, amount: int, when: datetime) -> str:
        if self.paused_at is not None:
            return "paused"
        if when < self.opens_at:
            return "too_early"
        if not when < self.closes_at:
            return "too_late"
        base = self.own(number) if self.rules["base"] == "own" else self.lead()
        step = self.rules["step_minor"] or ceil(Fraction(base) * self.rules["step_ppm"] / 1_000_000)
        if base - amount < max(step, 1):
            return "step"
        fall = self.rules["drop_ppm_max"]
        if fall and base - amount > base * fall // 1_000_000 and base - amount > max(step, 1):
            return "drop"
        return ""

    def extend(self, when: datetime) -> None:
        if self.closes_at - when > timedelta(seconds=self.rules["window_s"]):
            return
        if self.extensions == self.rules["extensions_max"]:
            return
        to = when + timedelta(seconds=self.rules["extend_s"])
        if self.hard is not None and to > self.hard:
            to = self.hard
        if to > self.closes_at:
            self.closes_at = to
            self.extensions += 1

    def credit(self, since: datetime, until: datetime) -> None:
        lost = until - since if since >= self.opens_at else until - self.opens_at
        if lost > timedelta():
            self.closes_at += lost
            self.hard = self.hard + lost if self.hard else None
            self.opens_at = until if since < self.opens_at else self.opens_at
