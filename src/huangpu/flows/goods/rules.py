"""Goods, purely: what a movement is, and the identity of a balance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

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
        text = "|".join(
            map(str, (self.marketplace_id, self.place_id, self.item_id, self.owner_id, self.lot, self.disposition))
        )
        digest = bytearray(hashlib.sha256(f"stock|{text}".encode()).digest()[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return UUID(bytes=bytes(digest))


@dataclass(frozen=True, slots=True)
class Move:
    """Goods go from `source` to `target` (None: outside the platform's sight).

    `reservation` changes what `source` has reserved: + to reserve, − to lift or, with a quantity, to use it up.
    """

    source: Balance | None
    target: Balance | None
    quantity: Decimal = Decimal(0)
    reservation: Decimal = Decimal(0)
