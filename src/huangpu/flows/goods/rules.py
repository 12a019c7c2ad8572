"""Goods, purely: what a movement is, and the identity of a balance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from huangpu.core.ids import uuid8

AVAILABLE, INSPECTING = "available", "inspecting"


@dataclass(frozen=True, slots=True)
class Balance:
    """What a stock balance is of."""

    marketplace_id: UUID
    place_id: UUID
    item_id: UUID
    owner_id: UUID
    lot: str = ""
    disposition: str = AVAILABLE

    @property
    def id(self) -> UUID:
        """The balance's own id: a UUIDv8 (RFC 9562) over all that makes it that balance."""
        return _balance_id(self)


@lru_cache(maxsize=65536)
def _balance_id(of: Balance) -> UUID:
    text = f"stock|{of.marketplace_id}|{of.place_id}|{of.item_id}|{of.owner_id}|{of.lot}|{of.disposition}"
    return uuid8(hashlib.sha256(text.encode()).digest())


@dataclass(frozen=True, slots=True)
class Move:
    """Goods go from `source` to `target` (None: outside the platform's sight).

    `reservation` changes what `source` has reserved: + to reserve, − to lift or, with a quantity, to use it up.
    """

    source: Balance | None
    target: Balance | None
    quantity: Decimal = Decimal(0)
    reservation: Decimal = Decimal(0)
