"""What a warehouse does by itself: places, goods that come in, counts and losses, goods that change their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, lock
from huangpu.core.errors import Conflict, Invalid, NotFound
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, record
from huangpu.core.quantity import LARGEST, PLACES, plain
from huangpu.parties.actor import Actor
from huangpu.parties.identifiers import check
from huangpu.parties.rights import require

from ..models import Place, Stock
from ..rules import LOTS_MAX, NAME_LENGTH_MAX, REASONS, Balance, Move
from .moving import move


@act
def open_place(
    *,
    actor: Actor,
    organisation_id: UUID,
    code: str,
    name: Mapping[str, str],
    address: str = "",
    gln: str = "",
    now: datetime,
) -> Place:
    """A place of the actor's organisation where goods can lie. Event goods.place_opened.

    Refused with `place.code`, `place.name`, `place.code_taken` and what is wrong with a GLN.
    """
    require(actor, "goods.open_place", organisation_id=organisation_id)
    place = Place(organisation_id=organisation_id, **_place(code, name, address, gln))
    _save(place)
    _tell_place("goods.place_opened", place, actor, now)
    return place


@act
def edit_place(
    *, actor: Actor, place_id: UUID, code: str, name: Mapping[str, str], address: str, gln: str, now: datetime
) -> Place:
    """Gives a place another code, name, address or GLN; what lies there stays. Event goods.place_edited. Refused as
    `open_place` is, and with `place.unknown`."""
    place = own_place(actor, place_id)
    require(actor, "goods.edit_place", organisation_id=place.organisation_id)
    for field, value in _place(code, name, address, gln).items():
        setattr(place, field, value)
    _save(place)
    _tell_place("goods.place_edited", place, actor, now)
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
    serials: Sequence[str] = (),
    now: datetime,
) -> Balance:
    """Goods that were made or bought elsewhere come into the owner's stock (EPCIS: commissioning), with serial numbers one
    piece each. Event goods.taken_in. Returns the balance, of the last piece where there are serials.

    Refused with `place.unknown`, `quantity.invalid`, `lot.invalid`, `serial.count` and `serial.elsewhere`.
    """
    place = own_place(actor, place_id)
    require(actor, "goods.take_in", organisation_id=place.organisation_id)
    _quantity(quantity)
    _names(lot, serials, quantity)
    parts = [(serial, Decimal(1)) for serial in serials] or [("", quantity)]
    balances = [
        Balance(marketplace_id, place_id, item_id, place.organisation_id, lot, serial=one) for one, _part in parts
    ]
    event_id = uuid7()
    moves = [Move(None, balance, part) for balance, (_one, part) in zip(balances, parts, strict=True)]
    move(marketplace_id=marketplace_id, reference_id=event_id, moves=moves)
    payload = {
        "item": str(item_id),
        "quantity": plain(quantity),
        "lot": lot,
        "serials": list(serials),
        "place": str(place_id),
    }
    _tell(event_id, "goods.taken_in", actor, marketplace_id, place, now, payload)
    return balances[-1]


@act
def adjust(
    *, actor: Actor, stock_id: UUID, counted: Decimal, reason: str = "counted", note: str = "", now: datetime
) -> Stock:
    """Stock-taking: so much was counted, and so much is in stock from now on; the difference is a movement. Event
    goods.adjusted, also where nothing differs: the count itself is told.

    Refused with `stock.unknown`, `stock.reason`, `quantity.invalid`, `stock.reserved` and `serial.quantity`.
    """
    stock = own_stock(actor, stock_id)
    require(actor, "goods.adjust", organisation_id=stock.owner_id)
    _quantity(counted, least=Decimal(0))
    return _adjusted(stock, counted, reason, note, actor, now, is_count=True)


@act
def write_off(*, actor: Actor, stock_id: UUID, quantity: Decimal, reason: str, note: str = "", now: datetime) -> Stock:
    """So much is gone: damaged, expired, lost, destroyed, consumed. Event goods.adjusted.

    Refused with `stock.unknown`, `stock.reason`, `quantity.invalid`, `stock.insufficient` and `stock.reserved`.
    """
    stock = own_stock(actor, stock_id)
    require(actor, "goods.adjust", organisation_id=stock.owner_id)
    _quantity(quantity)
    if quantity > stock.on_hand:
        raise Conflict(
            "stock.insufficient",
            _("There is not enough stock: %(value)s is asked for, and less is free at that place."),
            field="quantity",
            value=plain(quantity),
        )
    return _adjusted(stock, stock.on_hand - quantity, reason, note, actor, now, is_count=False)


@act
def relocate(*, actor: Actor, stock_id: UUID, to_place_id: UUID, quantity: Decimal, now: datetime) -> Balance:
    """Goods go from one own place to another. Event goods.relocated. Returns where they are now.

    Refused with `stock.unknown`, `place.unknown`, `place.same`, `quantity.invalid` and `stock.insufficient`.
    """
    stock = own_stock(actor, stock_id)
    require(actor, "goods.relocate", organisation_id=stock.owner_id)
    place = own_place(actor, to_place_id)
    if place.organisation_id != stock.owner_id:
        raise _no_place(to_place_id)
    if place.pk == stock.place_id:
        raise Invalid(
            "place.same", _("The goods are there already; choose another place."), field="to_place", value=place.code
        )
    _quantity(quantity)
    source = balance_of(stock)
    target = Balance(
        stock.marketplace_id, place.pk, stock.item_id, stock.owner_id, stock.lot, stock.disposition, stock.serial
    )
    event_id = uuid7()
    move(marketplace_id=stock.marketplace_id, reference_id=event_id, moves=[Move(source, target, quantity)])
    payload = {**_what(stock), "quantity": plain(quantity), "place": str(stock.place_id), "to_place": str(place.pk)}
    _tell(event_id, "goods.relocated", actor, stock.marketplace_id, place, now, payload)
    return target


def own_place(actor: Actor, place_id: UUID) -> Place:
    """A place of the actor's own organisation. Refused with `place.unknown`, also where it is a neighbour's."""
    place = Place.objects.filter(pk=place_id).first()
    if place is None or not (actor.is_system or place.organisation_id == actor.organisation_id):
        raise _no_place(place_id)
    return place


def own_stock(actor: Actor, stock_id: UUID) -> Stock:
    """A balance of the actor's own organisation, under lock. Refused with `stock.unknown`, also where it is a neighbour's."""
    stock = lock(Stock, [stock_id]).get(stock_id)
    if stock is None or not (actor.is_system or stock.owner_id == actor.organisation_id):
        raise NotFound("stock.unknown", _("You have no such stock."), field="stock", value=str(stock_id))
    return stock


def balance_of(stock: Stock) -> Balance:
    """What a row is the balance of."""
    return Balance(
        stock.marketplace_id, stock.place_id, stock.item_id, stock.owner_id, stock.lot, stock.disposition, stock.serial
    )


def _adjusted(
    stock: Stock, after: Decimal, reason: str, note: str, actor: Actor, now: datetime, *, is_count: bool
) -> Stock:
    if reason not in REASONS:
        raise Invalid("stock.reason", _("“%(value)s” is not one of the reasons: %(known)s."), field="reason",
                      value=reason[:100], known=", ".join(REASONS))  # fmt: skip
    if after < stock.reserved:
        raise Conflict(
            "stock.reserved",
            _("%(value)s is promised to trades; less than that cannot be in stock. End or change those trades first."),
            field="counted" if is_count else "quantity",
            value=plain(stock.reserved),
        )
    before, balance, event_id = stock.on_hand, balance_of(stock), uuid7()
    if after > before:
        move(marketplace_id=stock.marketplace_id, reference_id=event_id, moves=[Move(None, balance, after - before)])
    elif after < before:
        move(marketplace_id=stock.marketplace_id, reference_id=event_id, moves=[Move(balance, None, before - after)])
    payload = {
        **_what(stock), "place": str(stock.place_id), "before": plain(before), "after": plain(after), "counted": is_count,
        "reason": reason, "note": note.strip()[:500],
    }  # fmt: skip
    _tell(event_id, "goods.adjusted", actor, stock.marketplace_id, stock.place, now, payload)
    stock.on_hand = after
    return stock


def _place(code: str, name: Mapping[str, str], address: str, gln: str) -> dict[str, Any]:
    code, words = code.strip(), {language: text.strip() for language, text in name.items() if text.strip()}
    if not 1 <= len(code) <= 40:
        raise Invalid("place.code", _("Write a code of 1 to 40 characters."), field="code", value=code[:100])
    if not words or any(len(text) > 200 for text in words.values()) or not set(words) <= {"zh-hans", "en"}:
        raise Invalid("place.name", _("Write a name of 1 to 200 characters."), field="name")
    if gln.strip():
        gln = check("GLN", gln).value
    return {"code": code, "name": words, "address": address.strip()[:300], "gln": gln.strip()}


def _save(place: Place) -> None:
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError as taken:
        if "goods_place_code_once" not in str(taken):
            raise
        raise Conflict(
            "place.code_taken", _("There is already a place with the code “%(value)s”."), field="code", value=place.code
        ) from taken


def _quantity(value: Decimal, least: Decimal | None = None) -> None:
    fits = value.is_finite() and value <= LARGEST and value == round(value, PLACES)
    if not fits or (value <= 0 if least is None else value < least):
        raise Invalid(
            "quantity.invalid", _("“%(value)s” is not a quantity; write a number above 0 with at most six decimals."),
            field="quantity" if least is None else "counted", value=plain(value)[:100],
        )  # fmt: skip


def _names(lot: str, serials: Sequence[str], quantity: Decimal) -> None:
    if any(not 0 < len(name) <= NAME_LENGTH_MAX for name in serials) or len(lot) > NAME_LENGTH_MAX:
        raise Invalid(
            "lot.invalid", _("A lot or serial number has 1 to 64 characters."), field="serials" if serials else "lot"
        )
    if len(set(serials)) != len(serials) or len(serials) > LOTS_MAX or (serials and quantity != len(serials)):
        raise Invalid(
            "serial.count", _("%(value)s different serial numbers are given for %(wanted)s pieces; one each is wanted."),
            field="serials", value=len(set(serials)), wanted=plain(quantity),
        )  # fmt: skip


def _no_place(place_id: UUID) -> NotFound:
    return NotFound("place.unknown", _("There is no place “%(value)s”."), field="place_id", value=str(place_id))


def _what(stock: Stock) -> dict[str, Any]:
    return {"item": str(stock.item_id), "lot": stock.lot, "serial": stock.serial}


def _tell_place(kind: str, place: Place, actor: Actor, now: datetime) -> None:
    if actor.marketplace_id:
        facts = {"code": place.code, "name": dict(place.name), "gln": place.gln}
        _tell(uuid7(), kind, actor, actor.marketplace_id, place, now, facts)


def _tell(
    id: UUID, kind: str, actor: Actor, marketplace_id: UUID, place: Place, now: datetime, payload: dict[str, Any]
) -> None:
    event = NewEvent(
        id=id, kind=kind, marketplace_id=marketplace_id, subject_type="place", subject_id=place.pk, occurred_at=now,
        payload=payload, actor_id=actor.person_id, organisation_id=actor.organisation_id, audience=(place.organisation_id,),
    )  # fmt: skip
    record([event])
