"""Goods, purely: what a movement is, the identity of a balance, and which lots and serials make up a delivery."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.core.ids import uuid8
from huangpu.core.quantity import parse_decimal, plain

AVAILABLE, INSPECTING = "available", "inspecting"
# why stock is changed without a trade: a count, a loss, a find …
REASONS = ("counted", "damaged", "expired", "lost", "destroyed", "consumed", "found", "other")
LOTS_MAX = 1000  # lots and serials named in one act
NAME_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Balance:
    """What a stock balance is of."""

    marketplace_id: UUID
    place_id: UUID
    item_id: UUID
    owner_id: UUID
    lot: str = ""
    disposition: str = AVAILABLE
    serial: str = ""

    @property
    def id(self) -> UUID:
        """The balance's own id: a UUIDv8 (RFC 9562) over all that makes it that balance."""
        return _balance_id(self)

    def of(self, lot: Lot) -> Balance:
        """The balance beside this one that is of that lot and serial."""
        return replace(self, lot=lot.lot, serial=lot.serial)


@lru_cache(maxsize=65536)
def _balance_id(of: Balance) -> UUID:
    text = f"stock|{of.marketplace_id}|{of.place_id}|{of.item_id}|{of.owner_id}|{of.lot}|{of.disposition}"
    if of.serial:  # balances without one keep the id they had before there were serials
        text += f"|{of.serial}"
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


@dataclass(frozen=True, slots=True)
class Lot:
    """A part of a quantity that is of one lot, or one piece with its serial number; `place`: where it is taken from, if that
    is another place than the promised one or none was promised."""

    lot: str
    serial: str
    quantity: Decimal
    place: UUID | None = None

    def data(self) -> dict[str, str]:
        return {"lot": self.lot, "serial": self.serial, "quantity": plain(self.quantity)}


def named_lots(details: Mapping[str, Any], ordinal: int, quantity: Decimal) -> list[Lot]:
    """What the details of an act say of one commitment: `{"lots": [{"commitment": 2, "lot": "L7", "quantity": "3"},
    {"commitment": 2, "serials": ["A1", "A2"], "from_place": "…"}]}`. Empty when they say nothing of it, and the promised lot
    is meant.

    Refused with `lots.invalid`, and with `lots.quantity` when they do not make up the quantity.
    """
    given = details.get("lots") or ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise _wrong(given)
    lots = [lot for one in given if _commitment(one) == ordinal for lot in _lots(one)]
    if len(lots) > LOTS_MAX:
        raise _wrong(len(lots))
    if not lots:
        return []
    total = sum((lot.quantity for lot in lots), Decimal(0))
    if total != quantity:
        raise Invalid(
            "lots.quantity",
            _("The lots named for %(what)s make %(value)s; %(wanted)s is delivered."),
            field="lots",
            value=plain(total),
            what=ordinal,
            wanted=plain(quantity),
        )
    return lots


def _commitment(one: Any) -> int:
    if not isinstance(one, Mapping) or not isinstance(one.get("commitment"), int):
        raise _wrong(one)
    return int(one["commitment"])


def _lots(one: Mapping[str, Any]) -> Iterable[Lot]:
    lot, serials = one.get("lot") or "", one.get("serials") or []
    if not isinstance(serials, list):
        raise _wrong(one)
    names = [lot, *serials]
    if not all(isinstance(name, str) and len(name) <= NAME_LENGTH_MAX for name in names) or not all(serials):
        raise _wrong(one)
    try:
        place = UUID(str(one["from_place"])) if one.get("from_place") else None
    except ValueError:
        raise _wrong(one) from None
    if serials:
        return [Lot(lot, serial, Decimal(1), place) for serial in serials]
    return [Lot(lot, "", parse_decimal(str(one.get("quantity", ""))), place)]


def _wrong(value: Any) -> Invalid:
    return Invalid(
        "lots.invalid",
        _("“%(value)s” names no lot; write the commitment's number with a lot and its quantity, or with serials."),
        field="lots",
        value=str(value)[:100],
    )


class Pool:
    """What of the goods of one trade lies where, by balance, as `take` uses it up."""

    def __init__(self, held: Iterable[tuple[Balance, Decimal]]) -> None:
        self._held = list(held)

    def take(self, promised: Balance, quantity: Decimal) -> list[tuple[Balance, Decimal]]:
        """Which balances a quantity of the promised one is taken from: those this trade has filled, in the order in which
        they were filled; what they do not hold, from the promised one itself."""
        taken: list[tuple[Balance, Decimal]] = []
        for at, (balance, left) in enumerate(self._held):
            if quantity > 0 and left > 0 and replace(balance, lot=promised.lot, serial=promised.serial) == promised:
                part = min(left, quantity)
                self._held[at], quantity = (balance, left - part), quantity - part
                taken.append((balance, part))
        return [*taken, (promised, quantity)] if quantity > 0 else taken
