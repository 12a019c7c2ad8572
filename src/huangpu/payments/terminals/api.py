"""Terminals by API."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Router, Schema, Status

from huangpu.core import clock
from huangpu.core.web.paging import LIMIT_DEFAULT, Page
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require, require_own

from . import acts, queries
from .models import Terminal

router = Router(tags=["payments"])
MINOR = "Minor units of the currency."


class TerminalIn(Schema):
    name: str = Field(max_length=acts.NAME_MAX)
    provider: str = Field(max_length=32, description="The acquirer.")
    currency: str = Field("CNY", max_length=3)
    cryptography: Literal["AES-CMAC", "X9.19"] = "AES-CMAC"


class TerminalOut(Schema):
    """`identity` and `merchant_code` are DE 41 and DE 42; the master key is a file of the installation's key folder."""

    id: UUID
    name: str
    identity: str
    merchant_code: str
    provider: str
    currency: str
    cryptography: str
    batch: int
    signed_on_at: datetime | None
    blocked_at: datetime | None


class BatchOut(Schema):
    number: int
    debits: int
    debit_amount: int = Field(description=MINOR)
    credits: int
    credit_amount: int = Field(description=MINOR)
    begun_at: datetime
    closed_at: datetime | None


class BlockIn(Schema):
    blocked: bool


class ShareOut(Schema):
    """`share` of all channels in that month, four decimals."""

    month: date
    channel: str
    amount: int = Field(description=MINOR)
    share: Decimal


@router.get("/m/{marketplace}/terminals", response=list[TerminalOut], summary="One's card terminals")
def terminals(request: PartyRequest, marketplace: str) -> list[Terminal]:
    """The newest first."""
    return queries.terminals(request.marketplace.pk, require_own(request.actor, "terminals.see"))


@router.post("/m/{marketplace}/terminals", response={201: TerminalOut}, summary="Enrol a card terminal")
def enrol(request: PartyRequest, marketplace: str, body: TerminalIn) -> Status[Terminal]:
    """Its master key is made and stays in the installation's key folder."""
    made = acts.enrol(actor=request.actor, marketplace_id=request.marketplace.pk, now=clock.now(), **body.dict())
    return Status(201, made)


@router.post("/m/{marketplace}/terminals/{terminal}/block", response=TerminalOut, summary="Block a terminal, or not")
def block(request: PartyRequest, marketplace: str, terminal: UUID, body: BlockIn) -> Terminal:
    """A blocked one is declined everything."""
    return acts.block(actor=request.actor, terminal_id=terminal, blocked=body.blocked, now=clock.now())


@router.get("/m/{marketplace}/terminals/{identity}/batches", response=Page[BatchOut], summary="A terminal's batches")
def batches(
    request: PartyRequest, marketplace: str, identity: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """Newest first."""
    own = require_own(request.actor, "terminals.see")
    return queries.batches(queries.own_terminal(request.marketplace.pk, own, identity), cursor, limit)


@router.get(
    "/m/{marketplace}/channel-shares", response=list[ShareOut], auth=None, summary="What is paid by which channel"
)
def shares(request: PartyRequest, marketplace: str, currency: str | None = None) -> list[dict[str, Any]]:
    """A statistic of the marketplace by month: “pos” is the share of card terminals."""
    market = request.marketplace
    require(request.actor, "terminals.see_shares")
    found = queries.shares(market.pk, currency or market.currency, market.zone)
    return [
        {
            "month": one.month, "channel": one.channel, "amount": one.amount,
            "share": (Decimal(one.share.numerator) / one.share.denominator).quantize(Decimal("0.0001"), ROUND_HALF_EVEN),
        }
        for one in found
    ]  # fmt: skip
