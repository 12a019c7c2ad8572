"""Planning, publishing, amending and cancelling a tender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act, execute, row
from huangpu.core.errors import Conflict, Invalid, NotFound
from huangpu.core.ids import uuid7
from huangpu.core.search import bigrams
from huangpu.flows.information import acts as information
from huangpu.flows.process import approvals
from huangpu.markets.auction import acts as auctions
from huangpu.markets.auction.models import Auction
from huangpu.markets.auction.rules import OPEN, PAUSED, AuctionRules
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace

from ..models import Award, Bid, Line, Lot, Tender
from ..rights import may
from ..rules import Criterion
from ..sealing import keys
from ..snapshot import tender_data
from ..terms import LineTerms, LotTerms, TenderTerms, check, check_bond, check_publication
from .bonds import give_back, live_bonds
from .common import begin, bidders, keep_intent, say, seen_by, tell

# A bid that came in before the end may still be on its way through the house: time opens only after it has arrived.
OPENING_GRACE = timedelta(seconds=5)

PLAIN_FIELDS = (
    "currency",
    "procedure",
    "industry",
    "delivery_place",
    "budget_minor",
    "allow_single",
    "two_persons",
    "questions_until",
    "bids_until",
    "standstill_days",
    "standstill_working",
    "deliver_within_days",
    "inspect_within_days",
    "pay_within_days",
    "late_penalty",
    "bond_minor",
    "bond_ppm",
)


@act
def plan(
    *, actor: Actor, marketplace_id: UUID, terms: TenderTerms, now: datetime, origin_id: UUID | None = None
) -> Tender:
    """A new draft of the actor's organisation, which only that organisation sees. Event tender.planned.

    Refuses with the codes of rights.may, and with InvalidMany for terms that can be no tender (terms.check, check_bond).
    """
    may(actor, "plan")
    check(terms)
    check_bond(terms, _profile(marketplace_id))
    assert actor.organisation_id is not None
    tender = Tender(
        id=uuid7(),
        marketplace_id=marketplace_id,
        number=next_number(now),
        buyer_id=actor.organisation_id,
        created_by=actor.person_id,
        origin_id=origin_id,
    )
    _apply(tender, terms)
    tender.save(force_insert=True)
    _write_lots(tender, terms)
    _index(tender, terms)
    say(tender, "tender.planned", actor, now, tender_data(tender), audience=(tender.buyer_id,))
    return tender


@act
def edit(*, actor: Actor, tender_id: UUID, terms: TenderTerms, now: datetime, version: int | None = None) -> Tender:
    """Replaces the whole of a draft. With `version`, refuses (tender.changed_meanwhile) if somebody else was faster."""
    tender = begin(actor, "edit", tender_id)
    if version is not None and version != tender.version:
        raise Conflict("tender.changed_meanwhile", _("Somebody changed this draft meanwhile; load it again."))
    check(terms)
    check_bond(terms, _profile(tender.marketplace_id))
    _apply(tender, terms)
    tender.version += 1
    tender.save()
    tender.lots.all().delete()
    _write_lots(tender, terms)
    _index(tender, terms)
    say(tender, "tender.planned", actor, now, tender_data(tender), audience=(tender.buyer_id,))
    return tender


@act
def draft_from(*, actor: Actor, source_id: UUID, marketplace_id: UUID, now: datetime) -> Tender:
    """A new draft with the lots, lines and terms of an earlier tender, of whomever; its periods start empty."""
    source = Tender.objects.filter(pk=source_id).first()
    if source is None or not seen_by(actor, source):
        raise NotFound("tender.not_found", _("There is no such tender."), value=str(source_id))
    return plan(
        actor=actor, marketplace_id=marketplace_id, terms=terms_of(source, fresh=True), now=now, origin_id=source.id
    )


@act
def publish(*, actor: Actor, tender_id: UUID, now: datetime) -> Tender:
    """Opens a draft for bids: makes its sealing key, sets its deadline. Event tender.published, to everybody.

    Refuses with InvalidMany for terms that cannot be published (terms.check_publication), and with approval.needed where
    the buyer's own rule asks for approval from the budget's amount on.
    """
    tender = begin(actor, "publish", tender_id)
    terms = terms_of(tender)
    check_publication(terms, now)
    check_bond(terms, _profile(tender.marketplace_id))
    if tender.auction is not None:
        AuctionRules.of(tender.auction)  # refuses auction.rules_invalid, before anybody bids
    assert tender.bids_until is not None
    approvals.check(
        actor=actor,
        organisation_id=tender.buyer_id,
        act_name="tender.publish",
        subject_id=tender.id,
        amount=tender.budget_minor or 0,
        currency=tender.currency,
    )
    kept = [one.document_id for one in tender.attachments.all() if one.document_id]
    if kept:
        information.share(actor=actor, marketplace_id=tender.marketplace_id, document_ids=kept, organisation_ids=None)
    tender.sealing_key = keys().create(tender.id, tender.bids_until)
    tender.stage, tender.published_at = "open", now
    tender.next_deadline_at = tender.bids_until + OPENING_GRACE
    tender.save()
    keep_intent(tender, now)
    say(tender, "tender.published", actor, now, tender_data(tender))
    return tender


@act
def amend(
    *,
    actor: Actor,
    tender_id: UUID,
    now: datetime,
    bids_until: datetime | None = None,
    questions_until: datetime | None = None,
    description: Mapping[str, str] | None = None,
    note: str = "",
) -> Tender:
    """Changes a published tender's description or extends its periods; bids already in stay valid. Event tender.amended.

    Refuses after the end of the bids (tender.bids_closed) and to shorten the time for bids (tender.deadline_only_later).
    """
    tender = begin(actor, "amend", tender_id)
    ends = tender.bids_until
    assert ends is not None
    if now >= ends:
        raise Conflict("tender.bids_closed", _("The time for bids is over."), value=rfc3339(ends))
    if bids_until is not None and bids_until < ends:
        raise Invalid(
            "tender.deadline_only_later",
            _("The end of the bids can only be moved to a later time."),
            field="bids_until",
            value=rfc3339(bids_until),
        )
    if questions_until is not None and questions_until > (bids_until or ends):
        raise Invalid(
            "tender.questions_after_bids", _("Questions must end no later than the bids."), field="questions_until"
        )
    if bids_until is not None and bids_until > ends:
        later = bids_until
        tender.bids_until, tender.next_deadline_at = later, later + OPENING_GRACE
        # After the commit: a key bound too late could not be opened in time. Until then the row binds it.
        transaction.on_commit(lambda: keys().postpone(tender.id, later))
    tender.questions_until = questions_until or tender.questions_until
    tender.description = dict(description) if description is not None else tender.description
    tender.version += 1
    tender.save()
    keep_intent(tender, now)
    say(tender, "tender.amended", actor, now, {**tender_data(tender), "note": note[:1000]})
    askers = tender.questions.values_list("asker_id", flat=True)
    assert tender.bids_until is not None
    tell(tender, "tender.amended", {*askers, *bidders(tender)}, now, until={"instant": rfc3339(tender.bids_until)})
    return tender


@act
def cancel(*, actor: Actor, tender_id: UUID, reason: str, now: datetime) -> Tender:
    """Ends a tender before its conclusion, with the reason. Sealed bids stay sealed for ever: their key is destroyed."""
    tender = begin(actor, "cancel", tender_id)
    if not reason.strip():
        raise Invalid("tender.reason_missing", _("Say why."), field="reason")
    before = tender.stage
    tender.stage, tender.reason, tender.closed_at, tender.next_deadline_at = "cancelled", reason[:1000], now, None
    tender.save()
    Lot.objects.filter(tender=tender).exclude(status="unsuccessful").update(status="cancelled")
    Award.objects.filter(tender=tender, status="standing").update(status="cancelled", reason=reason[:1000])
    give_back(tender, live_bonds(tender), "cancelled", now)
    if before == "open":
        keep_intent(tender, now)
        transaction.on_commit(lambda: keys().destroy(tender.id))
    held = Lot.objects.filter(tender=tender).values("auction_id")
    for auction in Auction.objects.filter(pk__in=held, status__in=(OPEN, PAUSED)).order_by("id"):
        auctions.cancel(actor=actor, auction_id=auction.id, reason=reason, now=now)
    audience = (tender.buyer_id,) if tender.published_at is None else ()
    bids = Bid.objects.filter(tender=tender, status="sealed").count()
    tell(tender, "tender.cancelled", bidders(tender), now, reason=reason[:1000])
    say(
        tender,
        "tender.cancelled",
        actor,
        now,
        {"from": before, "reason": reason[:1000], "bids": bids},
        audience=audience,
    )
    return tender


def next_number(now: datetime) -> str:
    """T-2026-000123: the year, and a number from one sequence, so unique in every marketplace."""
    found = row("SELECT nextval('tender_number')")
    assert found is not None
    return f"T-{now.year}-{found[0]:06d}"


def terms_of(tender: Tender, *, fresh: bool = False) -> TenderTerms:
    """A stored tender as terms again. `fresh`: for a new one, so without periods."""
    lots = []
    for lot in tender.lots.order_by("number").prefetch_related("lines"):
        lines = [
            LineTerms(line.name, line.quantity, line.unit, line.description, line.scheme, line.code)
            for line in sorted(lot.lines.all(), key=lambda line: line.number)
        ]
        lots.append(LotTerms(lines, lot.title, lot.budget_minor))
    plain: dict[str, Any] = {name: getattr(tender, name) for name in PLAIN_FIELDS}
    if fresh:
        plain |= {"questions_until": None, "bids_until": None}
    return TenderTerms(
        title=tender.title,
        description=tender.description,
        lots=lots,
        criteria=[Criterion.of(data) for data in tender.criteria],
        auction=tender.auction,
        **plain,
    )


def _profile(marketplace_id: UUID) -> Mapping[str, Any]:
    profile: Mapping[str, Any] = Marketplace.objects.values_list("profile", flat=True).get(pk=marketplace_id)
    return profile


def _apply(tender: Tender, terms: TenderTerms) -> None:
    for name in PLAIN_FIELDS:
        setattr(tender, name, getattr(terms, name))
    budgets = [lot.budget_minor for lot in terms.lots]
    if tender.budget_minor is None and all(budget is not None for budget in budgets):
        tender.budget_minor = sum(budget for budget in budgets if budget is not None)
    tender.title, tender.description = dict(terms.title), dict(terms.description)
    tender.criteria = [criterion.data() for criterion in terms.criteria]
    tender.auction = dict(terms.auction) if terms.auction else None


def _index(tender: Tender, terms: TenderTerms) -> None:
    """What a search finds a tender by: number, buyer, texts, lots, lines and codes, in every language there is."""
    texts = [tender.number, *tender.buyer.name.values(), *terms.title.values(), *terms.description.values()]
    texts.append(terms.delivery_place)
    for lot in terms.lots:
        texts += lot.title.values()
        for line in lot.lines:
            texts += [*line.name.values(), line.code]
    words = bigrams("\n".join(text for text in texts if text))
    execute("UPDATE tender_tender SET search = to_tsvector('simple', %s) WHERE id = %s", [words, tender.id])


def _write_lots(tender: Tender, terms: TenderTerms) -> None:
    lots, lines = [], []
    for number, lot in enumerate(terms.lots, 1):
        made = Lot(tender=tender, number=number, title=dict(lot.title), budget_minor=lot.budget_minor)
        lots.append(made)
        for place, line in enumerate(lot.lines, 1):
            lines.append(Line(lot=made, number=place, **{**asdict(line), "name": dict(line.name)}))
    Lot.objects.bulk_create(lots)
    Line.objects.bulk_create(lines)
