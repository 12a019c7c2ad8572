"""Goods move: a set of movements at once, and the despatch that a delivery tells of. For acts of this room and above."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from huangpu.core.canonical import write_json
from huangpu.core.db import act, rows
from huangpu.core.errors import Conflict
from huangpu.core.ids import uuid7
from huangpu.core.quantity import plain

from ..rules import Balance, Move


@act
def move(*, marketplace_id: UUID, reference_id: UUID, moves: Sequence[Move]) -> None:
    """Carries out movements and reservations: all or none, one SQL call, balances locked in the order of their ids.

    Refused with `stock.insufficient` when a balance would fall below zero or below what is reserved.
    """
    if not moves:
        return
    data = written(moves)
    try:
        rows(
            "SELECT goods_move(%s, %s, %s::jsonb, %s::jsonb)",
            [marketplace_id, reference_id, write_json(data["moves"]), write_json(data["balances"])],
        )
    except IntegrityError as wrong:
        if refusal := refused(wrong, moves):
            raise refusal from wrong
        raise


def written(moves: Sequence[Move]) -> dict[str, list[dict[str, Any]]]:
    """The two arguments of the database's function `goods_move`, for a room whose own function calls that one."""
    balances = {side for item in moves for side in (item.source, item.target) if side}
    return {"moves": [_row(item) for item in moves], "balances": _named(balances)}


def refused(wrong: IntegrityError, moves: Sequence[Move]) -> Conflict | None:
    """What it means that the database refused these movements: `stock.insufficient`, `serial.elsewhere` or `serial.quantity`;
    None when it was something else."""
    pieces = [item for item in moves if item.target and item.target.serial]
    serials = ", ".join(sorted({item.target.serial for item in pieces if item.target}))
    is_twice = "goods_serial_is_one_piece" in str(wrong)
    if "goods_serial_in_one_place" in str(wrong) or (is_twice and all(item.quantity == 1 for item in pieces)):
        message = _("The piece “%(value)s” is in stock already; a serial number is in one place only.")
        return Conflict("serial.elsewhere", message, field="serial", value=serials)
    if is_twice:
        message = _("With the serial number “%(value)s” goes one piece, no more and no part of it.")
        return Conflict("serial.quantity", message, field="quantity", value=serials)
    if "goods_stock_never_below" not in str(wrong):
        return None
    return Conflict(
        "stock.insufficient",
        _("There is not enough stock: %(value)s is asked for, and less is free at that place."),
        field="quantity",
        value=", ".join(plain(item.quantity or item.reservation) for item in moves if item.source),
    )


def _row(item: Move) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "source": item.source.id if item.source else None,
        "target": item.target.id if item.target else None,
        "quantity": plain(item.quantity),
        "reservation": plain(item.reservation),
    }


def _named(balances: Iterable[Balance]) -> list[dict[str, Any]]:
    return [
        {
            "id": item.id, "marketplace_id": item.marketplace_id, "place_id": item.place_id, "item_id": item.item_id,
            "owner_id": item.owner_id, "lot": item.lot, "serial": item.serial, "disposition": item.disposition,
        }
        for item in balances
    ]  # fmt: skip


def despatch(*, marketplace_id: UUID, reference_id: UUID, event_id: UUID, sender_id: UUID, receiver_id: UUID,
             lines: list[dict[str, Any]], details: Mapping[str, Any], now: datetime) -> dict[str, Any]:  # fmt: skip
    """The despatch that an event tells of (carrier, tracking number, vehicle and lines), as the database's function
    `goods_ship` keeps it."""
    return {
        "id": uuid7(), "marketplace_id": marketplace_id, "reference_id": reference_id, "event_id": event_id,
        "sender_id": sender_id, "receiver_id": receiver_id, "carrier": str(details.get("carrier", ""))[:100],
        "tracking": str(details.get("tracking", ""))[:64], "vehicle": str(details.get("vehicle", ""))[:32], "lines": lines,
        "shipped_at": now,
    }  # fmt: skip
