"""The trial balance of a day as it is signed: purely, what it says and the bytes it is.

Its bytes are RFC 8785 JSON, its digest their SHA-256, its signature Ed25519 over them; `before` is the digest of the day
before. So whoever has the newest one can tell of every older one whether it was changed, with nothing but the public key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from huangpu.core.canonical import canonical
from huangpu.core.clock import rfc3339

FORM = "huangpu trial balance 1"
SUMS = ("posted_debit", "posted_credit", "pending_debit", "pending_credit")
Totals = Mapping[str, tuple[int, int, int, int]]  # by book: posted debits and credits, held debits and credits


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a marketplace in a currency. `books`: the totals of all that was posted before `until`, in minor units;
    `transfers`: how many were posted from `since` on (None: from the first one) and before `until`."""

    marketplace_id: UUID
    currency: str
    day: date
    zone: str
    since: datetime | None
    until: datetime
    transfers: int
    books: Totals
    before: bytes | None

    def text(self) -> bytes:
        """The bytes that are signed. Totals are texts: they may exceed what a JSON number holds."""
        told: dict[str, Any] = {
            "form": FORM,
            "marketplace": str(self.marketplace_id),
            "currency": self.currency,
            "day": self.day.isoformat(),
            "zone": self.zone,
            "since": rfc3339(self.since) if self.since else None,
            "until": rfc3339(self.until),
            "transfers": self.transfers,
            "books": {book: dict(zip(SUMS, map(str, sums), strict=True)) for book, sums in self.books.items()},
            "before": self.before.hex() if self.before else None,
        }
        return canonical(told)


def read(text: bytes | str) -> Day:
    """The day that such bytes tell of."""
    told = json.loads(text)
    return Day(
        UUID(told["marketplace"]),
        told["currency"],
        date.fromisoformat(told["day"]),
        told["zone"],
        datetime.fromisoformat(told["since"]) if told["since"] else None,
        datetime.fromisoformat(told["until"]),
        told["transfers"],
        {book: _four(int(sums[name]) for name in SUMS) for book, sums in told["books"].items()},
        bytes.fromhex(told["before"]) if told["before"] else None,
    )


def digest_of(text: bytes) -> bytes:
    """What names a signed day, and what the next one repeats: SHA-256."""
    return hashlib.sha256(text).digest()


def added(before: Totals, moved: Totals) -> dict[str, tuple[int, int, int, int]]:
    """The totals after a day: those before it and what moved in it, book by book."""
    none = (0, 0, 0, 0)
    return {
        book: _four(map(sum, zip(before.get(book, none), moved.get(book, none), strict=True)))
        for book in sorted(before.keys() | moved.keys())
    }


def balanced(books: Totals) -> bool:
    """Whether debits are credits, posted and held."""
    debit, credit, held, expected = together(books)
    return (debit, held) == (credit, expected)


def together(books: Totals) -> tuple[int, int, int, int]:
    """The totals of all books."""
    return _four(map(sum, zip((0, 0, 0, 0), *books.values(), strict=True)))


def _four(sums: Iterable[int]) -> tuple[int, int, int, int]:
    debit, credit, held, expected = sums
    return debit, credit, held, expected
