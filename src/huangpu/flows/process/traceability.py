"""What happened to goods, read from the log: of a trade, of a shipment, of an organisation in a span of time. As the values
that the goods room writes EPCIS documents of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from huangpu.core.ids import first_uuid7_at
from huangpu.core.log.models import Event, Payload
from huangpu.flows.commerce.models import Agreement, Commitment
from huangpu.flows.goods import catalogue
from huangpu.flows.goods.models import Place, Shipment
from huangpu.flows.goods.rules import Lot, named_lots
from huangpu.flows.goods.standard import Happening, What, Where, Who
from huangpu.parties.models import Identifier

WAREHOUSE = ("goods.taken_in", "goods.adjusted", "goods.relocated")
ACTIONS = ("deliver", "accept", "transfer_title")
EVENTS_MAX = 1000  # in one document


def of_trade(agreement: Agreement) -> list[Happening]:
    """Everything that happened to the goods of a trade, the earliest first."""
    return _told(Event.objects.filter(thread_id=agreement.pk).order_by("id")[:EVENTS_MAX])


def of_shipment(shipment: Shipment) -> list[Happening]:
    """The delivery that a despatch tells of."""
    return _told(Event.objects.filter(pk=shipment.event_id))


def of_organisation(
    marketplace_id: UUID, organisation_id: UUID, *, since: datetime, until: datetime, after: UUID | None = None,
    limit: int = EVENTS_MAX,
) -> tuple[list[Happening], UUID | None]:  # fmt: skip
    """What was recorded of an organisation's goods from `since` until before `until`, the earliest first, and the entry of the
    log after which the next page begins; None on the last. It is read by the log's own key, so that a short span is quick."""
    found = Event.objects.filter(
        marketplace_id=marketplace_id, audience__contains=[organisation_id], id__gte=first_uuid7_at(since),
        id__lt=first_uuid7_at(until),
    )  # fmt: skip
    found = found.filter(kind__in=WAREHOUSE) | found.filter(subject_type="agreement")
    if after:
        found = found.filter(id__gt=after)
    listed = list(found.order_by("id")[: limit + 1])
    more = listed[limit - 1].pk if len(listed) > limit else None
    return _told(listed[:limit]), more


@dataclass(frozen=True, slots=True)
class _Known:
    """What the entries speak of, looked up once for all of them."""

    bodies: Mapping[UUID, Any]
    promises: Mapping[tuple[UUID, int], Commitment]
    numbers: Mapping[UUID, str]
    items: Mapping[UUID, catalogue.Known]
    places: Mapping[UUID, Place]
    glns: Mapping[UUID, str]
    despatches: Mapping[UUID, UUID]

    def where(self, id: Any) -> Where | None:
        return Where(UUID(str(id)), found.gln if (found := self.places.get(UUID(str(id)))) else "") if id else None

    def who(self, id: UUID) -> Who:
        return Who(id, self.glns.get(id, ""))

    def what(self, item_id: Any, quantity: Decimal, unit: str, lots: Iterable[Lot] = (), line: str = "") -> What:
        item = self.items.get(UUID(str(item_id))) if item_id else None
        return What(
            quantity, unit or (item.unit if item else ""), UUID(str(item_id)) if item_id else None, item.gtin if item else "",
            tuple(lots), line,
        )  # fmt: skip


def _told(found: Iterable[Event]) -> list[Happening]:
    """Eight statements at the most, for any number of entries."""
    events = list(found)
    known = _look_up(events)
    told: list[Happening] = []
    for event in events:
        body = known.bodies.get(event.pk)
        if body is None:  # erased
            continue
        if event.kind in WAREHOUSE:
            told += _warehouse(event, body, known)
        elif event.subject_type == "agreement":
            told += _trade(event, body, known)
    return told


def _look_up(events: list[Event]) -> _Known:
    bodies: dict[UUID, Any] = dict(Payload.objects.filter(pk__in=[one.pk for one in events]).values_list("pk", "body"))
    agreements = {one.subject_id for one in events if one.subject_type == "agreement"}
    promises = {
        (one.agreement_id, one.ordinal): one
        for one in Commitment.objects.filter(agreement_id__in=agreements).filter(
            flow__in=("goods", "process", "commerce")
        )
    }
    told = [body for one in events if one.kind in WAREHOUSE and (body := bodies.get(one.pk))]
    details = [one.details for one in promises.values()]
    items = {UUID(str(one["item"])) for one in (*told, *details) if one.get("item")}
    sides = {one[key] for one in (*told, *details) for key in ("place", "to_place", "from_place") if one.get(key)}
    parties = {id for one in promises.values() for id in (one.provider_id, one.receiver_id)}
    return _Known(
        bodies, promises, dict(Agreement.objects.filter(pk__in=agreements).values_list("pk", "number")),
        catalogue.known(items), Place.objects.in_bulk([UUID(str(id)) for id in sides]),
        dict(Identifier.objects.filter(organisation_id__in=parties, scheme="GLN").values_list("organisation_id", "value")),
        dict(Shipment.objects.filter(event_id__in=[one.pk for one in events]).values_list("event_id", "pk")),
    )  # fmt: skip


def _warehouse(event: Event, body: Mapping[str, Any], known: _Known) -> list[Happening]:
    common: dict[str, Any] = {"id": event.pk, "at": event.occurred_at, "recorded_at": event.recorded_at}
    at = known.where(body["place"])

    def goods(quantity: str | Decimal, serials: Iterable[str] = ()) -> list[What]:
        amount = Decimal(quantity)
        lots = [Lot(body["lot"], one, Decimal(1)) for one in serials] or [Lot(body["lot"], "", amount)]
        return [known.what(body["item"], amount, "", lots)]

    if event.kind == "goods.taken_in":
        return [Happening(kind="taken_in", goods=goods(body["quantity"], body.get("serials", ())), target=at, **common)]
    serials = [body["serial"]] if body["serial"] else []
    if event.kind == "goods.relocated":
        to = known.where(body["to_place"])
        return [Happening(kind="relocated", goods=goods(body["quantity"], serials), source=at, target=to, **common)]
    change = Decimal(body["after"]) - Decimal(body["before"])
    made = []
    if body["counted"]:
        # a piece that is not there is not observed
        seen = goods(body["after"], serials) if not serials or Decimal(body["after"]) else []
        made.append(Happening(kind="counted", goods=seen, target=at, **common))
    if change:
        kind = "found" if change > 0 else "lost"
        lost = goods(abs(change), serials)
        made.append(Happening(kind=kind, goods=lost, target=at, reason=body["reason"], part=len(made), **common))
    return made


def _trade(event: Event, body: Mapping[str, Any], known: _Known) -> list[Happening]:
    """One act of a trade: by verb, and by whether it was taken back."""
    groups: dict[tuple[str, UUID, UUID, Any, Any], list[What]] = {}
    for step in body.get("fulfilled", ()):
        promise = known.promises.get((event.subject_id, step["ordinal"]))
        if step["action"] not in ACTIONS or promise is None or step["quantity"] is None:
            continue
        quantity = Decimal(step["quantity"])
        kind = _kind(step["action"], quantity)
        if not quantity or not kind:
            continue
        goods = _delivered(promise, known) if step["action"] == "accept" else promise
        lots = _lots(body, step["ordinal"], abs(quantity), goods.details)
        line = f"{known.numbers.get(event.subject_id, event.subject_id)}-{goods.ordinal}"
        what = known.what(goods.details.get("item"), abs(quantity), goods.unit, lots, line)
        at, to = goods.details.get("from_place"), goods.details.get("to_place")
        groups.setdefault((kind, goods.provider_id, goods.receiver_id, at, to), []).append(what)
    return [
        _of_group(event, kind, provider, receiver, at, to, goods, part, known)
        for part, ((kind, provider, receiver, at, to), goods) in enumerate(groups.items())
    ]


def _of_group(event: Event, kind: str, provider: UUID, receiver: UUID, at: Any, to: Any, goods: list[What], part: int,
              known: _Known) -> Happening:  # fmt: skip
    source, target = known.where(at), known.where(to)
    sides = (known.who(provider), known.who(receiver))
    if kind == "returned":  # the other way round
        source, target, sides = target, source, (sides[1], sides[0])
    elif kind == "title_transferred":  # the goods stay where they lie
        target = target or source
    elif kind == "accepted":  # where they were delivered to
        source = target
    return Happening(
        id=event.pk, kind=kind, at=event.occurred_at, recorded_at=event.recorded_at, goods=goods, source=source, target=target,
        provider=sides[0], receiver=sides[1], number=known.numbers.get(event.subject_id, ""),
        despatch=known.despatches.get(event.pk), part=part,
    )  # fmt: skip


def _kind(action: str, quantity: Decimal) -> str:
    if action == "deliver":
        return "shipped" if quantity > 0 else "returned"
    if quantity < 0:
        return ""  # an acceptance that fell away with its delivery: the return tells it
    return "accepted" if action == "accept" else "title_transferred"


def _delivered(promise: Commitment, known: _Known) -> Commitment:
    """The delivery that an acceptance is of."""
    return known.promises.get((promise.agreement_id, promise.after[0]), promise) if promise.after else promise


def _lots(body: Mapping[str, Any], ordinal: int, quantity: Decimal, promised: Mapping[str, Any]) -> list[Lot]:
    """What the act named; otherwise what was promised."""
    if named := named_lots(body.get("details") or {}, ordinal, quantity):
        return named
    lot, serial = promised.get("lot", ""), promised.get("serial", "")
    return [Lot(lot, serial, quantity)] if lot or serial else []
