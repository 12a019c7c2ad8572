"""What a provider's statement is, purely. Amounts are minor units, from our side: above zero came in for us, below went out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Booked:
    """One line of a statement. `reference` is the end-to-end id: that of our operation, in 32 hexadecimal digits, if it is
    ours; `provider_reference` is the provider's own. An entry that stands for many (a batch) comes as one line for each."""

    booked_at: datetime
    amount: int
    reference: str
    provider_reference: str = ""


def operation_of(reference: str) -> UUID | None:
    """The operation that a line names, if it names one."""
    text = reference.replace("-", "").strip().lower()
    if len(text) != 32 or any(digit not in "0123456789abcdef" for digit in text):
        return None
    return UUID(hex=text)


def digest(lines: Sequence[Booked], opening: int, closing: int) -> bytes:
    """SHA-256 by which a statement that comes twice is known."""
    sum_ = hashlib.sha256(f"{opening}|{closing}|{len(lines)}".encode())
    for one in lines:
        text = f"\n{one.booked_at.isoformat()}|{one.amount}|{one.reference}|{one.provider_reference}"
        sum_.update(text.encode())
    return sum_.digest()
