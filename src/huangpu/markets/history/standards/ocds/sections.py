"""The sections of a release: parties, tender, bids, awards, contracts, each read field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import codes, units
from .node import Node, coded
from .values import (
    Auction,
    Award,
    Bid,
    Classification,
    Contract,
    Document,
    Identifier,
    Item,
    Lot,
    LotValue,
    Milestone,
    Party,
    Period,
    Tender,
)


@dataclass(slots=True)
class Known:
    """What a reference may point to, so that none dangles. Filled as the sections are read, in their order."""

    parties: frozenset[str]
    by_identifier: dict[str, str]
    lots: frozenset[str] = frozenset()
    bids: frozenset[str] = frozenset()
    awards: frozenset[str] = frozenset()

    @classmethod
    def of(cls, parties: tuple[Party, ...]) -> Known:
        return cls(
            parties=frozenset(party.id for party in parties),
            by_identifier={
                f"{identifier.scheme}-{identifier.value}": party.id
                for party in reversed(parties)
                for identifier in party.identifiers
            },
        )


def parties(release: Node) -> tuple[Party, ...]:
    """The parties of a release. One without a name is kept (its part in the process is known), one without an id not."""
    return release.identified("parties", _party)


def _party(node: Node, id: str) -> Party:
    nodes = (node.node("identifier"), *node.nodes("additionalIdentifiers"))
    identifiers = [found for each in nodes if (found := _identifier(each))]
    address = node.node("address")
    node.drop("contactPoint", "personal.data")
    roles = tuple(
        dict.fromkeys(filter(None, (_role(node, index, said) for index, said in enumerate(node.texts("roles", 50)))))
    )
    party = Party(
        id=id,
        name=node.names("name"),
        roles=roles,
        identifiers=tuple(dict.fromkeys(identifiers)),
        country=address.text("countryName", 100) if address else "",
        region=address.text("region", 200) if address else "",
        locality=address.text("locality", 200) if address else "",
        street=address.text("streetAddress", 500) if address else "",
        postal_code=address.text("postalCode", 20) if address else "",
    )
    if address:
        address.close()
    return party


def _role(node: Node, index: int, said: str) -> str:
    code = codes.ROLES.get(said.lower(), "")
    if not code:
        node.report.left_out(f"{node.path}.roles[{index}]", "code.unknown", said)
    return code


def _identifier(node: Node | None) -> Identifier | None:
    if node is None:
        return None
    scheme, value = node.text("scheme", 32), node.text("id", 64)
    node.text("legalName")  # the party's name says it; taken so that it is not reported as unknown
    node.url("uri")
    node.close()
    if not scheme or not value:
        return None
    if not re.fullmatch(r"[A-Z0-9][A-Za-z0-9_-]*", scheme):
        node.leave("scheme", "identifier.invalid")
        return None
    return Identifier(scheme, value)


def reference(parent: Node, key: str, known: Known) -> str:
    """The local id of the party an OrganizationReference names, by id or by its register's identifier."""
    node = parent.node(key)
    return _refer(node, known) if node else ""


def references(parent: Node, key: str, known: Known) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for node in parent.nodes(key) if (found := _refer(node, known))))


def _refer(node: Node, known: Known) -> str:
    id = node.id()
    identifier = _identifier(node.node("identifier"))
    node.text("name")  # said by the party itself
    node.drop("contactPoint", "personal.data")
    node.drop("address", "section.superseded")
    node.close()
    if id in known.parties:
        return id
    if identifier and (found := known.by_identifier.get(f"{identifier.scheme}-{identifier.value}")):
        return found
    node.report.left_out(node.path, "reference.dangling", id or (identifier.value if identifier else ""))
    return ""


def period(parent: Node, key: str) -> Period:
    node = parent.node(key)
    if node is None:
        return Period()
    found = Period(node.instant("startDate"), node.instant("endDate"))
    node.close()
    return found


def tender(release: Node, known: Known) -> Tender:
    node = release.node("tender")
    if node is None:
        return Tender()
    status, status_said = coded(node, "status", codes.TENDER_STATUS)
    method, method_said = coded(node, "procurementMethod", codes.METHOD)
    lots = node.identified("lots", _lot)
    known.lots = frozenset(lot.id for lot in lots)
    found = Tender(
        id=node.id(),
        title=node.names("title"),
        description=node.names("description"),
        status=status,
        status_said=status_said,
        method=method,
        method_said=method_said
        or node.text("procurementMethodDetails", 200)
        or node.text("procurementMethodType", 200),
        category=coded(node, "mainProcurementCategory", codes.CATEGORY)[0],
        award_criteria=node.text("awardCriteria", 100),
        award_criteria_details=node.text("awardCriteriaDetails"),
        eligibility_criteria=node.text("eligibilityCriteria"),
        submission_methods=node.texts("submissionMethod", 100),
        value=node.money("value"),
        min_value=node.money("minValue"),
        tender_period=period(node, "tenderPeriod"),
        enquiry_period=period(node, "enquiryPeriod"),
        award_period=period(node, "awardPeriod"),
        contract_period=period(node, "contractPeriod"),
        procuring_entity=reference(node, "procuringEntity", known),
        tenderers=references(node, "tenderers", known),
        number_of_tenderers=node.integer("numberOfTenderers"),
        lots=lots,
        items=node.identified("items", lambda each, id: item(each, id, known)),
        documents=documents(node, known),
        milestones=node.identified("milestones", _milestone),
        auctions=node.identified("auctions", lambda each, id: _auction(each, id, known)),
    )
    node.close()
    return found


def _lot(node: Node, id: str) -> Lot:
    return Lot(
        id=id,
        title=node.names("title"),
        description=node.names("description"),
        status=coded(node, "status", codes.TENDER_STATUS)[0],
        value=node.money("value"),
        deposits=_deposits(node.node("submissionTerms")),
    )


def _deposits(node: Node | None) -> str:
    """Of the submission terms extension: what bidders have to put up."""
    found = node.text("depositsGuarantees") if node else ""
    if node:
        node.close()
    return found


def _milestone(node: Node, id: str) -> Milestone:
    return Milestone(
        id=id,
        title=node.text("title", 500),
        type=node.text("type", 100),
        status=coded(node, "status", codes.MILESTONE_STATUS)[0],
        due_at=node.instant("dueDate"),
        met_at=node.instant("dateMet"),
    )


def _auction(node: Node, id: str, known: Known) -> Auction:
    return Auction(
        id=id,
        lot=_lot_reference(node, "relatedLot", known),
        url=node.url("url"),
        minimal_step=node.money("minimalStep"),
        period=period(node, "period"),
    )


def item(node: Node, id: str, known: Known) -> Item:
    unit, unit_said, unit_price, currency = _unit(node)
    address = node.node("deliveryAddress")
    parts = ("streetAddress", "locality", "region", "postalCode", "countryName")
    place = ", ".join(filter(None, (address.text(part, 500) for part in parts))) if address else ""
    if address:
        address.close()
    main = node.node("classification")
    return Item(
        id=id,
        description=node.names("description"),
        classification=_classification(main) if main else None,
        additional=tuple(filter(None, (_classification(each) for each in node.nodes("additionalClassifications")))),
        quantity=node.quantity(),
        unit=unit,
        unit_said=unit_said,
        unit_price=unit_price,
        currency=currency,
        lot=_lot_reference(node, "relatedLot", known),
        delivery=period(node, "deliveryDate"),
        place=place,
    )


def _unit(item: Node) -> tuple[str, str, Any, str]:
    """(Rec 20 code, the publisher's word, exact unit price, its currency)."""
    node = item.node("unit")
    if node is None:
        return "", "", None, ""
    scheme, code, name = node.text("scheme", 50), node.text("id", 50), node.text("name", 200)
    node.text("symbol", 50)  # follows from the code
    node.url("uri")
    found = units.code_of(scheme, code, name)
    if not found and (code or name):
        node.leave("id" if code else "name", "unit.unknown")
    elif found and found != code:
        node.note("id" if code else "name", "unit.mapped")
    price = node.node("value")
    amount, currency = (price.decimal("amount"), price.currency()) if price else (None, "")
    if price:
        price.close()
        if amount is not None and not currency:
            price.leave("amount", "currency.missing")
        elif amount is not None and (amount < 0 or amount != round(amount, 8) or amount > 10**15):
            price.leave("amount", "amount.invalid")
            amount = None
    node.close()
    return found, name or code, amount if currency else None, currency if amount is not None else ""


def _classification(node: Node) -> Classification | None:
    scheme, code, description = node.text("scheme", 50), node.text("id", 100), node.text("description")
    node.url("uri")
    node.close()
    return Classification(scheme, code, description) if code or description else None


def _lot_reference(node: Node, key: str, known: Known) -> str:
    id = node.id(key)
    if id and id not in known.lots:
        node.leave(key, "reference.dangling")
        return ""
    return id


def _lots(node: Node, known: Known) -> tuple[str, ...]:
    """Lots by any of the names in use: relatedLots (the extension), relatedLot and lotID (Prozorro's)."""
    found = list(node.texts("relatedLots"))
    for lot in [each for each in found if each not in known.lots]:
        node.report.left_out(node.at("relatedLots"), "reference.dangling", lot)
        found.remove(lot)
    return tuple(
        dict.fromkeys(filter(None, [*found, *(_lot_reference(node, key, known) for key in ("relatedLot", "lotID"))]))
    )


def documents(parent: Node, known: Known) -> tuple[Document, ...]:
    def one(node: Node, id: str) -> Document:
        scope = node.text("documentScope", 50)
        related = node.id("relatedItem")
        lots = _lots(node, known)
        if scope == "lot" and related in known.lots:
            lots = (*lots, related)
        return Document(
            id=id,
            title=node.text("title", 1_000),
            description=node.text("description"),
            type=node.text("documentType", 100),
            format=node.text("format", 200),
            url=node.url("url"),
            published_at=node.instant("datePublished") or node.instant("dateModified"),
            lots=tuple(dict.fromkeys(lots)),
        )

    return parent.identified("documents", one)


def bids(release: Node, known: Known) -> tuple[Bid, ...]:
    node = release.node("bids")
    if node is None:
        return ()
    found = node.identified("details", lambda each, id: _bid(each, id, known))
    node.close()
    return found


def _bid(node: Node, id: str, known: Known) -> Bid:
    status, said = coded(node, "status", codes.BID_STATUS)
    lot_values: dict[str, LotValue] = {}
    for each in node.nodes("lotValues"):
        lot = _lot_reference(each, "relatedLot", known)
        value = each.money("value")
        each.close()
        if lot and lot not in lot_values:
            lot_values[lot] = LotValue(lot, value)
    return Bid(
        id=id,
        status=status,
        status_said=said,
        date=node.instant("date"),
        value=node.money("value"),
        tenderers=references(node, "tenderers", known),
        lots=tuple(dict.fromkeys((*_lots(node, known), *lot_values))),
        lot_values=tuple(lot_values.values()),
        documents=documents(node, known),
    )


def award(node: Node, id: str, known: Known) -> Award:
    status, said = coded(node, "status", codes.AWARD_STATUS)
    bid = node.id("relatedBid")
    if bid and bid not in known.bids:
        node.leave("relatedBid", "reference.dangling")
        bid = ""
    return Award(
        id=id,
        status=status,
        status_said=said,
        title=node.names("title"),
        description=node.names("description"),
        date=node.instant("date"),
        value=node.money("value"),
        suppliers=references(node, "suppliers", known),
        bid=bid,
        lots=_lots(node, known),
        contract_period=period(node, "contractPeriod"),
        items=node.identified("items", lambda each, id: item(each, id, known)),
        documents=documents(node, known),
    )


def contract(node: Node, id: str, known: Known) -> Contract:
    status, said = coded(node, "status", codes.CONTRACT_STATUS)
    awarded = node.id("awardID")
    if awarded and awarded not in known.awards:
        node.leave("awardID", "reference.dangling")
        awarded = ""
    references(node, "suppliers", known)  # said by the award
    return Contract(
        id=id,
        award=awarded,
        number=node.text("contractNumber", 200) or node.text("contractID", 200),
        status=status,
        status_said=said,
        title=node.names("title"),
        description=node.names("description"),
        value=node.money("value"),
        period=period(node, "period"),
        signed_at=node.instant("dateSigned"),
        items=node.identified("items", lambda each, id: item(each, id, known)),
        documents=documents(node, known),
    )
