"""Netting, purely. An obligation is who owes whom how much; amounts are minor units of one currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

State = Literal["open", "closed", "pending", "settled"]
STATES: tuple[State, ...] = ("open", "closed", "pending", "settled")
WINDOW = timedelta(hours=4)


@dataclass(frozen=True, slots=True, order=True)
class Owed:
    """`debtor` pays `creditor` the amount, above zero."""

    debtor: str
    creditor: str
    amount: int


def multilateral(owed: Iterable[Owed]) -> dict[str, int]:
    """The position of each towards all others together: above zero it receives. They sum to zero."""
    positions: dict[str, int] = {}
    for one in owed:
        positions[one.debtor] = positions.get(one.debtor, 0) - one.amount
        positions[one.creditor] = positions.get(one.creditor, 0) + one.amount
    return positions


def bilateral(owed: Iterable[Owed]) -> list[Owed]:
    """One payment for each pair of which one owes the other more than it is owed."""
    pairs: dict[tuple[str, str], int] = {}
    for one in owed:
        low, high = sorted((one.debtor, one.creditor))
        sign = 1 if one.debtor == low else -1
        pairs[low, high] = pairs.get((low, high), 0) + sign * one.amount
    return sorted(
        Owed(*((low, high) if amount > 0 else (high, low)), abs(amount))
        for (low, high), amount in pairs.items()
        if amount
    )


def payments(positions: Mapping[str, int]) -> list[Owed]:
    """Payments that bring every position to zero: fewer than there are participants. The largest pay first."""
    left = {name: amount for name, amount in positions.items() if amount}
    if sum(left.values()):
        raise ValueError("positions that do not sum to zero cannot be settled")
    found = []
    while left:
        debtor = min(left, key=lambda name: (left[name], name))
        creditor = max(left, key=lambda name: (left[name], name))
        amount = min(-left[debtor], left[creditor])
        found.append(Owed(debtor, creditor, amount))
        for name, change in ((debtor, amount), (creditor, -amount)):
            left[name] += change
            if not left[name]:
                del left[name]
    return found
