"""The documents of a tender: kept with the draft for its buyer alone, and from the publication on for everybody."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, NotFound
from huangpu.flows.information import acts as information
from huangpu.parties.actor import Actor

from ..models import Attachment, Tender
from ..snapshot import tender_data
from ..words import DOCUMENT_KINDS
from .common import begin, bidders, say, tell

ATTACHMENTS_MAX = 50
TITLE_LENGTH_MAX = 300


@act
def attach(
    *, actor: Actor, tender_id: UUID, document_id: UUID, kind: str, now: datetime, title: str = ""
) -> Attachment:
    """Adds a stored document of the buyer's to a tender. Until the publication it stays the buyer's own; to a tender that is
    open for bids it is an amendment, of which askers and bidders are told (events tender.planned, tender.amended).

    `kind`: a code of `words.DOCUMENT_KINDS`. Refuses with the codes of `begin`, tender.document_kind,
    tender.documents_too_many, tender.bids_closed, and information.no_document for one that is not the buyer's.
    """
    tender = begin(actor, "attach", tender_id)
    if kind not in DOCUMENT_KINDS:
        raise Invalid(
            "tender.document_kind",
            _("“%(value)s” is no kind of document of a tender; choose one of %(known)s."),
            field="kind",
            value=kind,
            known=", ".join(DOCUMENT_KINDS),
        )
    if Attachment.objects.filter(tender=tender).count() >= ATTACHMENTS_MAX:
        raise Conflict(
            "tender.documents_too_many",
            _("A tender has at most %(value)s documents."),
            field="documents",
            value=ATTACHMENTS_MAX,
        )
    readers = {tender.buyer_id} if tender.published_at is None else None
    document = information.share(
        actor=actor, marketplace_id=tender.marketplace_id, document_ids=[document_id], organisation_ids=readers
    )[0]
    name = (title.strip() or document.filename)[:TITLE_LENGTH_MAX]
    made = Attachment.objects.create(tender=tender, document_id=document.pk, title=name, kind=kind, added_at=now)
    _told(tender, actor, now, made.title)
    return made


@act
def detach(*, actor: Actor, tender_id: UUID, attachment_id: UUID, now: datetime) -> None:
    """Takes a document out of a draft; it stays the buyer's. What was published stays published.

    Refuses with the codes of `begin`, and tender.no_attachment.
    """
    tender = begin(actor, "edit", tender_id)
    gone, _by_model = Attachment.objects.filter(tender=tender, pk=attachment_id).delete()
    if not gone:
        raise NotFound("tender.no_attachment", _("This tender has no such document."), value=str(attachment_id))
    _told(tender, actor, now, "")


def _told(tender: Tender, actor: Actor, now: datetime, title: str) -> None:
    tender.version += 1
    tender.save(update_fields=["version"])
    if tender.published_at is None:
        say(tender, "tender.planned", actor, now, tender_data(tender), audience=(tender.buyer_id,))
        return
    assert tender.bids_until is not None
    if now >= tender.bids_until:
        raise Conflict("tender.bids_closed", _("The time for bids is over."), value=rfc3339(tender.bids_until))
    say(tender, "tender.amended", actor, now, {**tender_data(tender), "note": title})
    askers = tender.questions.values_list("asker_id", flat=True)
    tell(tender, "tender.amended", {*askers, *bidders(tender)}, now, until={"instant": rfc3339(tender.bids_until)})
