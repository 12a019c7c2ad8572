"""The ledger, purely: what can be posted, and the identity of an account."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from huangpu.core.ids import uuid8

FLOORS: dict[str, int | None] = {"wallet": 0, "penalty": 0}  # books whose accounts may not be overdrawn
SLOTS: dict[str, int] = {"escrow": 16, "fees": 16, "bank": 16}  # books that everybody pays into or out of


@lru_cache(maxsize=65536)
def account_id(marketplace_id: UUID, book: str, holder_id: UUID | None, currency: str) -> UUID:
    """An account's own id: a UUIDv8 (RFC 9562) over all that makes it that account, so that posting needs no look-up."""
    text = f"account|{marketplace_id}|{book}|{holder_id or ''}|{currency}"
    return uuid8(hashlib.sha256(text.encode()).digest())


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account that has to exist. Floor and slots follow from its book."""

    marketplace_id: UUID
    book: str
    holder_id: UUID | None
    currency: str

    @property
    def id(self) -> UUID:
        return account_id(self.marketplace_id, self.book, self.holder_id, self.currency)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money goes from `debit` to `credit`. `amount` is minor units, above zero. `id` makes it happen once."""

    id: UUID
    marketplace_id: UUID
    debit: UUID
    credit: UUID
    amount: int
    kind: str
    reference: UUID | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Money of `debit` is set aside; `credit` is where it is meant to go. Until captured, voided or `expires_at`."""

    id: UUID
    marketplace_id: UUID
    debit: UUID
    credit: UUID
    amount: int
    kind: str
    reference: UUID | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """Part or all of a hold becomes a transfer, to the hold's own credit account or to another."""

    id: UUID
    marketplace_id: UUID
    hold_id: UUID
    amount: int
    kind: str
    credit: UUID | None = None
    reference: UUID | None = None


@dataclass(frozen=True, slots=True)
class Void:
    """Part or all of a hold is set free again. The kind "expiry" says that its time ran out."""

    id: UUID
    marketplace_id: UUID
    hold_id: UUID
    amount: int
    kind: str
    reference: UUID | None = None


Item = Transfer | Hold | Capture | Void
