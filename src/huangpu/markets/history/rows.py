"""Values of the reader → rows. Nothing is written here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchVector
from django.db.models import Model, Value

from huangpu.core.clock import rfc3339
from huangpu.core.money import Money
from huangpu.core.search import bigrams

from .models import Award, Bid, Contract, Document, Item, Lot, Party
from .standards.ocds import values

TEXT_MAX = 30_000  # characters that are indexed of one procedure


def digest(procedure: values.Procedure) -> bytes:
    """SHA-256 over what was read, wherever in a file it stood: the same content gives the same digest."""
    content = {key: value for key, value in asdict(procedure).items() if key != "path"}
    return hashlib.sha256(
        json.dumps(content, sort_keys=True, ensure_ascii=False, default=values.plain_value).encode()
    ).digest()


def procedure_fields(procedure: values.Procedure) -> dict[str, Any]:
    """The columns of the procedure itself."""
    tender = procedure.tender
    buyer = next(
        (party for party in procedure.parties if party.id == (procedure.buyer or tender.procuring_entity)), None
    )
    main = buyer.identifiers[0] if buyer and buyer.identifiers else None
    return {
        "release_id": procedure.release_id,
        "released_at": procedure.released_at,
        "digest": digest(procedure),
        "language": procedure.language,
        "country": main.scheme[:2] if main and main.scheme[2:3] == "-" and main.scheme[:2] != "XM" else "",
        "title": tender.title,
        "description": tender.description,
        "buyer_name": buyer.name if buyer else {},
        "status": tender.status,
        "status_said": tender.status_said,
        "method": tender.method,
        "method_said": tender.method_said,
        **_money(tender.value),
        "starts_at": tender.tender_period.start,
        "ends_at": tender.tender_period.end,
        "more": _more(procedure),
        "words": SearchVector(Value(bigrams(_text(procedure))), config="simple"),
    }


def part_rows(procedure: values.Procedure, id: UUID, organisations: Mapping[str, UUID]) -> list[list[Model]]:
    """Rows of every part, one list a table. `organisations`: local id of a party → the organisation it is."""
    tender = procedure.tender
    holders: list[tuple[str, tuple[values.Item, ...], tuple[values.Document, ...]]] = [
        ("tender", tender.items, tender.documents),
        *((f"bid:{bid.id}", (), bid.documents) for bid in procedure.bids),
        *((f"award:{award.id}", award.items, award.documents) for award in procedure.awards),
        *((f"contract:{contract.id}", contract.items, contract.documents) for contract in procedure.contracts),
    ]
    return [
        [_party(party, id, organisations) for party in procedure.parties],
        [
            Lot(
                procedure_id=id,
                local_id=lot.id,
                title=lot.title,
                description=lot.description,
                status=lot.status,
                **_money(lot.value),
            )
            for lot in tender.lots
        ],
        [_bid(bid, id) for bid in procedure.bids],
        [_award(award, id) for award in procedure.awards],
        [_contract(contract, id) for contract in procedure.contracts],
        [_item(item, id, within, place) for within, items, _ in holders for place, item in enumerate(items)],
        [_document(each, id, within, place) for within, _, all in holders for place, each in enumerate(all)],
    ]


def _money(value: Money | None) -> dict[str, Any]:
    return (
        {"amount_minor": value.minor, "currency": value.currency} if value else {"amount_minor": None, "currency": ""}
    )


def _party(party: values.Party, id: UUID, organisations: Mapping[str, UUID]) -> Party:
    address = {
        "street": party.street,
        "locality": party.locality,
        "region": party.region,
        "postal_code": party.postal_code,
        "country": party.country,
    }
    return Party(
        procedure_id=id,
        local_id=party.id,
        organisation_id=organisations.get(party.id),
        name=party.name,
        roles=list(party.roles),
        identifiers=[[identifier.scheme, identifier.value] for identifier in party.identifiers],
        address={key: value for key, value in address.items() if value},
    )


def _bid(bid: values.Bid, id: UUID) -> Bid:
    return Bid(
        procedure_id=id,
        local_id=bid.id,
        status=bid.status,
        status_said=bid.status_said,
        submitted_at=bid.date,
        tenderers=list(bid.tenderers),
        lots=list(bid.lots),
        lot_amounts=[
            [each.lot, each.value.minor if each.value else None, each.value.currency if each.value else ""]
            for each in bid.lot_values
        ],
        **_money(bid.value),
    )


def _award(award: values.Award, id: UUID) -> Award:
    return Award(
        procedure_id=id,
        local_id=award.id,
        title=award.title,
        description=award.description,
        status=award.status,
        status_said=award.status_said,
        decided_at=award.date,
        suppliers=list(award.suppliers),
        lots=list(award.lots),
        bid=award.bid,
        **_money(award.value),
    )


def _contract(contract: values.Contract, id: UUID) -> Contract:
    return Contract(
        procedure_id=id,
        local_id=contract.id,
        award=contract.award,
        number=contract.number,
        title=contract.title,
        description=contract.description,
        status=contract.status,
        status_said=contract.status_said,
        signed_at=contract.signed_at,
        starts_at=contract.period.start,
        ends_at=contract.period.end,
        **_money(contract.value),
    )


def _item(item: values.Item, id: UUID, within: str, place: int) -> Item:
    main = item.classification
    delivery = {**_period(item.delivery), "place": item.place}
    return Item(
        procedure_id=id,
        local_id=item.id,
        within=within,
        place=place,
        description=item.description,
        scheme=main.scheme if main else "",
        code=main.id if main else "",
        code_says=main.description if main else "",
        quantity=item.quantity,
        unit=item.unit,
        unit_said=item.unit_said,
        unit_price=item.unit_price,
        currency=item.currency,
        lot=item.lot,
        delivery={key: value for key, value in delivery.items() if value},
    )


def _document(document: values.Document, id: UUID, within: str, place: int) -> Document:
    return Document(
        procedure_id=id,
        local_id=document.id,
        within=within,
        place=place,
        title=document.title,
        description=document.description,
        kind=document.type,
        format=document.format,
        url=document.url,
        published_at=document.published_at,
    )


def _period(period: values.Period) -> dict[str, str]:
    bounds = {"start": period.start, "end": period.end}
    return {key: rfc3339(value) for key, value in bounds.items() if value}


def _more(procedure: values.Procedure) -> dict[str, Any]:
    tender = procedure.tender
    more: dict[str, Any] = {
        "tags": list(procedure.tags),
        "category": tender.category,
        "award_criteria": tender.award_criteria,
        "award_criteria_details": tender.award_criteria_details,
        "eligibility_criteria": tender.eligibility_criteria,
        "submission_methods": list(tender.submission_methods),
        "number_of_tenderers": tender.number_of_tenderers,
        "tenderers": list(tender.tenderers),
        "enquiry_period": _period(tender.enquiry_period),
        "award_period": _period(tender.award_period),
        "contract_period": _period(tender.contract_period),
        "min_value": _money(tender.min_value) if tender.min_value else None,
        "milestones": [_filled(asdict(each)) for each in tender.milestones],
        "auctions": [_filled(asdict(each)) for each in tender.auctions],
    }
    return _filled(more)


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing, and as JSON can write it."""
    kept = {key: value for key, value in content.items() if value not in (None, "", [], {}, ())}
    return dict(json.loads(json.dumps(kept, default=values.plain_value)))


def _text(procedure: values.Procedure) -> str:
    """What a search looks at: titles, items, parties, numbers."""
    tender = procedure.tender

    def texts() -> Iterable[str]:
        yield procedure.ocid
        for names in (tender.title, tender.description, *(lot.title for lot in tender.lots)):
            yield from names.values()
        for party in procedure.parties:
            yield from party.name.values()
        for item in tender.items:
            yield from item.description.values()
            if item.classification:
                yield f"{item.classification.id} {item.classification.description}"

    return "\n".join(texts())[:TEXT_MAX]
