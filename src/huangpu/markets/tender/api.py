"""Tenders by API: everything the pages do. Addresses below /api/v1/m/{marketplace}/."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from huangpu.core import clock
from huangpu.core.web.paging import Page, page_of
from huangpu.parties.actor import Actor

from . import acts, approval, history_door, queries, schemas
from .acts.common import tender_of_award, tender_of_bid
from .models import Complaint, Question
from .standards.ocds import endpoints as open_data

router = Router(tags=["tenders"])
router.add_router("", open_data.router)
router.add_router("", history_door.router)


class Search(Schema):
    """What narrows a list of tenders."""

    text: str = Field(
        "", description="Words of title, lines, buyer or number; Chinese is searched by pairs.", max_length=200
    )
    stage: str = ""
    industry: str = ""
    procedure: str = ""
    budget_from: int | None = Field(None, description="Minor units.")
    budget_to: int | None = None
    mine: Literal["", "buying", "bidding"] = ""
    cursor: str | None = None
    limit: int = 50


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _market(request: HttpRequest) -> UUID:
    found: UUID = request.marketplace.id  # type: ignore[attr-defined]
    return found


def _shown(request: HttpRequest, tender_id: UUID) -> schemas.TenderOut:
    actor = _actor(request)
    tender = queries.find(actor, _market(request), tender_id)
    return schemas.TenderOut.of(queries.see(actor, tender, clock.now()))


@router.get("/m/{marketplace}/tenders", response=Page[schemas.TenderRow], summary="List and search tenders")
def list_tenders(request: HttpRequest, marketplace: str, search: Query[Search]) -> Any:
    """Newest first. Drafts are listed to their own organisation only."""
    filters = queries.Filters(**search.dict(exclude={"cursor", "limit"}))
    return page_of(queries.listing(_actor(request), _market(request), filters), search.cursor, search.limit)


@router.post("/m/{marketplace}/tenders", response={201: schemas.TenderOut}, summary="Write a draft")
def plan(request: HttpRequest, marketplace: str, body: schemas.TenderIn) -> Any:
    """A new draft, which only the own organisation sees."""
    made = acts.plan(actor=_actor(request), marketplace_id=_market(request), terms=body.terms(), now=clock.now())
    return Status(201, _shown(request, made.id))


@router.get("/m/{marketplace}/tenders/{tender}", response=schemas.TenderOut, summary="Read a tender")
def read(request: HttpRequest, marketplace: str, tender: UUID) -> Any:
    """The tender with everything the reader may see: before the opening, no bid of anybody."""
    return _shown(request, tender)


@router.put("/m/{marketplace}/tenders/{tender}", response=schemas.TenderOut, summary="Change a draft")
def edit(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.EditIn) -> Any:
    """Replaces the whole of a draft."""
    _here(request, tender)
    acts.edit(actor=_actor(request), tender_id=tender, terms=body.terms(), now=clock.now(), version=body.version)
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/copy", response={201: schemas.TenderOut}, summary="Draft from a tender")
def copy(request: HttpRequest, marketplace: str, tender: UUID) -> Any:
    """A new draft with the lots, lines and terms of this tender; its periods start empty."""
    _here(request, tender)
    made = acts.draft_from(actor=_actor(request), source_id=tender, marketplace_id=_market(request), now=clock.now())
    return Status(201, _shown(request, made.id))


@router.post("/m/{marketplace}/tenders/{tender}/publish", response=schemas.TenderOut, summary="Publish a draft")
def publish(request: HttpRequest, marketplace: str, tender: UUID) -> Any:
    """Opens the tender for questions and sealed bids."""
    _here(request, tender)
    acts.publish(actor=_actor(request), tender_id=tender, now=clock.now())
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/approval", response={201: schemas.TaskOut}, summary="Ask for approval")
def ask_approval(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.ApprovalIn) -> Any:
    """Where the own organisation's rule demands it: of the award of a lot, or without one of the publication."""
    found = queries.find(_actor(request), _market(request), tender)
    link = f"/m/{marketplace}/tenders/{found.number}/"
    if body.lot is None:
        return Status(201, approval.ask_for_publication(_actor(request), found, link, clock.now()))
    return Status(201, approval.ask_for_award(_actor(request), found, body.lot, f"{link}evaluation/", clock.now()))


@router.post(
    "/m/{marketplace}/tenders/{tender}/amend", response=schemas.TenderOut, summary="Amend, extend the deadline"
)
def amend(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.AmendIn) -> Any:
    """The end of the bids can only be moved to a later time; bids already in stay valid."""
    _here(request, tender)
    acts.amend(actor=_actor(request), tender_id=tender, now=clock.now(), **body.dict())
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/documents", response={201: schemas.TenderOut}, summary="Add a document")
def attach(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.AttachIn) -> Any:
    """Store it before (`POST /m/{marketplace}/documents`, with one's own organisation as audience). From the publication of
    the tender on everybody can read it; while the tender is open for bids it is an amendment."""
    _here(request, tender)
    acts.attach(
        actor=_actor(request), tender_id=tender, document_id=body.document, kind=body.kind, title=body.title,
        now=clock.now(),
    )  # fmt: skip
    return Status(201, _shown(request, tender))


@router.delete(
    "/m/{marketplace}/tenders/{tender}/documents/{attachment}", response=schemas.TenderOut, summary="Remove a document"
)
def detach(request: HttpRequest, marketplace: str, tender: UUID, attachment: UUID) -> Any:
    """Out of a draft only: what was published stays published."""
    _here(request, tender)
    acts.detach(actor=_actor(request), tender_id=tender, attachment_id=attachment, now=clock.now())
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/cancel", response=schemas.TenderOut, summary="Cancel a tender")
def cancel(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.ReasonIn) -> Any:
    """Before the conclusion, with a reason. Bids still sealed are never opened: their key is destroyed."""
    _here(request, tender)
    acts.cancel(actor=_actor(request), tender_id=tender, reason=body.reason, now=clock.now())
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/questions", response={201: schemas.QuestionOut}, summary="Ask")
def ask(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.TextIn) -> Any:
    """Everybody reads the question; nobody else learns who asked."""
    _here(request, tender)
    return Status(201, acts.ask(actor=_actor(request), tender_id=tender, text=body.text, now=clock.now()))


@router.post("/m/{marketplace}/questions/{question}/answer", response=schemas.QuestionOut, summary="Answer a question")
def answer(request: HttpRequest, marketplace: str, question: UUID, body: schemas.TextIn) -> Any:
    """The buyer's answer, for everybody."""
    _here(request, Question.objects.filter(pk=question).values_list("tender_id", flat=True).first())
    return acts.answer(actor=_actor(request), question_id=question, text=body.text, now=clock.now())


@router.post(
    "/m/{marketplace}/tenders/{tender}/bids", response={201: schemas.ReceiptOut}, summary="Submit a sealed bid"
)
def submit_bid(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.BidIn) -> Any:
    """Seals and takes a bid for a lot; it replaces the bidder's earlier one. The answer is the receipt: keep it."""
    _here(request, tender)
    bid = acts.submit_bid(
        actor=_actor(request),
        tender_id=tender,
        lot_id=body.lot,
        prices={price.line: price.unit_price for price in body.prices},
        deliver_within_days=body.deliver_within_days,
        note=body.note,
        now=clock.now(),
    )
    return Status(201, bid)


@router.post("/m/{marketplace}/bids/{bid}/withdraw", response=schemas.ReceiptOut, summary="Withdraw a sealed bid")
def withdraw_bid(request: HttpRequest, marketplace: str, bid: UUID) -> Any:
    """Before the end of the bids; the ciphertext is erased."""
    _here(request, tender_of_bid(bid))
    return acts.withdraw_bid(actor=_actor(request), bid_id=bid, now=clock.now())


@router.post("/m/{marketplace}/tenders/{tender}/open", response=schemas.TenderOut, summary="Open the bids")
def open_bids(request: HttpRequest, marketplace: str, tender: UUID) -> Any:
    """From the end of the bids on; the house does it by itself a few seconds later."""
    _here(request, tender)
    acts.open_bids(actor=_actor(request), tender_id=tender, now=clock.now())
    return _shown(request, tender)


@router.post("/m/{marketplace}/bids/{bid}/disqualify", response=schemas.TenderOut, summary="Disqualify a bid")
def disqualify(request: HttpRequest, marketplace: str, bid: UUID, body: schemas.ReasonIn) -> Any:
    """Leaves an opened bid out of the evaluation, with a reason."""
    tender_id = tender_of_bid(bid)
    _here(request, tender_id)
    acts.disqualify(actor=_actor(request), bid_id=bid, reason=body.reason, now=clock.now())
    return _shown(request, tender_id)


@router.put("/m/{marketplace}/bids/{bid}/scores", response=schemas.TenderOut, summary="Give points")
def score(request: HttpRequest, marketplace: str, bid: UUID, body: schemas.ScoreIn) -> Any:
    """The caller's points for a bid and a criterion; given again, they replace the earlier ones."""
    tender_id = tender_of_bid(bid)
    _here(request, tender_id)
    acts.score(actor=_actor(request), bid_id=bid, now=clock.now(), **body.dict())
    return _shown(request, tender_id)


@router.post("/m/{marketplace}/tenders/{tender}/auction", response=schemas.TenderOut, summary="Start the auction")
def start_auction(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.StartIn) -> Any:
    """An English reverse auction for every lot with two valid bids; its ids stand in the lots."""
    _here(request, tender)
    acts.start_auction(actor=_actor(request), tender_id=tender, now=clock.now(), opens_at=body.opens_at)
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/auction/result", response=schemas.TenderOut, summary="Take the result")
def take_auction_result(request: HttpRequest, marketplace: str, tender: UUID) -> Any:
    """Takes the final prices over; the house does it by itself when the auctions have ended."""
    _here(request, tender)
    acts.take_auction_result(actor=_actor(request), tender_id=tender, now=clock.now())
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/evaluate", response=schemas.TenderOut, summary="Rank the bids")
def evaluate(request: HttpRequest, marketplace: str, tender: UUID) -> Any:
    """Exact scores, ties to the earlier receipt; the evaluation file of each lot holds all that is needed to recompute."""
    _here(request, tender)
    acts.evaluate(actor=_actor(request), tender_id=tender, now=clock.now())
    return _shown(request, tender)


@router.post("/m/{marketplace}/tenders/{tender}/awards", response={201: schemas.AwardOut}, summary="Award a lot")
def award(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.AwardIn) -> Any:
    """To the first of the lot's evaluation. The standstill begins."""
    _here(request, tender)
    made = acts.award(actor=_actor(request), tender_id=tender, lot_id=body.lot, now=clock.now())
    return Status(201, made)


@router.post("/m/{marketplace}/awards/{award}/pass-on", response=schemas.TenderOut, summary="Pass an award on")
def pass_on(request: HttpRequest, marketplace: str, award: UUID, body: schemas.ReasonIn) -> Any:
    """The supplier defaulted: the award passes to the next in rank, if there is one."""
    tender_id = tender_of_award(award)
    _here(request, tender_id)
    acts.pass_on(actor=_actor(request), award_id=award, reason=body.reason, now=clock.now())
    return _shown(request, tender_id)


@router.post("/m/{marketplace}/tenders/{tender}/complaints", response={201: schemas.ComplaintOut}, summary="Complain")
def complain(request: HttpRequest, marketplace: str, tender: UUID, body: schemas.ComplaintIn) -> Any:
    """A bidder's complaint within the standstill; while it is open nothing is concluded."""
    _here(request, tender)
    made = acts.complain(actor=_actor(request), tender_id=tender, lot_id=body.lot, text=body.text, now=clock.now())
    return Status(201, made)


@router.post(
    "/m/{marketplace}/complaints/{complaint}/decide", response=schemas.ComplaintOut, summary="Decide a complaint"
)
def decide_complaint(request: HttpRequest, marketplace: str, complaint: UUID, body: schemas.DecisionIn) -> Any:
    """The arbiter's word: upheld, the award is void and the lot is evaluated again."""
    _here(request, Complaint.objects.filter(pk=complaint).values_list("tender_id", flat=True).first())
    return acts.decide_complaint(
        actor=_actor(request), complaint_id=complaint, upheld=body.upheld, decision=body.decision, now=clock.now()
    )


@router.post(
    "/m/{marketplace}/tenders/{tender}/conclude", response=schemas.TenderOut, summary="Conclude the agreements"
)
def conclude(request: HttpRequest, marketplace: str, tender: UUID) -> Any:
    """After the standstill, which the house also does by itself: one agreement an award."""
    _here(request, tender)
    acts.conclude(actor=_actor(request), tender_id=tender, now=clock.now())
    return _shown(request, tender)


def _here(request: HttpRequest, tender_id: UUID | None) -> None:
    """The tender is one of this marketplace that the caller may know of, else NotFound."""
    queries.find(_actor(request), _market(request), tender_id or UUID(int=0))
