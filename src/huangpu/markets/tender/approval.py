"""The buyer's own rule of approval over publishing and awarding: where it stands, and how colleagues are asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import NotFound
from huangpu.flows.process import approvals
from huangpu.flows.process.models import Task
from huangpu.parties.actor import Actor

from .acts.awarding import first_price
from .models import Lot, Tender
from .rights import may

PUBLISH, AWARD = "tender.publish", "tender.award"
NAMES = {PUBLISH: _("Publish a tender"), AWARD: _("Award a lot")}


def of_award(lot: Lot) -> dict[str, Any] | None:
    """`state` of the award (as approvals.standing says) and how many `persons` it needs; None with nothing to award."""
    if not lot.evaluation or lot.status != "active":
        return None
    tender = lot.tender
    state, rule = approvals.standing(tender.buyer_id, AWARD, lot.id, first_price(lot), tender.currency)
    return {"state": state, "persons": rule.persons if rule else 0}


def of_publication(tender: Tender) -> str:
    """The state of publishing a draft."""
    return approvals.standing(tender.buyer_id, PUBLISH, tender.id, tender.budget_minor or 0, tender.currency)[0]


def ask_for_award(actor: Actor, tender: Tender, lot_id: UUID, link: str, now: datetime) -> Task:
    """Opens the task to approve a lot's award. NotFound tender.lot_not_found where there is nothing to award yet."""
    may(actor, "award", tender)
    lot = Lot.objects.filter(tender=tender, pk=lot_id, status="active", evaluation__isnull=False).first()
    if lot is None:
        raise NotFound("tender.lot_not_found", _("There is nothing to award yet; rank the bids."), value=str(lot_id))
    return _ask(actor, tender, AWARD, lot.id, first_price(lot), link, now)


def ask_for_publication(actor: Actor, tender: Tender, link: str, now: datetime) -> Task:
    """Opens the task to approve the publication of a draft."""
    may(actor, "publish", tender)
    return _ask(actor, tender, PUBLISH, tender.id, tender.budget_minor or 0, link, now)


def _ask(actor: Actor, tender: Tender, act: str, subject: UUID, amount: int, link: str, now: datetime) -> Task:
    return approvals.ask(
        actor=actor,
        marketplace_id=tender.marketplace_id,
        act_name=act,
        subject_id=subject,
        amount=amount,
        currency=tender.currency,
        link=link,
        now=now,
    )
