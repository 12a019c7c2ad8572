"""Auctions by API. Addresses below /api/v1/m/{marketplace}/."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from huangpu.core import clock
from huangpu.core.web.paging import Page, page_of
from huangpu.parties.actor import Actor

from . import acts, frames, queries, stream
from . import rules as r
from .models import Auction

router = Router(tags=["auctions"])

AMOUNT = Field(description="Minor units of the auction's currency.")


class RulesIn(Schema):
    """The rules; what is left out has its default."""

    duration_s: int = Field(1800, description="Seconds from opening to planned close.")
    step_minor: int = Field(0, description="The least decrement in minor units; or give step_ppm.")
    step_ppm: int | None = Field(
        None, description="The least decrement in millionths of the base; 5000 if nothing is given."
    )
    base: Literal["own", "lead"] = Field("own", description="What the decrement is taken from.")
    window_s: int = Field(120, description="A bid in the last so many seconds moves the close.")
    extend_s: int = Field(120, description="To so many seconds after that bid.")
    extensions_max: int = 20
    extend_on: Literal["lead", "any"] = Field("lead", description="Whether only a bid that improves the lead moves it.")
    hard_close_after_s: int = Field(
        0, description="No close is later than so many seconds after the opening; 0: no limit."
    )
    drop_ppm_max: int = Field(0, description="A larger fall at once is refused as a slip; millionths, 0: no limit.")

    def rules(self) -> r.AuctionRules:
        return r.AuctionRules.of({name: value for name, value in self.dict().items() if value is not None})


class BidderIn(Schema):
    organisation: UUID
    label: str = Field(description="What others see until the close.", min_length=1, max_length=16)
    start_minor: int = Field(description="The start price in minor units.", gt=0)


class AuctionIn(Schema):
    subject: UUID = Field(description="What is auctioned, such as a tender.")
    lot: UUID | None = None
    currency: str = Field("CNY", max_length=3)
    title: dict[Literal["zh-hans", "en"], str] = Field(default_factory=dict)
    budget_minor: int | None = Field(None, gt=0)
    public: bool = Field(True, description="Whether everybody may watch.")
    opens_at: datetime
    bidders: list[BidderIn] = Field(min_length=1, max_length=r.BIDDERS_MAX)
    rules: RulesIn = Field(default_factory=lambda: RulesIn.model_validate({}))


class OwnOut(Schema):
    """What a bidder knows of itself."""

    number: int
    rank: int
    amount: int = AMOUNT
    highest_next: int = Field(description="The most that may be bid next.")
    lowest_next: int = Field(description="The least that is not taken for a slip.")


class StandingOut(Schema):
    rank: int
    label: str
    amount: int = AMOUNT
    sequence: int = Field(description="Of the bid; 0: the start price.")
    organisation: UUID | None = Field(None, description="Told after the close.")


class AuctionRow(Schema):
    id: UUID
    number: str = Field(description="Of what is auctioned.")
    title: dict[str, str]
    phase: str = Field(description="scheduled, running, ending, paused, closed or cancelled.")
    currency: str
    opens_at: datetime
    closes_at: datetime
    lead_minor: int = AMOUNT
    bidders: int

    @staticmethod
    def of(auction: Auction) -> dict[str, Any]:
        """A row of the list."""
        named = ("id", "number", "title", "currency", "opens_at", "closes_at", "lead_minor")
        shown = {name: getattr(auction, name) for name in named}
        phase = r.phase(queries.state_of(auction), clock.now())
        return {**shown, "phase": phase, "bidders": len(auction.standings)}


class AuctionOut(AuctionRow):
    """An auction as its reader may see it."""

    subject_id: UUID
    lot_id: UUID | None
    rules: dict[str, Any]
    hard_close_at: datetime | None
    extensions: int
    last_sequence: int
    server_time: datetime
    own: OwnOut | None = None
    standings: list[StandingOut] | None = Field(
        None, description="For the buyer's side; after the close for the bidders."
    )
    reason: str = Field("", description="Of a cancellation.")


class BidIn(Schema):
    amount_minor: int = AMOUNT


class AnswerOut(Schema):
    """The answer to a bid. It is durable: it stands in the auction's log under its sequence number."""

    auction_id: UUID
    sequence: int
    accepted: bool
    reason: str = Field(description="Empty, or why it was refused: " + ", ".join(one for one in r.REASONS if one) + ".")
    amount_minor: int = AMOUNT
    at: datetime = Field(description="The server's time that counts.")
    rank: int
    own_minor: int
    leading_minor: int
    highest_next_minor: int
    closes_at: datetime
    extended: bool


class LineOut(Schema):
    sequence: int
    kind: str = Field(description="bid, pause, resume, outage, close or cancel.")
    at: datetime
    label: str | None
    amount: int | None = Field(
        description="Where it took the lead, or is the reader's own, or the reader is the buyer's side."
    )
    reason: str
    leads: bool
    extended: bool
    closes_at: datetime


class LogOut(Schema):
    items: list[LineOut]
    next_after: int | None = Field(description="Continue with `after` set to this; null: there is no more yet.")


class PassOut(Schema):
    url: str = Field(description="Server-sent events; each has its sequence as id.")
    expires_at: datetime


class ReasonIn(Schema):
    reason: str = Field(max_length=1000)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _market(request: HttpRequest) -> UUID:
    found: UUID = request.marketplace.id  # type: ignore[attr-defined]
    return found


def received_at(request: HttpRequest) -> datetime:
    """When the request reached the door."""
    return getattr(request, "received_at", None) or clock.now()


def _find(request: HttpRequest, auction_id: UUID) -> Auction:
    return queries.auction_for(_actor(request), _market(request), auction_id)


def _shown(request: HttpRequest, auction_id: UUID) -> dict[str, Any]:
    actor, auction, now = _actor(request), _find(request, auction_id), clock.now()
    state, rules = queries.state_of(auction), r.AuctionRules.of(auction.rules)
    bidder = queries.own_bidder(actor, auction)
    return {
        "id": auction.id,
        "number": auction.number,
        "title": auction.title,
        "phase": r.phase(state, now),
        "currency": auction.currency,
        "opens_at": auction.opens_at,
        "closes_at": auction.closes_at,
        "lead_minor": auction.lead_minor,
        "bidders": len(auction.standings),
        "subject_id": auction.subject_id,
        "lot_id": auction.lot_id,
        "rules": auction.rules,
        "hard_close_at": auction.hard_close_at,
        "extensions": auction.extensions,
        "last_sequence": auction.last_sequence,
        "server_time": now,
        "own": frames.own(rules, state, bidder.number) if bidder else None,
        "standings": queries.standings_shown(auction) if queries.sees_standings(actor, auction) else None,
        "reason": auction.reason,
    }


@router.get("/m/{marketplace}/auctions", response=Page[AuctionRow], summary="List auctions")
def list_auctions(request: HttpRequest, marketplace: str, cursor: str | None = None, limit: int = 50) -> Any:
    """Newest first; those that are not public are listed to their buyer and their bidders."""
    found = page_of(queries.visible(_actor(request), _market(request)), cursor, limit)
    rows = [AuctionRow.of(auction) for auction in found.items]
    return Page[Any].model_construct(items=rows, next_cursor=found.next_cursor)


@router.post("/m/{marketplace}/auctions", response={201: AuctionOut}, summary="Schedule an auction")
def schedule(request: HttpRequest, marketplace: str, body: AuctionIn) -> Any:
    """An English reverse auction over start prices. An auction of a tender is scheduled by the tender itself."""
    made = acts.schedule(
        actor=_actor(request),
        marketplace_id=_market(request),
        subject_id=body.subject,
        lot_id=body.lot,
        currency=body.currency,
        bidders=[(one.organisation, one.label, one.start_minor) for one in body.bidders],
        rules=body.rules.rules(),
        opens_at=body.opens_at,
        now=clock.now(),
        title={str(language): text for language, text in body.title.items()},
        budget_minor=body.budget_minor,
        is_public=body.public,
    )
    return Status(201, _shown(request, made.id))


@router.get("/m/{marketplace}/auctions/{auction}", response=AuctionOut, summary="Read an auction")
def read(request: HttpRequest, marketplace: str, auction: UUID) -> Any:
    """The auction now; `server_time` is the clock that counts."""
    return _shown(request, auction)


@router.post("/m/{marketplace}/auctions/{auction}/bids", response=AnswerOut, summary="Bid")
def bid(request: HttpRequest, marketplace: str, auction: UUID, body: BidIn) -> Any:
    """Accepted or refused, the bid is answered with its sequence number; the answer is on disk before it is sent."""
    return acts.bid(
        actor=_actor(request), auction_id=auction, amount=body.amount_minor, received_at=received_at(request)
    )


@router.get("/m/{marketplace}/auctions/{auction}/log", response=LogOut, summary="Read the log")
def log(request: HttpRequest, marketplace: str, auction: UUID, after: int = 0, limit: int = 100) -> Any:
    """In the order of the answers, without a gap, from the number above `after`."""
    items = queries.log_lines(_actor(request), _find(request, auction), after=after, limit=max(1, min(limit, 500)))
    return {"items": items, "next_after": items[-1]["sequence"] if items else None}


@router.get("/m/{marketplace}/auctions/{auction}/stream-pass", response=PassOut, summary="Watch live")
def stream_pass(request: HttpRequest, marketplace: str, auction: UUID) -> Any:
    """The address of the live stream for this reader. It opens for ten minutes; then ask again."""
    given = stream.pass_for(_actor(request), _find(request, auction))
    address = stream.address(request.get_host(), given)
    return {"url": address, "expires_at": clock.now() + timedelta(seconds=stream.LIFE_S)}


@router.post("/m/{marketplace}/auctions/{auction}/pause", response=AuctionOut, summary="Pause")
def pause(request: HttpRequest, marketplace: str, auction: UUID) -> Any:
    """Bids are refused until it is resumed."""
    acts.pause(actor=_actor(request), auction_id=_find(request, auction).id, now=clock.now())
    return _shown(request, auction)


@router.post("/m/{marketplace}/auctions/{auction}/resume", response=AuctionOut, summary="Resume")
def resume(request: HttpRequest, marketplace: str, auction: UUID) -> Any:
    """The close moves by the time that was lost."""
    acts.resume(actor=_actor(request), auction_id=_find(request, auction).id, now=clock.now())
    return _shown(request, auction)


@router.post("/m/{marketplace}/auctions/{auction}/cancel", response=AuctionOut, summary="Cancel")
def cancel(request: HttpRequest, marketplace: str, auction: UUID, body: ReasonIn) -> Any:
    """Without a result, with a reason that everybody reads."""
    acts.cancel(actor=_actor(request), auction_id=_find(request, auction).id, reason=body.reason, now=clock.now())
    return _shown(request, auction)


@router.post("/m/{marketplace}/auctions/{auction}/close", response=AuctionOut, summary="Close what is over")
def close(request: HttpRequest, marketplace: str, auction: UUID) -> Any:
    """Happens by itself two seconds after the close; here for who does not want to wait for it."""
    acts.close(actor=_actor(request), auction_id=_find(request, auction).id, now=clock.now())
    return _shown(request, auction)
