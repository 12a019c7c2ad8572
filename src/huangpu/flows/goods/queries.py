"""What may be asked of goods: stock by place, item and lot, movements, shipments. Always of one's own organisation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import rows
from huangpu.core.errors import NotFound
from huangpu.core.log.models import Event, Payload
from huangpu.parties.actor import Actor

from . import catalogue
from .models import Movement, Place, Shipment, Stock
from .rules import Balance

# in the order in which it came; only what goes through a trade's own movements
HELD = """
SELECT s.marketplace_id, s.place_id, s.item_id, s.owner_id, s.lot, s.disposition, s.serial, sum(leg.quantity)
FROM (
  SELECT target_id AS stock_id, id, quantity FROM goods_movement WHERE reference_id = %(trade)s AND target_id IS NOT NULL
  UNION ALL
  SELECT source_id, id, -quantity FROM goods_movement WHERE reference_id = %(trade)s AND source_id IS NOT NULL
) leg JOIN goods_stock s ON s.id = leg.stock_id
GROUP BY s.id HAVING sum(leg.quantity) > 0 ORDER BY min(leg.id::text)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list of stock is narrowed by; empty values narrow nothing. `state`: "", "free", "reserved", "inspecting"."""

    text: str = ""
    place_id: UUID | None = None
    item_id: UUID | None = None
    lot: str = ""
    serial: str = ""
    state: str = ""


def held_by_reference(reference_id: UUID) -> list[tuple[Balance, Decimal]]:
    """What a trade has put into which balances and not taken out again, in the order in which it came. One statement."""
    return [(Balance(*values), quantity) for *values, quantity in rows(HELD, {"trade": reference_id})]


def places(organisation_id: UUID) -> QuerySet[Place]:
    """The organisation's places, newest first."""
    return Place.objects.filter(organisation_id=organisation_id).order_by("-pk")


def place(actor: Actor, place_id: UUID) -> Place:
    """A place of the actor's organisation. Refused with `place.unknown`, also where it is a neighbour's."""
    found = Place.objects.filter(pk=place_id).first()
    if found is None or found.organisation_id != actor.organisation_id:
        raise NotFound("place.unknown", _("There is no place “%(value)s”."), field="place_id", value=str(place_id))
    return found


def stock(marketplace_id: UUID, owner_id: UUID, asked: Asked) -> QuerySet[Stock]:
    """What the organisation has on a marketplace: balances with something on hand, wherever they lie."""
    found = (
        Stock.objects.select_related("place")
        .filter(marketplace_id=marketplace_id, owner_id=owner_id, on_hand__gt=0)
        .annotate(free=F("on_hand") - F("reserved"))
    )
    if asked.place_id:
        found = found.filter(place_id=asked.place_id)
    if asked.item_id:
        found = found.filter(item_id=asked.item_id)
    if asked.lot:
        found = found.filter(lot=asked.lot)
    if asked.serial:
        found = found.filter(serial=asked.serial)
    if asked.state == "inspecting":
        found = found.filter(disposition="inspecting")
    elif asked.state == "reserved":
        found = found.filter(reserved__gt=0)
    elif asked.state == "free":
        found = found.filter(disposition="available", on_hand__gt=F("reserved"))
    if asked.text:
        named = Q(item_id__in=catalogue.matching(asked.text))
        found = found.filter(named | Q(lot__istartswith=asked.text) | Q(serial__istartswith=asked.text))
    return found


def one_stock(actor: Actor, marketplace_id: UUID, stock_id: UUID) -> Stock:
    """A balance of the actor's organisation, also an empty one. Refused with `stock.unknown`."""
    found = (
        Stock.objects.select_related("place").annotate(free=F("on_hand") - F("reserved"))
        .filter(pk=stock_id, marketplace_id=marketplace_id, owner_id=actor.organisation_id).first()
    )  # fmt: skip
    if found is None:
        raise NotFound("stock.unknown", _("You have no such stock."), field="stock", value=str(stock_id))
    return found


def by_place(marketplace_id: UUID, owner_id: UUID) -> dict[UUID, int]:
    """How many balances with something on hand lie in each place."""
    found = Stock.objects.filter(marketplace_id=marketplace_id, owner_id=owner_id, on_hand__gt=0)
    counted: dict[UUID, int] = {}
    for place_id in found.values_list("place_id", flat=True):
        counted[place_id] = counted.get(place_id, 0) + 1
    return counted


def totals(marketplace_id: UUID, owner_id: UUID, item_id: UUID) -> dict[str, Decimal]:
    """Of one item over all places: on hand, reserved, under inspection."""
    of = Stock.objects.filter(marketplace_id=marketplace_id, owner_id=owner_id, item_id=item_id)
    found = of.aggregate(
        on_hand=Sum("on_hand"), reserved=Sum("reserved"), inspecting=Sum("on_hand", filter=Q(disposition="inspecting"))
    )
    return {name: value or Decimal(0) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """One movement as its organisation sees it: `change` of what it has on hand, `kind` of what happened, where from and to."""

    id: UUID
    recorded_at: datetime
    kind: str
    item_id: UUID
    lot: str
    serial: str
    source: Stock | None
    target: Stock | None
    quantity: Decimal
    reservation: Decimal
    reference_id: UUID
    reason: str = ""
    note: str = ""


def movements(
    marketplace_id: UUID, owner_id: UUID, *, place_id: UUID | None = None, item_id: UUID | None = None,
    stock_id: UUID | None = None,
) -> QuerySet[Movement]:  # fmt: skip
    """Everything that changed what the organisation has on a marketplace."""
    own = Stock.objects.filter(marketplace_id=marketplace_id, owner_id=owner_id)
    for name, value in (("place_id", place_id), ("item_id", item_id), ("pk", stock_id)):
        if value:
            own = own.filter(**{name: value})
    return Movement.objects.filter(
        Exists(own.filter(pk=OuterRef("source_id"))) | Exists(own.filter(pk=OuterRef("target_id"))),
        marketplace_id=marketplace_id,
    )


def lines(owner_id: UUID, found: Iterable[Movement]) -> list[Line]:
    """Movements with what is known of both sides and of why: three statements for any number. A neighbour's balance is not
    shown: what comes from another owner comes from outside."""
    listed = list(found)
    sides = {id for one in listed for id in (one.source_id, one.target_id) if id}
    known = Stock.objects.select_related("place").in_bulk(sides)
    own = {id: side for id, side in known.items() if side.owner_id == owner_id}
    references = [one.reference_id for one in listed]
    kinds = dict(Event.objects.filter(pk__in=references).values_list("pk", "kind"))
    told: dict[UUID, Any] = dict(Payload.objects.filter(pk__in=kinds).values_list("pk", "body"))
    return [_line(one, own, kinds.get(one.reference_id, ""), told.get(one.reference_id) or {}) for one in listed]


def _line(one: Movement, own: dict[UUID, Stock], event: str, told: dict[str, Any]) -> Line:
    source, target = own.get(one.source_id or one.pk), own.get(one.target_id or one.pk)
    what = source or target
    assert what is not None, "a movement that is asked for has a side of its own"
    return Line(
        one.pk, one.recorded_at, _kind(one, source, target, event), what.item_id, what.lot, what.serial, source, target,
        one.quantity, one.reservation, one.reference_id, told.get("reason", ""), told.get("note", ""),
    )  # fmt: skip


def _kind(one: Movement, source: Stock | None, target: Stock | None, event: str) -> str:
    """What happened, in a word: of an event of the warehouse itself its name, of a trade's what its sides say."""
    if event:
        return event.partition(".")[2]
    if not one.quantity:
        return "reserved" if one.reservation > 0 else "lifted"
    if source and target:
        return "accepted" if source.place_id == target.place_id else "relocated"
    return "delivered" if source else "received"


def shipments(marketplace_id: UUID, organisation_id: UUID) -> QuerySet[Shipment]:
    """What the organisation sent or received with a despatch."""
    ours = Q(sender_id=organisation_id) | Q(receiver_id=organisation_id)
    return Shipment.objects.select_related("sender", "receiver").filter(ours, marketplace_id=marketplace_id)


def shipment(actor: Actor, marketplace_id: UUID, shipment_id: UUID) -> Shipment:
    """A despatch that the actor's organisation sent or received. Refused with `shipment.unknown`."""
    found = None
    if actor.organisation_id:
        found = shipments(marketplace_id, actor.organisation_id).filter(pk=shipment_id).first()
    if found is None:
        raise NotFound(
            "shipment.unknown", _("There is no shipment “%(value)s”."), field="shipment", value=str(shipment_id)
        )
    return found
