"""The endpoints of commerce: what is looked for and offered now, and an organisation's catalogue of items."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Query, Router, Schema

from huangpu.core import clock
from huangpu.core.web.paging import LIMIT_DEFAULT, Page, page_of
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require, require_own

from . import acts, queries
from .models import Intent, Item

router = Router(tags=["commerce"])
Name = Annotated[dict[str, str], Field(examples=[{"zh-hans": "齿轮", "en": "Gear"}])]


class IntentOut(Schema):
    """An offer or a request that looks for its counterparty. `amount`: minor units, where its publisher names one."""

    id: UUID
    marketplace: str
    kind: str = Field(description="offer or request")
    market: str = Field(description="How its price is found: tender, auction …")
    subject: UUID = Field(alias="subject_id", description="The tender, listing … that carries it.")
    number: str
    name: dict[str, str]
    organisation: UUID = Field(alias="organisation_id")
    organisation_name: dict[str, str]
    amount: int | None
    currency: str
    valid_until: datetime | None
    link: str = Field(description="The address of its page.")

    @staticmethod
    def resolve_marketplace(intent: Intent) -> str:
        return intent.marketplace.slug

    @staticmethod
    def resolve_organisation_name(intent: Intent) -> dict[str, str]:
        return dict(intent.organisation.name)


class Asked(Schema):
    """What a list of intents is narrowed by."""

    kind: Literal["", "offer", "request"] = ""
    market: str = Field("", max_length=16)
    cursor: str | None = None
    limit: int = LIMIT_DEFAULT


@router.get("/intents", response=Page[IntentOut], summary="What is looked for and offered in the city now")
def intents(request: PartyRequest, asked: Query[Asked]) -> Page[Any]:
    """Of all markets and marketplaces, newest first. Open to everybody."""
    require(request.actor, "commerce.see_intents")
    found = queries.open_intents(clock.now(), kind=asked.kind, market=asked.market)
    return page_of(found, asked.cursor, asked.limit)


@router.get("/m/{marketplace}/intents", response=Page[IntentOut], summary="What is looked for and offered here now")
def market_intents(request: PartyRequest, marketplace: str, asked: Query[Asked]) -> Page[Any]:
    """Of all markets of one marketplace, newest first. Open to everybody."""
    require(request.actor, "commerce.see_intents")
    here = request.marketplace.pk
    found = queries.open_intents(clock.now(), marketplace_id=here, kind=asked.kind, market=asked.market)
    return page_of(found, asked.cursor, asked.limit)


class ItemOut(Schema):
    """An item of one's own catalogue (Valueflows: resource specification)."""

    id: UUID
    code: str
    name: dict[str, str]
    unit: str = Field(description="UN/CEFACT Rec 20 code")
    gtin: str
    industry: str
    classification_scheme: str
    classification_code: str


class ItemIn(Schema):
    code: str = Field(max_length=64, examples=["M001"])
    name: Name
    unit: str = Field(max_length=3, examples=["TNE"])
    gtin: str = Field("", max_length=14, description="GS1 Global Trade Item Number, where there is one")
    industry: str = Field("", max_length=32)
    classification_scheme: str = Field("", max_length=32, examples=["CPV"])
    classification_code: str = Field("", max_length=32)


@router.get("/m/{marketplace}/items", response=Page[ItemOut], summary="One's own catalogue of items")
def items(
    request: PartyRequest, marketplace: str, q: str = "", cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """Newest first; `q` is a piece of a code, a name or a GTIN."""
    own = require_own(request.actor, "commerce.see_items")
    return page_of(queries.items(own, q.strip()), cursor, limit)


@router.post("/m/{marketplace}/items", response=ItemOut, summary="A new item")
def create_item(request: PartyRequest, marketplace: str, body: ItemIn) -> Item:
    """Into the catalogue of the organisation one acts for."""
    facts = acts.ItemFacts(**body.dict())
    return acts.create_item(actor=request.actor, marketplace_id=request.marketplace.pk, facts=facts, now=clock.now())


@router.get("/m/{marketplace}/items/{item_id}", response=ItemOut, summary="An item")
def one_item(request: PartyRequest, marketplace: str, item_id: UUID) -> Item:
    """Of one's own catalogue."""
    require(request.actor, "commerce.see_items")
    return queries.item_by_id(request.actor, item_id)


@router.put("/m/{marketplace}/items/{item_id}", response=ItemOut, summary="Change an item")
def edit_item(request: PartyRequest, marketplace: str, item_id: UUID, body: ItemIn) -> Item:
    """All of it. What was concluded keeps the words it was concluded with."""
    facts = acts.ItemFacts(**body.dict())
    return acts.edit_item(
        actor=request.actor, marketplace_id=request.marketplace.pk, item_id=item_id, facts=facts, now=clock.now()
    )
