"""The endpoints of goods: places, stock, movements, shipments of the organisation one acts for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Query, Router, Schema

from huangpu.core import clock
from huangpu.core.quantity import parse_decimal, plain
from huangpu.core.web.paging import LIMIT_DEFAULT, Page, page_of
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require_own

from . import acts, catalogue, queries
from .models import Place, Shipment, Stock

router = Router(tags=["goods"])

Name = Annotated[dict[str, str], Field(examples=[{"zh-hans": "一号库", "en": "Warehouse 1"}])]
DecimalText = Annotated[str, Field(max_length=40, examples=["12.5"])]
Reason = Literal["counted", "damaged", "expired", "lost", "destroyed", "consumed", "found", "other"]


class PlaceOut(Schema):
    """A yard, warehouse, shop or gate of the organisation (EPCIS: bizLocation)."""

    id: UUID
    code: str
    name: dict[str, str]
    address: str
    gln: str = Field(description="GS1 Global Location Number, or empty")


class PlaceIn(Schema):
    code: str = Field(max_length=40, examples=["W1"])
    name: Name
    address: str = Field("", max_length=300)
    gln: str = Field("", max_length=20, examples=["6901234567892"])


class StockOut(Schema):
    """So much of an item in a place, of a lot and with a serial number where there are. Quantities are decimal texts in the
    item's unit; `free` is what is on hand and not reserved for a trade."""

    id: UUID
    place: UUID
    place_code: str
    item: UUID
    item_code: str
    item_name: dict[str, str]
    unit: str
    lot: str
    serial: str
    disposition: str = Field(description="available, or inspecting: delivered and not accepted yet")
    on_hand: str
    reserved: str
    free: str


class StockAsked(Schema):
    """What a list of stock is narrowed by."""

    q: str = Field(
        "", max_length=100, description="Part of an item's code, name or GTIN; or how a lot or serial begins."
    )
    place: UUID | None = None
    item: UUID | None = None
    lot: str = Field("", max_length=64)
    serial: str = Field("", max_length=64)
    state: Literal["", "free", "reserved", "inspecting"] = ""
    cursor: str | None = None
    limit: int = LIMIT_DEFAULT


class TakeInIn(Schema):
    """Goods that were made or bought elsewhere. With `serials`, one for each piece."""

    place: UUID
    item: UUID
    quantity: DecimalText
    lot: str = Field("", max_length=64)
    serials: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list, max_length=1000)


class CountIn(Schema):
    """What was counted, in the item's unit; 0 where nothing is left."""

    counted: DecimalText
    reason: Reason = "counted"
    note: str = Field("", max_length=500)


class WriteOffIn(Schema):
    quantity: DecimalText
    reason: Reason = "damaged"
    note: str = Field("", max_length=500)


class RelocateIn(Schema):
    to_place: UUID
    quantity: DecimalText


class MovementOut(Schema):
    """One change of the organisation's stock. `from_place` and `to_place`: its own places; null: another's, or outside."""

    id: UUID
    recorded_at: datetime
    kind: str = Field(description="taken_in, adjusted, relocated, reserved, lifted, delivered, received or accepted")
    item: UUID
    item_code: str
    unit: str
    lot: str
    serial: str
    from_place: str | None
    to_place: str | None
    quantity: str
    reservation: str = Field(description="The change of what is reserved")
    reference: UUID = Field(description="The agreement or the event of the warehouse it belongs to")
    reason: str
    note: str


class ShipmentLine(Schema):
    commitment: int | None = None
    name: dict[str, str]
    quantity: str
    unit: str
    item: UUID | None = None
    lot: str = ""
    lots: list[dict[str, str]] = Field(
        default_factory=list, description="lot, serial and quantity, where they were named"
    )


class ShipmentOut(Schema):
    """A despatch of a delivery (UBL Despatch Advice; EPCIS: shipping)."""

    id: UUID
    reference: UUID = Field(alias="reference_id", description="The agreement")
    event: UUID = Field(alias="event_id")
    sender: UUID = Field(alias="sender_id")
    receiver: UUID = Field(alias="receiver_id")
    carrier: str
    tracking: str
    vehicle: str
    shipped_at: datetime
    lines: list[ShipmentLine]


def _own(request: PartyRequest, act: str = "goods.see") -> UUID:
    return require_own(request.actor, act)


def _stock_out(found: Iterable[Stock]) -> list[dict[str, Any]]:
    listed = list(found)
    items = catalogue.known(one.item_id for one in listed)
    return [
        {
            "id": one.pk, "place": one.place_id, "place_code": one.place.code, "item": one.item_id,
            **_item(items.get(one.item_id)), "lot": one.lot, "serial": one.serial, "disposition": one.disposition,
            "on_hand": plain(one.on_hand), "reserved": plain(one.reserved), "free": plain(one.on_hand - one.reserved),
        }
        for one in listed
    ]  # fmt: skip


def _item(item: catalogue.Known | None) -> dict[str, Any]:
    return {
        "item_code": item.code if item else "", "item_name": dict(item.name) if item else {}, "unit": item.unit if item else ""
    }  # fmt: skip


def _one(request: PartyRequest, stock_id: UUID) -> dict[str, Any]:
    return _stock_out([queries.one_stock(request.actor, request.marketplace.pk, stock_id)])[0]


@router.get("/m/{marketplace}/places", response=Page[PlaceOut], summary="One's own places")
def places(request: PartyRequest, marketplace: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT) -> Page[Any]:
    """Newest first."""
    return page_of(queries.places(_own(request)), cursor, limit)


@router.post("/m/{marketplace}/places", response=PlaceOut, summary="Open a place")
def open_place(request: PartyRequest, marketplace: str, body: PlaceIn) -> Place:
    """Where the organisation's goods can lie."""
    own = _own(request, "goods.open_place")
    return acts.open_place(actor=request.actor, organisation_id=own, now=clock.now(), **body.dict())


@router.get("/m/{marketplace}/places/{place_id}", response=PlaceOut, summary="A place")
def one_place(request: PartyRequest, marketplace: str, place_id: UUID) -> Place:
    """Of one's own organisation."""
    _own(request)
    return queries.place(request.actor, place_id)


@router.put("/m/{marketplace}/places/{place_id}", response=PlaceOut, summary="Rename a place")
def edit_place(request: PartyRequest, marketplace: str, place_id: UUID, body: PlaceIn) -> Place:
    """Its code, name, address and GLN. What lies there stays."""
    return acts.edit_place(actor=request.actor, place_id=place_id, now=clock.now(), **body.dict())


@router.get("/m/{marketplace}/stock", response=Page[StockOut], summary="Stock by place, item, lot and serial")
def stock(request: PartyRequest, marketplace: str, asked: Query[StockAsked]) -> Page[Any]:
    """What there is now, in the order of the balances' ids, which never change."""
    narrowed = queries.Asked(asked.q.strip(), asked.place, asked.item, asked.lot, asked.serial, asked.state)
    found = page_of(queries.stock(request.marketplace.pk, _own(request), narrowed), asked.cursor, asked.limit)
    found.items = _stock_out(found.items)
    return found


@router.post("/m/{marketplace}/stock", response=list[StockOut], summary="Take goods in")
def take_in(request: PartyRequest, marketplace: str, body: TakeInIn) -> list[dict[str, Any]]:
    """Of an item of one's own catalogue. The answer is the stock it was added to, with serials the last piece's."""
    item = catalogue.own(_own(request, "goods.take_in"), body.item)
    balance = acts.take_in(
        actor=request.actor, marketplace_id=request.marketplace.pk, place_id=body.place, item_id=item.id,
        quantity=parse_decimal(body.quantity), lot=body.lot.strip(), serials=body.serials, now=clock.now(),
    )  # fmt: skip
    return [_one(request, balance.id)]


@router.get("/m/{marketplace}/stock/{stock_id}", response=StockOut, summary="One balance of stock")
def one_stock(request: PartyRequest, marketplace: str, stock_id: UUID) -> dict[str, Any]:
    """Also an empty one."""
    _own(request)
    return _one(request, stock_id)


@router.post("/m/{marketplace}/stock/{stock_id}/count", response=StockOut, summary="Set stock to what was counted")
def count(request: PartyRequest, marketplace: str, stock_id: UUID, body: CountIn) -> dict[str, Any]:
    """Stock-taking. The difference is a movement; a count without one is recorded too. Never below what is reserved."""
    counted = parse_decimal(body.counted, field="counted", zero=True)
    _in_reach(request, stock_id)
    acts.adjust(
        actor=request.actor, stock_id=stock_id, counted=counted, reason=body.reason, note=body.note, now=clock.now()
    )
    return _one(request, stock_id)


@router.post("/m/{marketplace}/stock/{stock_id}/write-off", response=StockOut, summary="Write stock off")
def write_off(request: PartyRequest, marketplace: str, stock_id: UUID, body: WriteOffIn) -> dict[str, Any]:
    """So much is gone, for this reason."""
    _in_reach(request, stock_id)
    acts.write_off(
        actor=request.actor, stock_id=stock_id, quantity=parse_decimal(body.quantity), reason=body.reason, note=body.note,
        now=clock.now(),
    )  # fmt: skip
    return _one(request, stock_id)


@router.post("/m/{marketplace}/stock/{stock_id}/relocate", response=StockOut, summary="Move stock to another place")
def relocate(request: PartyRequest, marketplace: str, stock_id: UUID, body: RelocateIn) -> dict[str, Any]:
    """Of one's own. What is reserved stays where it is. The answer is the stock at the new place."""
    _in_reach(request, stock_id)
    balance = acts.relocate(
        actor=request.actor,
        stock_id=stock_id,
        to_place_id=body.to_place,
        quantity=parse_decimal(body.quantity),
        now=clock.now(),
    )
    return _one(request, balance.id)


def _in_reach(request: PartyRequest, stock_id: UUID) -> None:
    """Stock of this marketplace, of the organisation one acts for."""
    _own(request, "goods.adjust")
    queries.one_stock(request.actor, request.marketplace.pk, stock_id)


@router.get("/m/{marketplace}/movements", response=Page[MovementOut], summary="What moved")
def movements(
    request: PartyRequest, marketplace: str, place: UUID | None = None, item: UUID | None = None,
    stock: UUID | None = None, cursor: str | None = None, limit: int = LIMIT_DEFAULT,
) -> Page[Any]:  # fmt: skip
    """Every change of one's own stock, newest first; of one place, item or balance where asked."""
    own = _own(request)
    found = page_of(
        queries.movements(request.marketplace.pk, own, place_id=place, item_id=item, stock_id=stock), cursor, limit
    )
    lines = queries.lines(own, found.items)
    items = catalogue.known(line.item_id for line in lines)
    found.items = [
        {
            "id": line.id, "recorded_at": line.recorded_at, "kind": line.kind, "item": line.item_id,
            **_item(items.get(line.item_id)), "lot": line.lot, "serial": line.serial,
            "from_place": line.source.place.code if line.source else None,
            "to_place": line.target.place.code if line.target else None,
            "quantity": plain(line.quantity), "reservation": plain(line.reservation), "reference": line.reference_id,
            "reason": line.reason, "note": line.note,
        }
        for line in lines
    ]  # fmt: skip
    return found


@router.get("/m/{marketplace}/shipments", response=Page[ShipmentOut], summary="What was sent and received")
def shipments(
    request: PartyRequest, marketplace: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """Despatches of one's own organisation, in either direction, newest first."""
    return page_of(queries.shipments(request.marketplace.pk, _own(request)), cursor, limit)


@router.get("/m/{marketplace}/shipments/{shipment_id}", response=ShipmentOut, summary="A shipment")
def one_shipment(request: PartyRequest, marketplace: str, shipment_id: UUID) -> Shipment:
    """For its sender and its receiver."""
    _own(request)
    return queries.shipment(request.actor, request.marketplace.pk, shipment_id)
