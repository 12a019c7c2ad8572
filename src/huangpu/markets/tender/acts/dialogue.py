"""What is said during a tender: questions and answers before the bids end, complaints in the standstill."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused
from huangpu.parties.actor import Actor

from ..models import Award, Bid, Complaint, Lot, Question
from .common import begin, bidders, lot_of, say, tell


@act
def ask(*, actor: Actor, tender_id: UUID, text: str, now: datetime) -> Question:
    """A supplier's question, seen by all; who asked is seen by nobody else. Refuses after `questions_until`."""
    tender = begin(actor, "ask", tender_id)
    ends = tender.questions_until or tender.bids_until
    assert ends is not None
    if now >= ends:
        raise Conflict("tender.questions_closed", _("The time for questions ended at %(value)s."), value=rfc3339(ends))
    assert actor.organisation_id is not None
    question = Question.objects.create(
        tender=tender, asker_id=actor.organisation_id, text=_text(text, 2000), asked_at=now
    )
    told = {"question": str(question.id), "text": question.text}
    tell(tender, "tender.question_asked", (tender.buyer_id,), now)
    say(tender, "tender.question_asked", actor, now, told, hidden=True)
    return question


@act
def answer(*, actor: Actor, question_id: UUID, text: str, now: datetime) -> Question:
    """The buyer's answer, seen by all. It may be given again (corrected) until the bids end."""
    found = Question.objects.filter(pk=question_id).first()
    if found is None:
        raise NotFound("tender.question_not_found", _("There is no such question."), value=str(question_id))
    tender = begin(actor, "answer", found.tender_id)
    found.answer, found.answered_at, found.answered_by = _text(text, 4000), now, actor.person_id
    found.save(update_fields=["answer", "answered_at", "answered_by"])
    told = {"question": str(found.id), "text": found.text, "answer": found.answer}
    tell(tender, "tender.question_answered", (found.asker_id,), now)
    say(tender, "tender.question_answered", actor, now, told)
    return found


@act
def complain(*, actor: Actor, tender_id: UUID, lot_id: UUID, text: str, now: datetime) -> Complaint:
    """A bidder's complaint against the award of a lot, within the standstill. While it is open nothing is concluded."""
    tender = begin(actor, "complain", tender_id)
    lot = lot_of(tender, lot_id)
    award = Award.objects.filter(lot=lot, status="standing").first()
    if award is None or award.standstill_until is None or now >= award.standstill_until:
        raise Conflict("tender.standstill_over", _("The standstill of this lot is over."))
    assert actor.organisation_id is not None
    if not Bid.objects.filter(lot=lot, bidder_id=actor.organisation_id, status__in=("valid", "disqualified")).exists():
        raise Refused("tender.no_bidder", _("Only who bid for this lot may complain."))
    if Complaint.objects.filter(lot=lot, organisation_id=actor.organisation_id, upheld=None).exists():
        raise Conflict("tender.complaint_open", _("Your complaint about this lot is not decided yet."))
    complaint = Complaint.objects.create(
        tender=tender, lot=lot, organisation_id=actor.organisation_id, text=_text(text, 4000), raised_at=now
    )
    told = {"complaint": str(complaint.id), "lot": str(lot.id), "text": complaint.text}
    tell(tender, "tender.complaint_raised", (tender.buyer_id, award.supplier_id), now)
    say(tender, "tender.complaint_raised", actor, now, told, audience=(tender.buyer_id, actor.organisation_id))
    return complaint


@act
def decide_complaint(*, actor: Actor, complaint_id: UUID, upheld: bool, decision: str, now: datetime) -> Complaint:
    """The arbiter's word. Upheld: the award is void and the lot is evaluated again. Dismissed: the standstill runs on."""
    found = Complaint.objects.filter(pk=complaint_id).select_related("lot").first()
    if found is None:
        raise NotFound("tender.complaint_not_found", _("There is no such complaint."), value=str(complaint_id))
    tender = begin(actor, "decide_complaint", found.tender_id)
    found.refresh_from_db()
    if found.upheld is not None:
        raise Conflict("tender.complaint_decided", _("This complaint is decided already."))
    found.upheld, found.decision, found.decided_at = upheld, _text(decision, 4000), now
    found.decided_by = actor.person_id
    found.save()
    if upheld:
        Award.objects.filter(lot=found.lot, status="standing").update(status="cancelled", reason=found.decision[:1000])
        Lot.objects.filter(pk=found.lot_id).update(status="active", evaluation=None)
        tender.stage, tender.next_deadline_at = "evaluation", None
        tender.save(update_fields=["stage", "next_deadline_at"])
    else:  # time itself concludes, at once if the standstill is over meanwhile
        ends = Award.objects.filter(tender=tender, status="standing").values_list("standstill_until", flat=True)
        tender.next_deadline_at = max(end for end in ends if end is not None)
        tender.save(update_fields=["next_deadline_at"])
    told = {"complaint": str(found.id), "lot": str(found.lot_id), "upheld": upheld, "decision": found.decision}
    tell(tender, "tender.complaint_decided", (tender.buyer_id, *bidders(tender)), now)
    say(tender, "tender.complaint_decided", actor, now, told)
    return found


def _text(text: str, most: int) -> str:
    text = text.strip()
    if not 0 < len(text) <= most:
        raise Invalid(
            "tender.text_invalid", _("Write 1 to %(most)s characters."), field="text", value=len(text), most=most
        )
    return text
