"""The endpoints of imported history. Reading only: files come in by the command `huangpu import ocds`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from huangpu.core.quantity import plain
from huangpu.core.web.paging import Page, page_of

from . import queries

router = Router(tags=["history"])


class Search(Schema):
    """What narrows a list of imported procedures."""

    text: str = Field("", description="Words of titles, items, parties or the ocid.", max_length=200)
    status: str = ""
    country: str = Field("", description="ISO 3166-1 alpha-2, of the buyer's register.", max_length=2)
    cursor: str | None = None
    limit: int = 50


class ProcedureRow(Schema):
    """An imported procedure in a list. Amounts are minor units."""

    id: UUID
    ocid: str
    title: dict[str, str]
    buyer_name: dict[str, str]
    country: str
    status: str = Field(description="A code of OCDS, empty when the publisher's word is unknown.")
    method: str
    amount_minor: int | None
    currency: str
    released_at: datetime | None
    publisher: str


class PartyOut(Schema):
    """Who took part; `organisation` where a register's identifier names one of the city's."""

    local_id: str
    name: dict[str, str]
    roles: list[str]
    identifiers: list[list[str]] = Field(description="Scheme and value.")
    organisation_id: UUID | None


class LotOut(Schema):
    """A lot."""

    local_id: str
    title: dict[str, str]
    status: str
    amount_minor: int | None
    currency: str


class ItemOut(Schema):
    """A line of the tender. The quantity is a decimal text."""

    local_id: str
    description: dict[str, str]
    scheme: str
    code: str
    quantity: str | None
    unit: str = Field(description="UN/CEFACT Rec 20; empty when unknown.")
    unit_said: str
    lot: str

    @staticmethod
    def resolve_quantity(item: Any) -> str | None:
        quantity: Decimal | None = item.quantity
        return None if quantity is None else plain(quantity)


class BidOut(Schema):
    """A bid."""

    local_id: str
    status: str
    submitted_at: datetime | None
    amount_minor: int | None
    currency: str
    tenderers: list[str]
    lots: list[str]


class AwardOut(Schema):
    """An award."""

    local_id: str
    status: str
    decided_at: datetime | None
    amount_minor: int | None
    currency: str
    suppliers: list[str]
    lots: list[str]
    bid: str


class ContractOut(Schema):
    """A contract."""

    local_id: str
    award: str
    number: str
    status: str
    amount_minor: int | None
    currency: str
    signed_at: datetime | None


class DocumentOut(Schema):
    """The address at which a document was published."""

    local_id: str
    within: str
    title: str
    kind: str
    url: str


class ProcedureOut(ProcedureRow):
    """An imported procedure with its parts, each by its publisher's ids."""

    description: dict[str, str]
    language: str
    starts_at: datetime | None
    ends_at: datetime | None
    more: dict[str, Any]
    parties: list[PartyOut]
    lots: list[LotOut]
    items: list[ItemOut]
    bids: list[BidOut]
    awards: list[AwardOut]
    contracts: list[ContractOut]
    documents: list[DocumentOut]


@router.get("/m/{marketplace}/history", response=Page[ProcedureRow], summary="List and search imported procedures")
def list_history(request: HttpRequest, marketplace: str, search: Query[Search]) -> Any:
    """Newest first: the marketplace's own history and the city's."""
    market: UUID = request.marketplace.id  # type: ignore[attr-defined]
    found = queries.listing(market, text=search.text, status=search.status, country=search.country)
    return page_of(found, search.cursor, search.limit)


@router.get("/m/{marketplace}/history/{procedure}", response=ProcedureOut, summary="Read an imported procedure")
def read_history(request: HttpRequest, marketplace: str, procedure: UUID) -> Any:
    """One procedure as its publisher told it."""
    found = queries.find(request.marketplace.id, procedure)  # type: ignore[attr-defined]
    parts = queries.parts_of(found)
    row = ProcedureRow.from_orm(found).dict()
    whole = {name: getattr(found, name) for name in ("description", "language", "starts_at", "ends_at", "more")}
    names = ("parties", "lots", "items", "bids", "awards", "contracts", "documents")
    return {**row, **whole, **{name: getattr(parts, name) for name in names}}
