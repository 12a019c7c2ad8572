"""Plain values → OCDS 1.1 with the bids and lots extensions. Pure: what is empty is not written, amounts stay exact.

The values are those the importer reads (`history.standards.ocds.values`), so that what is written reads back the same.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from huangpu.core.clock import rfc3339
from huangpu.core.money import Money
from huangpu.core.quantity import plain
from huangpu.markets.history.standards.ocds.merge import compiled
from huangpu.markets.history.standards.ocds.schema import EXTENSIONS
from huangpu.markets.history.standards.ocds.values import (
    Auction,
    Award,
    Bid,
    Classification,
    Contract,
    Document,
    Identifier,
    Item,
    Lot,
    Milestone,
    Names,
    Party,
    Period,
    Procedure,
    Tender,
)

VERSION = "1.1"
SUBMISSION_TERMS = (  # of a lot: depositsGuarantees, the bid bond
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_submissionTerms_extension/master/extension.json"
)
CODES = {"zh-hans": "zh"}  # our languages → ISO 639-1, as the standard asks


@dataclass(frozen=True, slots=True)
class Package:
    """Who publishes, where the package can be fetched, and as of when."""

    uri: str
    publisher: str
    published_at: datetime
    publisher_uri: str = ""


def release(procedure: Procedure) -> dict[str, Any]:
    """One release: its id, date and tags, and whatever the values say. A release needs an ocid, an id and a date."""
    if procedure.released_at is None:
        raise ValueError("a release has a date")
    write = _Writer(procedure.language, {party.id: party.name for party in procedure.parties})
    return _filled(
        {
            "ocid": procedure.ocid,
            "id": procedure.release_id,
            "date": rfc3339(procedure.released_at),
            "tag": list(procedure.tags),
            "initiationType": procedure.initiation or "tender",
            "language": CODES.get(procedure.language, procedure.language),
            "parties": [write.party(party) for party in procedure.parties],
            "buyer": write.reference(procedure.buyer),
            "tender": write.tender(procedure.tender),
            "bids": _filled({"details": [write.bid(bid) for bid in procedure.bids]}),
            "awards": [write.award(award) for award in procedure.awards],
            "contracts": [write.contract(contract) for contract in procedure.contracts],
        }
    )


def release_package(package: Package, releases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Releases in the order of their dates."""
    return {**_head(package), "releases": list(releases)}


def record_package(package: Package, releases: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One record a process: its releases, oldest first, and what they say together (`compiledRelease`)."""
    by_ocid: dict[str, list[dict[str, Any]]] = {}
    for each in releases:
        by_ocid.setdefault(each["ocid"], []).append(dict(each))
    records = [
        {"ocid": ocid, "releases": listed, "compiledRelease": compiled(listed)} for ocid, listed in by_ocid.items()
    ]
    return {**_head(package), "records": records}


def dumps(value: Any) -> str:
    """JSON text with every Decimal as the number that it is, digit by digit: no float on the way."""
    mark = secrets.token_hex(16)  # unguessable, so that no text of a tender can pass for a number

    def number(other: Any) -> str:
        if isinstance(other, Decimal):
            return f"{mark}{plain(other)}{mark}"
        raise TypeError(f"{type(other).__name__} has no place in a package")

    text = json.dumps(value, ensure_ascii=False, default=number, allow_nan=False)
    return re.sub(rf'"{mark}([-0-9.]+){mark}"', r"\1", text)


class _Writer:
    """Sections of one release: its language, and the names of its parties for references."""

    def __init__(self, language: str, parties: Mapping[str, Names]) -> None:
        self.language = language
        self.parties = parties

    def names(self, key: str, names: Names) -> dict[str, str]:
        """`title` in the release's language, the others beside it as `title_en`."""
        own = self.language if self.language in names else next(iter(names), "")
        return {
            key if language == own else f"{key}_{CODES.get(language, language).replace('-', '_')}": text
            for language, text in names.items()
        }

    def reference(self, id: str) -> dict[str, str]:
        name = self.names("name", self.parties.get(id, {}))
        return {"id": id, **({"name": name["name"]} if "name" in name else {})} if id else {}

    def party(self, party: Party) -> dict[str, Any]:
        name = self.names("name", party.name)
        address = {
            "streetAddress": party.street,
            "locality": party.locality,
            "region": party.region,
            "postalCode": party.postal_code,
            "countryName": party.country,
        }
        identifiers = [_identifier(each, name.get("name", "")) for each in party.identifiers]
        return _filled(
            {
                "id": party.id,
                **name,
                "identifier": identifiers[0] if identifiers else {},
                "additionalIdentifiers": identifiers[1:],
                "address": _filled(address),
                "roles": list(party.roles),
            }
        )

    def tender(self, tender: Tender) -> dict[str, Any]:
        return _filled(
            {
                "id": tender.id,
                **self.names("title", tender.title),
                **self.names("description", tender.description),
                "status": tender.status,
                "procurementMethod": tender.method,
                "procurementMethodDetails": tender.method_said,
                "mainProcurementCategory": tender.category,
                "awardCriteria": tender.award_criteria,
                "awardCriteriaDetails": tender.award_criteria_details,
                "eligibilityCriteria": tender.eligibility_criteria,
                "submissionMethod": list(tender.submission_methods),
                "value": _value(tender.value),
                "minValue": _value(tender.min_value),
                "tenderPeriod": _period(tender.tender_period),
                "enquiryPeriod": _period(tender.enquiry_period),
                "awardPeriod": _period(tender.award_period),
                "contractPeriod": _period(tender.contract_period),
                "procuringEntity": self.reference(tender.procuring_entity),
                "tenderers": [self.reference(id) for id in tender.tenderers],
                "numberOfTenderers": tender.number_of_tenderers,
                "lots": [self.lot(lot) for lot in tender.lots],
                "items": [self.item(item) for item in tender.items],
                "documents": [_document(document) for document in tender.documents],
                "milestones": [_milestone(milestone) for milestone in tender.milestones],
                "auctions": [_auction(auction) for auction in tender.auctions],
            }
        )

    def lot(self, lot: Lot) -> dict[str, Any]:
        named = {**self.names("title", lot.title), **self.names("description", lot.description)}
        return _filled({"id": lot.id, **named, "status": lot.status, "value": _value(lot.value),
                        "submissionTerms": _filled({"depositsGuarantees": lot.deposits})})  # fmt: skip

    def item(self, item: Item) -> dict[str, Any]:
        price = {"amount": item.unit_price, "currency": item.currency} if item.unit_price is not None else {}
        unit = {
            "scheme": "UNCEFACT" if item.unit else "",
            "id": item.unit,
            "name": item.unit_said,
            "value": price,
        }
        return _filled(
            {
                "id": item.id,
                **self.names("description", item.description),
                "classification": _classification(item.classification) if item.classification else {},
                "additionalClassifications": [_classification(each) for each in item.additional],
                "quantity": item.quantity,
                "unit": _filled(unit),
                "relatedLot": item.lot,
                "deliveryDate": _period(item.delivery),
                "deliveryAddress": _filled({"streetAddress": item.place}),
            }
        )

    def bid(self, bid: Bid) -> dict[str, Any]:
        values = [_filled({"relatedLot": each.lot, "value": _value(each.value)}) for each in bid.lot_values]
        return _filled(
            {
                "id": bid.id,
                "date": _instant(bid.date),
                "status": bid.status,
                "tenderers": [self.reference(id) for id in bid.tenderers],
                "value": _value(bid.value),
                "relatedLots": list(bid.lots),
                "lotValues": values,
                "documents": [_document(document) for document in bid.documents],
            }
        )

    def award(self, award: Award) -> dict[str, Any]:
        return _filled(
            {
                "id": award.id,
                **self.names("title", award.title),
                **self.names("description", award.description),
                "status": award.status,
                "date": _instant(award.date),
                "value": _value(award.value),
                "suppliers": [self.reference(id) for id in award.suppliers],
                "relatedBid": award.bid,
                "relatedLots": list(award.lots),
                "contractPeriod": _period(award.contract_period),
                "items": [self.item(item) for item in award.items],
                "documents": [_document(document) for document in award.documents],
            }
        )

    def contract(self, contract: Contract) -> dict[str, Any]:
        filled = _filled(
            {
                "id": contract.id,
                "contractNumber": contract.number,
                **self.names("title", contract.title),
                **self.names("description", contract.description),
                "status": contract.status,
                "value": _value(contract.value),
                "period": _period(contract.period),
                "dateSigned": _instant(contract.signed_at),
                "items": [self.item(item) for item in contract.items],
                "documents": [_document(document) for document in contract.documents],
            }
        )
        return {**filled, "awardID": contract.award}  # required, also where no award is known


def _head(package: Package) -> dict[str, Any]:
    publisher = _filled({"name": package.publisher, "uri": package.publisher_uri})
    return {
        "uri": package.uri,
        "version": VERSION,
        "extensions": [*EXTENSIONS, SUBMISSION_TERMS],
        "publisher": publisher,
        "publishedDate": rfc3339(package.published_at),
    }


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing. Zero and False say something."""
    return {key: value for key, value in content.items() if value is not None and value not in ("", [], {})}


def _value(value: Money | None) -> dict[str, Any]:
    return {"amount": value.major, "currency": value.currency} if value else {}


def _instant(value: datetime | None) -> str:
    return rfc3339(value) if value else ""


def _period(period: Period) -> dict[str, Any]:
    return _filled({"startDate": _instant(period.start), "endDate": _instant(period.end)})


def _identifier(identifier: Identifier, legal_name: str) -> dict[str, Any]:
    return _filled({"scheme": identifier.scheme, "id": identifier.value, "legalName": legal_name})


def _classification(found: Classification) -> dict[str, Any]:
    return _filled({"scheme": found.scheme, "id": found.id, "description": found.description})


def _document(document: Document) -> dict[str, Any]:
    return _filled(
        {
            "id": document.id,
            "documentType": document.type,
            "title": document.title,
            "description": document.description,
            "url": document.url,
            "datePublished": _instant(document.published_at),
            "format": document.format,
            "relatedLots": list(document.lots),
        }
    )


def _milestone(milestone: Milestone) -> dict[str, Any]:
    return _filled(
        {
            "id": milestone.id,
            "title": milestone.title,
            "type": milestone.type,
            "status": milestone.status,
            "dueDate": _instant(milestone.due_at),
            "dateMet": _instant(milestone.met_at),
        }
    )


def _auction(auction: Auction) -> dict[str, Any]:
    return _filled(
        {
            "id": auction.id,
            "relatedLot": auction.lot,
            "url": auction.url,
            "minimalStep": _value(auction.minimal_step),
            "period": _period(auction.period),
        }
    )
