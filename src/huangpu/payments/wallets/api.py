"""Money from wallet to wallet by API."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Router, Schema, Status

from huangpu.core import clock
from huangpu.core.money import LARGEST
from huangpu.core.web.paging import LIMIT_DEFAULT, Page
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require_own

from . import acts, queries
from .models import Limit, Sending

router = Router(tags=["payments"])
MINOR = "Minor units of the currency."


class SendingIn(Schema):
    receiver: str = Field(
        max_length=64, description="An identifier of who gets it, such as the unified social credit code."
    )
    amount: int = Field(ge=1, le=LARGEST, description=MINOR)
    currency: str = Field("CNY", max_length=3)
    note: str = Field("", max_length=acts.NOTE_MAX)


class SendingOut(Schema):
    """`state`: waiting, accepted, declined, withdrawn, expired."""

    id: UUID
    sender: UUID = Field(alias="sender_id")
    receiver: UUID = Field(alias="receiver_id")
    amount: int = Field(description=MINOR)
    currency: str
    note: str
    state: str
    sent_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class LimitIn(Schema):
    currency: str = Field("CNY", max_length=3)
    level: int = Field(ge=0, le=3)
    a_day: int = Field(ge=0, le=LARGEST, description=MINOR)
    a_year: int = Field(ge=0, le=LARGEST, description=MINOR)


@router.get("/m/{marketplace}/sendings", response=Page[SendingOut], summary="Money sent and received")
def sendings(
    request: PartyRequest, marketplace: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """Between wallets, newest first."""
    own = require_own(request.actor, "wallets.see")
    return queries.sendings(request.marketplace.pk, own, cursor, limit)


@router.post("/m/{marketplace}/sendings", response={201: SendingOut}, summary="Send money to another wallet")
def send(request: PartyRequest, marketplace: str, body: SendingIn) -> Status[Sending]:
    """It is held until the receiver accepts it, for a day at most."""
    require_own(request.actor, "wallets.send")
    made = acts.send(
        actor=request.actor, marketplace_id=request.marketplace.pk, receiver_id=queries.receiver(body.receiver),
        amount=body.amount, currency=body.currency, note=body.note, now=clock.now(),
    )  # fmt: skip
    return Status(201, made)


@router.post("/m/{marketplace}/sendings/{sending}/accept", response=SendingOut, summary="Accept money")
def accept(request: PartyRequest, marketplace: str, sending: UUID) -> Sending:
    """It comes into one's wallet."""
    return acts.accept(actor=request.actor, sending_id=sending, now=clock.now())


@router.post("/m/{marketplace}/sendings/{sending}/decline", response=SendingOut, summary="Decline money")
def decline(request: PartyRequest, marketplace: str, sending: UUID) -> Sending:
    """It goes back."""
    return acts.decline(actor=request.actor, sending_id=sending, now=clock.now())


@router.post("/m/{marketplace}/sendings/{sending}/withdraw", response=SendingOut, summary="Take back what waits")
def withdraw(request: PartyRequest, marketplace: str, sending: UUID) -> Sending:
    """The sender's side."""
    return acts.withdraw(actor=request.actor, sending_id=sending, now=clock.now())


@router.put("/m/{marketplace}/sending-limits", response=LimitIn, summary="Say how much may be sent")
def set_limit(request: PartyRequest, marketplace: str, body: LimitIn) -> Limit:
    """By how far a holder is verified; for the operator."""
    return acts.set_limit(actor=request.actor, marketplace_id=request.marketplace.pk, now=clock.now(), **body.dict())
