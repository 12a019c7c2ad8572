"""A tender's public events → releases, in the order of the log: one release an event, each saying what is new.

Pure: events as data in, values out. Only events that everybody may read are given; what the parties keep to themselves
(bids of a closed opening, reasons of a disqualification, performance of the agreement) is in no release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from huangpu.core.money import Money
from huangpu.core.quantity import plain, unit_name
from huangpu.markets.history.standards.ocds.values import (
    Auction,
    Award,
    Bid,
    Classification,
    Contract,
    Document,
    Item,
    Lot,
    Party,
    Period,
    Procedure,
    Tender,
)

from ...rules import bond_amount, lot_budget

LANGUAGE = "zh-hans"


@dataclass(frozen=True, slots=True)
class Said:
    """A public event of a tender: its id, what happened, when, and what it says."""

    id: str
    kind: str
    at: datetime
    body: Mapping[str, Any]


@dataclass(slots=True)
class _Story:
    """What earlier events said that later ones only refer to."""

    ocid: str
    parties: Mapping[str, Party]  # by organisation id, without roles
    site: str = ""  # before an address of ours
    tender: Tender = field(default_factory=Tender)
    currency: str = ""
    bids: dict[str, Bid] = field(default_factory=dict)
    awards: dict[str, Award] = field(default_factory=dict)
    bidders: dict[str, None] = field(default_factory=dict)  # organisations, in the order in which they were named


def releases(ocid: str, events: Iterable[Said], parties: Mapping[str, Party], site: str = "") -> list[Procedure]:
    """The releases of one tender. `parties`: every organisation an event names, by its id; its local id is kept.
    `site`: where this house is reached, such as "https://trade.example".

    An event that says nothing in the standard's words (a question, an evaluation) gives none.
    """
    story = _Story(ocid, parties, site)
    found = []
    for event in events:
        say = _SAYS.get(event.kind)
        partial = say(story, event) if say else None
        if partial is not None:
            found.append(
                replace(
                    partial,
                    ocid=ocid,
                    release_id=f"{ocid}-{event.id}",
                    released_at=event.at,
                    language=LANGUAGE,
                    initiation="tender",
                )
            )
    return found


def _of(story: _Story, tag: str, tender: Tender, parties: Iterable[Party] = (), **more: Any) -> Procedure:
    """A partial release. The tender's id is said every time, since everything hangs on it."""
    return Procedure(
        story.ocid, "", tags=(tag,), tender=replace(tender, id=story.tender.id), parties=tuple(parties), **more
    )


def _party(story: _Story, organisation: str, *roles: str) -> Party | None:
    known = story.parties.get(organisation)
    return replace(known, roles=roles) if known else None


def _published(story: _Story, event: Said, tag: str = "tender") -> Procedure:
    body = event.body
    story.currency = body["currency"]
    buyer = _party(story, body["buyer"], "buyer", "procuringEntity")
    lots = tuple(
        Lot(
            lot["lot"],
            lot["title"],
            status="active",
            value=_money(story, lot["budget_minor"]),
            deposits=_deposits(story, body, lot),
        )
        for lot in body["lots"]
    )
    auction = body.get("auction")
    began = story.tender.tender_period.start or event.at
    story.tender = Tender(
        id=body["tender"],
        title=body["title"],
        description=body["description"],
        status="active",
        method="open",
        method_said=body["procedure"],
        category="goods",
        award_criteria="ratedCriteria" if body["criteria"] else "priceOnly",
        submission_methods=("electronicSubmission", *(("electronicAuction",) if auction else ())),
        value=_money(story, body["budget_minor"]),
        tender_period=Period(began, _instant(body["bids_until"])),
        enquiry_period=Period(event.at, _instant(body["questions_until"])) if body["questions_until"] else Period(),
        procuring_entity=buyer.id if buyer else "",
        lots=lots,
        items=tuple(_item(line, lot["lot"]) for lot in body["lots"] for line in lot["lines"]),
        documents=tuple(_document(one, story.site, began) for one in body.get("documents", ())),
        auctions=tuple(_auction(story, lot.id, auction) for lot in lots) if auction else (),
    )
    return _of(story, tag, story.tender, filter(None, [buyer]), buyer=buyer.id if buyer else "")


def _deposits(story: _Story, body: Mapping[str, Any], lot: Mapping[str, Any]) -> str:
    """The bid bond in the release's language, as the submission terms extension asks: a sentence."""
    budget = lot_budget(body["budget_minor"], lot["budget_minor"], len(body["lots"]))
    bond = bond_amount(body.get("bond_minor"), body.get("bond_ppm"), budget)
    return f"投标保证金：{plain(Money(bond, story.currency).major)} {story.currency}" if bond else ""


def _document(one: Mapping[str, Any], site: str, began: datetime) -> Document:
    address = str(one["address"])
    return Document(
        id=one["id"],
        title=one["title"],
        type=one["kind"],
        format=str(one["media_type"]).split(";")[0],
        url=f"{site.rstrip('/')}{address}" if address.startswith("/") else address,
        published_at=max(began, _instant(one["added_at"]) or began),  # with the tender, or later
    )


def _amended(story: _Story, event: Said) -> Procedure:
    return _published(story, event, "tenderUpdate")


def _item(line: Mapping[str, Any], lot: str) -> Item:
    classified = Classification(line["scheme"], line["code"]) if line["code"] else None
    said = unit_name(line["unit"])
    return Item(
        id=line["line"],
        description=line["name"],
        classification=classified,
        quantity=Decimal(line["quantity"]),
        unit=line["unit"],
        unit_said=said,
        lot=lot,
    )


def _auction(story: _Story, lot: str, rules: Mapping[str, Any]) -> Auction:
    step = rules.get("step_minor")
    return Auction(id=lot, lot=lot, minimal_step=_money(story, step) if isinstance(step, int) else None)


def _cancelled(story: _Story, _event: Said) -> Procedure | None:
    if not story.tender.id:
        return None  # a draft that nobody ever saw
    lots = tuple(Lot(lot.id, status="cancelled") for lot in story.tender.lots)
    awards = tuple(Award(id, "cancelled") for id, award in story.awards.items() if award.status == "active")
    return _of(story, "tenderCancellation", Tender(status="cancelled", lots=lots), awards=awards)


def _opened(story: _Story, event: Said) -> Procedure:
    """Who bid and how much, as the record of the opening tells; without names while an auction is to come."""
    body = event.body
    for bid in body["bids"]:
        story.bids[bid["bid"]] = Bid(
            id=bid["bid"],
            status={"valid": "valid"}.get(bid["status"], "disqualified"),
            date=_instant(bid["received_at"]),
            value=_money(story, bid["amount_minor"]),
            lots=(bid["lot"],),
        )
    named = {bid["bid"]: bid["bidder"] for bid in body["bids"] if bid["bidder"]}
    parties = _name(story, named)
    tender = Tender(
        status="unsuccessful" if body["stage"] == "unsuccessful" else "active",
        tenderers=tuple(party.id for party in parties),
        number_of_tenderers=len({bid["number"] for bid in body["bids"]}),
        lots=tuple(Lot(lot["lot"], status=_lot_status(lot["status"])) for lot in body["lots"]),
    )
    return _of(story, "tenderUpdate", tender, parties, bids=tuple(story.bids.values()))


def _named(story: _Story, event: Said) -> Procedure:
    parties = _name(story, {bid["bid"]: bid["bidder"] for bid in event.body["bids"]})
    tender = Tender(tenderers=tuple(party.id for party in parties))
    return _of(story, "tenderUpdate", tender, parties, bids=tuple(story.bids.values()))


def _name(story: _Story, bidders: Mapping[str, str]) -> list[Party]:
    """Says whose each bid is, and returns the bidders."""
    for bid, bidder in bidders.items():
        party = story.parties.get(bidder)
        if party and bid in story.bids:
            story.bids[bid] = replace(story.bids[bid], tenderers=(party.id,))
            story.bidders[bidder] = None
    return [party for bidder in story.bidders if (party := _party(story, bidder, "tenderer"))]


def _awarded(story: _Story, event: Said) -> Procedure:
    body = event.body
    supplier = _party(story, body["supplier"], "tenderer", "supplier")
    award = Award(
        id=body["award"],
        status="active",
        date=event.at,
        value=_money(story, body["amount_minor"]),
        suppliers=(supplier.id,) if supplier else (),
        bid=body["bid"] if body["bid"] in story.bids else "",
        lots=(body["lot"],),
        items=tuple(item for item in story.tender.items if item.lot == body["lot"]),
    )
    story.awards[award.id] = award
    return _of(story, "award", Tender(), filter(None, [supplier]), awards=(award,))


def _defaulted(story: _Story, event: Said) -> Procedure:
    return _void(story, [event.body["award"]])


def _complaint_decided(story: _Story, event: Said) -> Procedure | None:
    if not event.body["upheld"]:
        return None
    lot = event.body["lot"]
    return _void(story, [id for id, award in story.awards.items() if award.status == "active" and lot in award.lots])


def _void(story: _Story, ids: list[str]) -> Procedure:
    for id in ids:
        story.awards[id] = replace(story.awards.get(id, Award(id)), status="cancelled")
    return _of(story, "awardCancellation", Tender(), awards=tuple(Award(id, "cancelled") for id in ids))


def _concluded(story: _Story, event: Said) -> Procedure:
    agreed = event.body["agreements"]
    contracts = tuple(
        Contract(
            id=each["agreement"],
            award=each["award"],
            status="active",
            value=_money(story, each["amount_minor"]),
            signed_at=event.at,
            items=story.awards[each["award"]].items if each["award"] in story.awards else (),
        )
        for each in agreed
    )
    lots = tuple(Lot(each["lot"], status="complete") for each in agreed)
    return _of(story, "contract", Tender(status="complete", lots=lots), contracts=contracts)


def _lot_status(status: str) -> str:
    return {"unsuccessful": "unsuccessful", "cancelled": "cancelled", "concluded": "complete"}.get(status, "active")


def _money(story: _Story, minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, story.currency)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_SAYS: Mapping[str, Callable[[_Story, Said], Procedure | None]] = {
    "tender.published": _published,
    "tender.amended": _amended,
    "tender.cancelled": _cancelled,
    "tender.bids_opened": _opened,
    "tender.bidders_named": _named,
    "tender.awarded": _awarded,
    "tender.award_defaulted": _defaulted,
    "tender.complaint_decided": _complaint_decided,
    "tender.concluded": _concluded,
}
