"""EPCIS 2.0 (GS1, ISO/IEC 19987:2024) as JSON-LD: what happened to goods, as others read it. Pure: values in, documents out.

An event is an entry of the log, and has its id: `urn:uuid:` and the entry's own. The standard's other way, an id that is the
hash of the event's content (`ni:///sha-256;…?ver=CBV2.0`), is not taken: it changes whenever the export learns to say more,
while the log's id is one for ever, and the log proves its content with a hash of its own. What one entry says in two EPCIS
events (a count, and the loss it found) gets ids derived from the entry's.

Names of things: with a GTIN or GLN a GS1 Digital Link, otherwise an address below the installation's own, as CBV 2.0
section 8 allows: `…/id/class/…`, `…/id/obj/…`, `…/id/loc/…`, `…/id/party/…`, `…/id/bt/…`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from huangpu.core.clock import rfc3339
from huangpu.core.ids import uuid8
from huangpu.core.quantity import plain

from .rules import Lot

MEDIA_TYPE = "application/ld+json"
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
GS1 = "https://id.gs1.org"
DIGITAL_LINK_NAME = re.compile(
    r"[A-Za-z0-9_.\-!\"%&'()*+,/:;<=>?]{1,20}"
)  # GS1 AI encodable character set 82, AI 10 and 21
# what a loss does to goods (CBV 2.0, section 7.2)
DISPOSITIONS = {"damaged": "damaged", "expired": "expired", "destroyed": "destroyed", "lost": "unknown"}
_EXACT = re.compile(r'"\\u0000(-?[0-9.]+)"')


@dataclass(frozen=True, slots=True)
class Where:
    """A place, with its GLN or empty."""

    id: UUID
    gln: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """A party, with its GLN or empty."""

    id: UUID
    gln: str = ""


@dataclass(frozen=True, slots=True)
class What:
    """So much of an item. `item_id` None: a line of a trade that names no item, called by its agreement and number."""

    quantity: Decimal
    unit: str
    item_id: UUID | None = None
    gtin: str = ""
    lots: Sequence[Lot] = ()
    line: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """An entry of the log that tells of goods. `kind`: taken_in, counted, lost, found, relocated, shipped, accepted, returned
    or title_transferred. `number`: of the agreement; `despatch`: of the shipment."""

    id: UUID
    kind: str
    at: datetime
    recorded_at: datetime
    goods: Sequence[What]
    source: Where | None = None
    target: Where | None = None
    provider: Who | None = None
    receiver: Who | None = None
    number: str = ""
    despatch: UUID | None = None
    reason: str = ""
    part: int = 0  # which of the events that one entry makes


# kind → (event type, action, business step, disposition): CBV 2.0, sections 7.1 and 7.2
STEPS: dict[str, tuple[str, str, str, str]] = {
    "taken_in": ("ObjectEvent", "ADD", "commissioning", "active"),
    "counted": ("ObjectEvent", "OBSERVE", "stock_taking", ""),
    "found": ("ObjectEvent", "ADD", "commissioning", "active"),
    "lost": ("ObjectEvent", "DELETE", "decommissioning", "inactive"),
    "relocated": ("ObjectEvent", "OBSERVE", "storing", ""),
    "shipped": ("ObjectEvent", "OBSERVE", "shipping", "in_transit"),
    "accepted": ("TransactionEvent", "ADD", "accepting", "in_progress"),
    "returned": ("ObjectEvent", "OBSERVE", "shipping", "returned"),
    "title_transferred": ("TransactionEvent", "ADD", "accepting", "in_progress"),
}


def document(happenings: Iterable[Happening], *, base: str, zone: ZoneInfo, now: datetime) -> str:
    """An EPCISDocument, as text. `base`: the installation's address; `zone`: where its clocks stand; `now`: when it is made."""
    events = [event(one, base=base, zone=zone) for one in happenings]
    made = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": rfc3339(now),
        "epcisBody": {"eventList": events},
    }
    return written(made)


def event(one: Happening, *, base: str, zone: ZoneInfo) -> dict[str, Any]:
    """One EPCIS event. Quantities stay exact decimals until `written`."""
    kind, action, step, disposition = STEPS[one.kind]
    names = Names(base)
    pieces, quantities = names.what(one.goods)
    made: dict[str, Any] = {
        "type": kind,
        "eventID": f"urn:uuid:{_event_id(one)}",
        "eventTime": rfc3339(one.at),
        "recordTime": rfc3339(one.recorded_at),
        "eventTimeZoneOffset": _offset(one.at, zone),
        "action": action,
        "bizStep": step,
    }
    disposition = DISPOSITIONS.get(one.reason, disposition) if one.kind == "lost" else disposition
    if disposition:
        made["disposition"] = disposition
    if pieces or not quantities:
        made["epcList"] = pieces
    if quantities:
        made["quantityList"] = quantities
    if one.source:
        made["readPoint"] = {"id": names.place(one.source)}
    lies = one.target if one.kind != "shipped" else None  # what is under way has no place of business
    if lies:
        made["bizLocation"] = {"id": names.place(lies)}
    if one.number:
        papers = [{"type": "po", "bizTransaction": names.own("bt", one.number)}]
        if one.despatch:
            papers.append({"type": "desadv", "bizTransaction": names.own("bt", str(one.despatch))})
        made["bizTransactionList"] = papers
    if sides := names.sides("source", one.provider, one.source if one.number else None):
        made["sourceList"] = sides
    if sides := names.sides("destination", one.receiver, one.target if one.number else None):
        made["destinationList"] = sides
    return made


def written(made: Any) -> str:
    """JSON with its decimals as exact numbers, which Python's own writer would round."""
    return _EXACT.sub(r"\1", json.dumps(made, ensure_ascii=True, default=_decimal))


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called outside."""

    base: str

    def own(self, kind: str, *steps: str) -> str:
        """An address below the installation's own."""
        return "/".join([f"{self.base}/id/{kind}", *(quote(step, safe="") for step in steps)])

    def item(self, what: What, lot: Lot | None = None) -> str:
        """The class of an item or of a lot of it; with a serial number the piece."""
        name, serial = (lot.lot, lot.serial) if lot else ("", "")
        if what.gtin and all(not one or DIGITAL_LINK_NAME.fullmatch(one) for one in (name, serial)):
            steps = [f"01/{what.gtin.zfill(14)}"]
            steps += [f"10/{quote(name, safe='')}"] if name and not serial else []
            steps += [f"21/{quote(serial, safe='')}"] if serial else []
            return "/".join([GS1, *steps])
        of = str(what.item_id) if what.item_id else what.line
        if serial:
            return self.own("obj", of, serial)
        return self.own("class", of, name) if name else self.own("class", of)

    def what(self, goods: Iterable[What]) -> tuple[list[str], list[dict[str, Any]]]:
        """The pieces by name, and the quantities of everything else."""
        pieces: list[str] = []
        quantities: list[dict[str, Any]] = []
        for one in goods:
            for lot in one.lots or [Lot("", "", one.quantity)]:
                if lot.serial:
                    pieces.append(self.item(one, lot))
                else:
                    quantities.append(_quantity(self.item(one, lot), lot.quantity, one.unit))
        return pieces, quantities

    def place(self, where: Where) -> str:
        return f"{GS1}/414/{where.gln}" if where.gln else self.own("loc", str(where.id))

    def party(self, who: Who) -> str:
        return f"{GS1}/417/{who.gln}" if who.gln else self.own("party", str(who.id))

    def sides(self, side: str, who: Who | None, where: Where | None) -> list[dict[str, str]]:
        """The source or destination list (EPCIS 2.0, section 7.3.5.4): the party that owns, and the place."""
        listed = [{"type": "owning_party", side: self.party(who)}] if who else []
        return listed + ([{"type": "location", side: self.place(where)}] if who and where else [])


def _quantity(name: str, quantity: Decimal, unit: str) -> dict[str, Any]:
    # a count has no unit of measure (EPCIS 2.0, section 7.3.3.3)
    counted = unit in ("C62", "H87", "EA", "")
    return {"epcClass": name, "quantity": quantity} | ({} if counted else {"uom": unit})


def _event_id(one: Happening) -> UUID:
    return uuid8(hashlib.sha256(f"{one.id}|{one.part}".encode()).digest()) if one.part else one.id


def _offset(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()[-6:]


def _decimal(value: Any) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} has no place in an EPCIS document")
    return f"\0{plain(value)}"
