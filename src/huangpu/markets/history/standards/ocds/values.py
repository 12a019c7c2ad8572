"""What the reader hands over: plain values, exact and bounded, in the words of the standard.

Money is in minor units, instants are UTC, quantities exact decimals. Local ids are the publisher's; references between
values are by local id and never dangle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from huangpu.core.money import Money

from .report import Report

Names = dict[str, str]  # language → text, as core.names keeps it


@dataclass(frozen=True, slots=True)
class Identifier:
    """A register's code: `scheme` is a list of org-id.guide such as UA-EDR."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class Party:
    id: str
    name: Names
    roles: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()  # the main one first
    country: str = ""  # as published
    region: str = ""
    locality: str = ""
    street: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    scheme: str
    id: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    description: Names = field(default_factory=dict)
    classification: Classification | None = None
    additional: tuple[Classification, ...] = ()
    quantity: Decimal | None = None
    unit: str = ""  # Rec 20, empty when unknown
    unit_said: str = ""  # the publisher's word for it
    unit_price: Decimal | None = None  # whole units of the currency, exact
    currency: str = ""
    lot: str = ""
    delivery: Period = Period()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A reference only: the file stays where its publisher keeps it."""

    id: str
    title: str = ""
    description: str = ""
    type: str = ""
    format: str = ""
    url: str = ""
    published_at: datetime | None = None
    lots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lot:
    id: str
    title: Names = field(default_factory=dict)
    description: Names = field(default_factory=dict)
    status: str = ""
    value: Money | None = None
    deposits: str = ""  # what bidders have to put up, in words


@dataclass(frozen=True, slots=True)
class LotValue:
    lot: str
    value: Money | None = None


@dataclass(frozen=True, slots=True)
class Bid:
    id: str
    status: str = ""
    status_said: str = ""
    date: datetime | None = None
    value: Money | None = None
    tenderers: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    lot_values: tuple[LotValue, ...] = ()
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Award:
    id: str
    status: str = ""
    status_said: str = ""
    title: Names = field(default_factory=dict)
    description: Names = field(default_factory=dict)
    date: datetime | None = None
    value: Money | None = None
    suppliers: tuple[str, ...] = ()
    bid: str = ""
    lots: tuple[str, ...] = ()
    contract_period: Period = Period()
    items: tuple[Item, ...] = ()
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    id: str
    award: str = ""
    number: str = ""
    status: str = ""
    status_said: str = ""
    title: Names = field(default_factory=dict)
    description: Names = field(default_factory=dict)
    value: Money | None = None
    period: Period = Period()
    signed_at: datetime | None = None
    items: tuple[Item, ...] = ()
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Milestone:
    id: str
    title: str = ""
    type: str = ""
    status: str = ""
    due_at: datetime | None = None
    met_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Auction:
    id: str
    lot: str = ""
    url: str = ""
    minimal_step: Money | None = None
    period: Period = Period()


@dataclass(frozen=True, slots=True)
class Tender:
    id: str = ""
    title: Names = field(default_factory=dict)
    description: Names = field(default_factory=dict)
    status: str = ""
    status_said: str = ""
    method: str = ""
    method_said: str = ""
    category: str = ""
    award_criteria: str = ""
    award_criteria_details: str = ""
    eligibility_criteria: str = ""
    submission_methods: tuple[str, ...] = ()
    value: Money | None = None
    min_value: Money | None = None
    tender_period: Period = Period()
    enquiry_period: Period = Period()
    award_period: Period = Period()
    contract_period: Period = Period()
    procuring_entity: str = ""
    tenderers: tuple[str, ...] = ()
    number_of_tenderers: int | None = None
    lots: tuple[Lot, ...] = ()
    items: tuple[Item, ...] = ()
    documents: tuple[Document, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    auctions: tuple[Auction, ...] = ()


@dataclass(frozen=True, slots=True)
class Procedure:
    """One contracting process, as its compiled release says it. `path` is its place in the file."""

    ocid: str
    path: str
    release_id: str = ""
    released_at: datetime | None = None
    language: str = ""
    tags: tuple[str, ...] = ()
    initiation: str = ""
    buyer: str = ""
    tender: Tender = Tender()
    parties: tuple[Party, ...] = ()
    bids: tuple[Bid, ...] = ()
    awards: tuple[Award, ...] = ()
    contracts: tuple[Contract, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """All procedures of one file, its publisher, and the report. `skipped` says why a file that is no data was passed."""

    procedures: tuple[Procedure, ...]
    report: Report
    publisher: str = ""
    publisher_uri: str = ""
    published_at: datetime | None = None
    skipped: str = ""  # "schema" or "extension"

    def counts(self) -> dict[str, int]:
        """How many of each the file holds, tender items only (awards and contracts repeat theirs)."""
        return {
            "procedures": len(self.procedures),
            "parties": sum(len(item.parties) for item in self.procedures),
            "lots": sum(len(item.tender.lots) for item in self.procedures),
            "items": sum(len(item.tender.items) for item in self.procedures),
            "bids": sum(len(item.bids) for item in self.procedures),
            "awards": sum(len(item.awards) for item in self.procedures),
            "contracts": sum(len(item.contracts) for item in self.procedures),
        }


def plain_value(value: Any) -> Any:
    """Values as JSON can write them, for a digest: the same procedure gives the same text, whatever file it came in."""
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
