"""What may be done with goods: move a set of them at once, open a place, take stock in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from huangpu.core.canonical import write_json
from huangpu.core.db import act, rows
from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, record
from huangpu.core.quantity import plain
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require

from .models import Place
from .rules import Balance, Move


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
    """What it means that the database refused these movements: `stock.insufficient`; None when it was something else."""
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
            "owner_id": item.owner_id, "lot": item.lot, "disposition": item.disposition,
        }
        for item in balances
    ]  # fmt: skip


@act
def open_place(
    *, actor: Actor, organisation_id: UUID, code: str, name: dict[str, str], address: str = "", now: datetime
) -> Place:
    """A place of the actor's organisation where goods can lie. Refused with `place.code_taken`."""
    require(actor, "goods.open_place", organisation_id=organisation_id)
    place, created = Place.objects.get_or_create(
        organisation_id=organisation_id, code=code, defaults={"name": name, "address": address}
    )
    if not created:
        raise Conflict(
            "place.code_taken", _("There is already a place with the code “%(value)s”."), field="code", value=code
        )
    if actor.marketplace_id:
        record([_event("goods.place_opened", actor, actor.marketplace_id, place.id, now, {"code": code, "name": name})])
    return place


@act
def take_in(
    *,
    actor: Actor,
    marketplace_id: UUID,
    place_id: UUID,
    item_id: UUID,
    quantity: Decimal,
    lot: str = "",
    now: datetime,
) -> Balance:
    """Goods that were made or bought elsewhere come into the owner's stock (EPCIS: commissioning)."""
    place = Place.objects.filter(pk=place_id).first()
    if place is None:
        raise Invalid("place.unknown", _("There is no place “%(value)s”."), field="place_id", value=str(place_id))
    require(actor, "goods.take_in", organisation_id=place.organisation_id)
    if quantity <= 0:
        raise Invalid("quantity.invalid", _("“%(value)s” is not a quantity; write a number above 0."), field="quantity",
                      value=plain(quantity))  # fmt: skip
    balance = Balance(marketplace_id, place_id, item_id, place.organisation_id, lot)
    move(marketplace_id=marketplace_id, reference_id=balance.id, moves=[Move(None, balance, quantity)])
    payload = {"item": str(item_id), "quantity": plain(quantity), "lot": lot, "place": str(place_id)}
    record([_event("goods.taken_in", actor, marketplace_id, place_id, now, payload, (place.organisation_id,))])
    return balance


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


def _event(kind: str, actor: Actor, marketplace_id: UUID, subject: UUID, now: datetime, payload: dict[str, Any],
           audience: tuple[UUID, ...] = ()) -> NewEvent:  # fmt: skip
    return NewEvent(
        kind=kind, marketplace_id=marketplace_id, subject_type="place", subject_id=subject, occurred_at=now,
        payload=payload, actor_id=actor.person_id, organisation_id=actor.organisation_id, audience=audience,
    )  # fmt: skip
