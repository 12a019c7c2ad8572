"""Disputes of payments by API: told by the operator as the provider did, answered by the payee."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Router, Schema, Status

from huangpu.core import clock
from huangpu.core.money import LARGEST
from huangpu.core.web.paging import LIMIT_DEFAULT, Page, page_of
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require, require_own

from . import disputes
from .models import Dispute

router = Router(tags=["payments"])
MINOR = "Minor units of the payment's currency."


class DisputeIn(Schema):
    payment: UUID
    reference: str = Field(
        min_length=1, max_length=disputes.REFERENCE_MAX, description="The provider's own, once each."
    )
    amount: int = Field(ge=1, le=LARGEST, description=MINOR)
    reason: str = Field(min_length=1, max_length=disputes.REASON_MAX)


class EvidenceIn(Schema):
    evidence: str = Field(min_length=1, max_length=disputes.EVIDENCE_MAX)


class ConclusionIn(Schema):
    won: bool = Field(description="Whether the payee gets the money back.")


class DisputeOut(Schema):
    """`state`: opened, represented, won, lost, accepted. `lacking`: what the wallet had not, and the payee owes."""

    id: UUID
    payment: UUID = Field(alias="payment_id")
    provider: str
    reference: str
    amount: int = Field(description=MINOR)
    lacking: int = Field(description=MINOR)
    reason: str
    state: str
    evidence: str
    opened_at: datetime
    answer_by: datetime
    ended_at: datetime | None


@router.get("/m/{marketplace}/disputes", response=Page[DisputeOut], summary="What payers' banks dispute")
def seen(request: PartyRequest, marketplace: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT) -> Page[Any]:
    """A payee's own; the operator's are those of the marketplace."""
    require(request.actor, "payments.see_disputes", marketplace_id=request.marketplace.pk)
    found = Dispute.objects.filter(payment__marketplace_id=request.marketplace.pk)
    if "operator" not in request.actor.market_roles:
        found = found.filter(payment__payee_id=require_own(request.actor, "payments.see_disputes"))
    return page_of(found, cursor, limit)


@router.post("/m/{marketplace}/disputes", response={201: DisputeOut}, summary="Tell of a dispute")
def opened(request: PartyRequest, marketplace: str, body: DisputeIn) -> Status[Dispute]:
    """As the provider told it, for the operator. The money is gone at once."""
    made = disputes.open_dispute(
        actor=request.actor, payment_id=body.payment, reference=body.reference, amount=body.amount, reason=body.reason,
        now=clock.now(),
    )  # fmt: skip
    return Status(201, made)


@router.post("/m/{marketplace}/disputes/{dispute}/represent", response=DisputeOut, summary="Answer with evidence")
def represent(request: PartyRequest, marketplace: str, dispute: UUID, body: EvidenceIn) -> Dispute:
    """Within ten days."""
    return disputes.represent(actor=request.actor, dispute_id=dispute, evidence=body.evidence, now=clock.now())


@router.post("/m/{marketplace}/disputes/{dispute}/accept", response=DisputeOut, summary="Let the payer have it")
def accept(request: PartyRequest, marketplace: str, dispute: UUID) -> Dispute:
    """The dispute is over."""
    return disputes.accept(actor=request.actor, dispute_id=dispute, now=clock.now())


@router.post("/m/{marketplace}/disputes/{dispute}/conclude", response=DisputeOut, summary="Tell how it ended")
def conclude(request: PartyRequest, marketplace: str, dispute: UUID, body: ConclusionIn) -> Dispute:
    """As the provider told it, for the operator."""
    return disputes.conclude(actor=request.actor, dispute_id=dispute, won=body.won, now=clock.now())
