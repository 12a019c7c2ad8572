"""The decision: award, standstill, and the way on when a supplier defaults."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.flows.commerce.models import Agreement
from huangpu.flows.process import approvals
from huangpu.parties.actor import Actor

from ..models import Award, Bid, Lot, Tender
from ..procedures import procedure_of
from ..rules import file_hash, standstill_end
from .bonds import forfeit, give_back, live_bonds
from .common import begin, bidders, lot_of, say, tell, tender_of_award
from .evaluation import evaluation_of


@act
def award(*, actor: Actor, tender_id: UUID, lot_id: UUID, now: datetime) -> Award:
    """Awards a lot to the first of its evaluation; whoever should not win must be disqualified before. Starts the
    standstill. Event tender.awarded, with the evaluation file.

    Refuses with tender.lot_decided, tender.not_evaluated, tender.evaluation_stale (something changed since),
    tender.second_person (the tender asks for two persons and this one evaluated), tender.auction_first, and
    approval.needed where the buyer's own rule asks for approval. Of two awards at once one wins.
    """
    tender = begin(actor, "award", tender_id)
    lot = lot_of(tender, lot_id)
    if lot.status != "active":
        raise Conflict("tender.lot_decided", _("This lot is decided already."), value=str(lot.id))
    if lot.evaluation is None:
        raise Conflict("tender.not_evaluated", _("Evaluate the bids first."), value=str(lot.id))
    if evaluation_of(tender, lot) != lot.evaluation:
        raise Conflict("tender.evaluation_stale", _("Something changed since the evaluation; evaluate again."))
    if tender.two_persons and actor.person_id == tender.evaluated_by and not actor.is_system:
        raise Refused("tender.second_person", _("Another person than the one who evaluated must award this tender."))
    if procedure_of(tender.procedure).auction and lot.auction_id is None and len(lot.evaluation["bids"]) > 1:
        raise Conflict("tender.auction_first", _("This procedure has a reverse auction; hold it before the award."))
    approvals.check(
        actor=actor,
        organisation_id=tender.buyer_id,
        act_name="tender.award",
        subject_id=lot.id,
        amount=first_price(lot),
        currency=tender.currency,
    )
    _name_bidders(tender, actor, now)
    made = _grant(tender, lot, UUID(first_bid(lot)["bid"]), lot.evaluation, actor, now)
    give_back(tender, live_bonds(tender, lot=lot).exclude(bid=made.bid), "not_awarded", now)
    _move_on(tender)
    _tell(tender, made, actor, now)
    return made


def first_bid(lot: Lot) -> dict[str, Any]:
    """The bid that the lot's evaluation puts first, as the evaluation file has it."""
    bids: list[dict[str, Any]] = (lot.evaluation or {})["bids"]
    return next(bid for bid in bids if bid["rank"] == 1)


def first_price(lot: Lot) -> int:
    """What the award of an evaluated lot comes to, in minor units."""
    return int(first_bid(lot)["price_minor"])


@act
def pass_on(*, actor: Actor, award_id: UUID, reason: str, now: datetime) -> Award | None:
    """The supplier defaulted (did not sign, did not deliver at all): the award passes to the next bid of the same
    evaluation that is still valid, with a standstill of its own; None if there is none: the lot is unsuccessful. The
    defaulting bid's bond, if it is still held, goes to the buyer.
    Refuses while an agreement that was concluded with the supplier is not terminated (tender.agreement_running).
    """
    tender = begin(actor, "pass_on", tender_of_award(award_id))
    gone = Award.objects.select_related("lot", "bid").filter(pk=award_id, status__in=("standing", "concluded")).first()
    if gone is None:
        raise NotFound("tender.award_not_found", _("There is no such award."), value=str(award_id))
    if not reason.strip():
        raise Invalid("tender.reason_missing", _("Say why."), field="reason")
    if gone.agreement_id and Agreement.objects.filter(pk=gone.agreement_id).exclude(state="terminated").exists():
        raise Conflict(
            "tender.agreement_running",
            _("The agreement with this supplier is not terminated; end it by its own terms first."),
            value=str(gone.agreement_id),
        )
    gone.status, gone.reason = "defaulted", reason.strip()[:1000]
    gone.save(update_fields=["status", "reason"])
    assert gone.bid_id is not None
    Bid.objects.filter(pk=gone.bid_id).update(status="disqualified", reason=gone.reason)
    forfeit(tender, live_bonds(tender, bid_id=gone.bid_id), actor, now)
    told = {"award": str(gone.id), "lot": str(gone.lot_id), "supplier": str(gone.supplier_id), "reason": gone.reason}
    say(tender, "tender.award_defaulted", actor, now, told)
    tell(tender, "tender.award_defaulted", (gone.supplier_id,), now, reason=gone.reason)
    file: dict[str, Any] = gone.file or {"bids": []}
    valid = set(Bid.objects.filter(lot=gone.lot, status="valid").values_list("id", flat=True))
    order = [UUID(bid["bid"]) for bid in sorted(file["bids"], key=lambda bid: int(bid["rank"]))]
    following = next((bid_id for bid_id in order if bid_id in valid), None)
    made = _grant(tender, gone.lot, following, file, actor, now) if following else None
    if made is None:
        Lot.objects.filter(pk=gone.lot_id).update(status="unsuccessful", reason="defaulted")
    _move_on(tender)
    if tender.stage == "unsuccessful":
        tender.closed_at = now
        tender.save(update_fields=["closed_at"])
    if made is not None:
        _tell(tender, made, actor, now)
    return made


def _grant(tender: Tender, lot: Lot, bid_id: UUID, file: dict[str, Any], actor: Actor, now: datetime) -> Award:
    bid = Bid.objects.get(pk=bid_id, lot=lot, status="valid")
    made = Award.objects.create(
        id=uuid7(),
        marketplace_id=tender.marketplace_id,
        tender=tender,
        lot=lot,
        bid=bid,
        supplier_id=bid.bidder_id,
        amount_minor=bid.final_minor or bid.amount_minor,
        awarded_at=now,
        awarded_by=actor.person_id,
        standstill_until=standstill_end(now, tender.standstill_days, tender.standstill_working),
        file=file,
    )
    Lot.objects.filter(pk=lot.id).update(status="awarded", reason="")
    return made


def _name_bidders(tender: Tender, actor: Actor, now: datetime) -> None:
    """With an auction the opening told no names; the first award does."""
    if not procedure_of(tender.procedure).auction or Award.objects.filter(tender=tender).exists():
        return
    named = Bid.objects.filter(tender=tender, number__isnull=False).order_by("number", "id")
    told = [{"bid": str(bid.id), "number": bid.number, "bidder": str(bid.bidder_id)} for bid in named]
    audience = () if procedure_of(tender.procedure).opening_public else (tender.buyer_id, *bidders(tender))
    say(tender, "tender.bidders_named", actor, now, {"bids": told}, audience=audience)


def _move_on(tender: Tender) -> None:
    """To the standstill once no lot is undecided; its deadline is the last award's."""
    states = set(Lot.objects.filter(tender=tender).values_list("status", flat=True))
    if "active" in states:
        return
    if "awarded" in states:
        ends = Award.objects.filter(tender=tender, status="standing").values_list("standstill_until", flat=True)
        tender.stage, tender.next_deadline_at = "standstill", max(end for end in ends if end is not None)
        tender.closed_at = None
    else:
        tender.stage = "concluded" if "concluded" in states else "unsuccessful"
        tender.next_deadline_at = None
    tender.save(update_fields=["stage", "next_deadline_at", "closed_at"])


def _tell(tender: Tender, made: Award, actor: Actor, now: datetime) -> None:
    assert made.standstill_until is not None
    told = {
        "award": str(made.id),
        "lot": str(made.lot_id),
        "bid": str(made.bid_id),
        "supplier": str(made.supplier_id),
        "amount_minor": made.amount_minor,
        "currency": tender.currency,
        "standstill_until": rfc3339(made.standstill_until),
        "file": made.file,
        "file_hash": file_hash(made.file or {}),
        "stage": tender.stage,
    }
    say(tender, "tender.awarded", actor, now, told)
    assert made.supplier is not None
    tell(tender, "tender.awarded", (tender.buyer_id, *bidders(tender)), now, supplier=made.supplier.name)
