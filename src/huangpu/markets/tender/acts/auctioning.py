"""The reverse auction between the opening and the award: started by the buyer, its final prices taken over."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act
from huangpu.core.errors import Conflict
from huangpu.core.words import instant_text
from huangpu.markets.auction import acts as auctions
from huangpu.markets.auction import queries as auction_queries
from huangpu.markets.auction import rules as auction_rules
from huangpu.markets.auction.models import Auction
from huangpu.parties.actor import Actor

from ..models import Bid, Lot, Tender
from ..procedures import procedure_of
from .common import begin, bidders, say, tell

NOTICE_BEFORE = timedelta(minutes=5)  # between the start of the act and the opening of the auction, if nobody says else
AGAIN = timedelta(seconds=30)  # when a paused auction is looked at again


@act
def start_auction(*, actor: Actor, tender_id: UUID, now: datetime, opens_at: datetime | None = None) -> list[UUID]:
    """An English reverse auction for each undecided lot with two valid bids or more; returns the auctions' ids.

    Each bidder starts at its opening price; others see it as “#1”, “#2” by order of receipt. Event tender.auction_started.
    Refuses with tender.auction_held (once only), tender.not_in_procedure, tender.auction_pointless.
    """
    tender = begin(actor, "start_auction", tender_id)
    if tender.auction is None:
        raise Conflict("tender.not_in_procedure", _("This tender's procedure has no such step."), value="start_auction")
    lots = list(Lot.objects.filter(tender=tender, status="active").order_by("number"))
    if any(lot.auction_id for lot in lots):
        raise Conflict("tender.auction_held", _("The auction of this tender was held already."))
    opens = opens_at or now + NOTICE_BEFORE
    started = [auction for lot in lots if (auction := _schedule(tender, lot, actor, opens, now)) is not None]
    if not started:
        raise Conflict("tender.auction_pointless", _("No lot has two valid bids: there is nothing to auction."))
    tender.stage, tender.next_deadline_at = "auction", _next_look(started, now)
    tender.save(update_fields=["stage", "next_deadline_at"])
    told = [{"lot": str(one.lot_id), "auction": str(one.id), "opens_at": rfc3339(opens)} for one in started]
    audience = () if procedure_of(tender.procedure).opening_public else (tender.buyer_id, *bidders(tender))
    say(tender, "tender.auction_started", actor, now, {"auctions": told}, audience=audience)
    tell(tender, "tender.auction_starts", bidders(tender), now, opens={"instant": rfc3339(opens)})
    return [one.id for one in started]


@act
def take_auction_result(*, actor: Actor, tender_id: UUID, now: datetime) -> Tender:
    """Takes the final prices over from the closed auctions; the bids are then ranked again. Event tender.auction_ended.

    A bid that was never improved keeps its opening price, and so do all bids of an auction that was cancelled.
    Refuses with tender.auction_running until every auction of the tender has ended.
    """
    tender = begin(actor, "take_auction_result", tender_id)
    held = _auctions(tender)
    running = [one for one in held if one.status not in (auction_rules.CLOSED, auction_rules.CANCELLED)]
    if running:
        ends = max(one.closes_at for one in running)
        raise Conflict("tender.auction_running", _("The auction runs until %(ends)s."), value=rfc3339(ends),
                       ends=instant_text(ends))  # fmt: skip
    told = []
    for auction in held:
        if auction.status != auction_rules.CLOSED:
            continue
        bids = {bid.bidder_id: bid for bid in Bid.objects.filter(lot__auction_id=auction.id, status="valid")}
        for placed in auction_queries.result(auction.id):
            bid = bids.get(placed.organisation_id)
            if bid is not None:
                bid.final_minor = placed.amount_minor
                told.append({"bid": str(bid.id), "final_minor": placed.amount_minor, "rank": placed.rank})
        Bid.objects.bulk_update(bids.values(), ["final_minor"])
    Lot.objects.filter(tender=tender, status="active").update(evaluation=None)
    tender.stage, tender.next_deadline_at = "evaluation", None
    tender.save(update_fields=["stage", "next_deadline_at"])
    audience = () if procedure_of(tender.procedure).opening_public else (tender.buyer_id, *bidders(tender))
    say(tender, "tender.auction_ended", actor, now, {"bids": told}, audience=audience)
    return tender


def look_again(tender: Tender, now: datetime) -> datetime | None:
    """When time has to look at a tender in auction again: None if all its auctions have ended, so that it may go on."""
    running = [one for one in _auctions(tender) if one.status not in (auction_rules.CLOSED, auction_rules.CANCELLED)]
    return _next_look(running, now) if running else None


def _auctions(tender: Tender) -> list[Auction]:
    ids = Lot.objects.filter(tender=tender, auction_id__isnull=False).values("auction_id")
    return list(Auction.objects.filter(pk__in=ids).order_by("id"))


def _next_look(running: list[Auction], now: datetime) -> datetime:
    """Just after the first close that is planned; an auction that is past it (paused, or not swept yet) soon."""
    return max(min(one.closes_at for one in running) + auction_rules.GRACE + timedelta(seconds=1), now + AGAIN)


def _schedule(tender: Tender, lot: Lot, actor: Actor, opens_at: datetime, now: datetime) -> Auction | None:
    bids = list(Bid.objects.filter(lot=lot, status="valid").order_by("received_at", "id"))
    if len(bids) < 2:
        return None
    made = auctions.schedule(
        actor=actor,
        marketplace_id=tender.marketplace_id,
        subject_id=tender.id,
        lot_id=lot.id,
        currency=tender.currency,
        bidders=[(bid.bidder_id, f"#{bid.number}", bid.amount_minor or 0) for bid in bids],
        rules=auction_rules.AuctionRules.of(tender.auction or {}),
        opens_at=opens_at,
        now=now,
        buyer_id=tender.buyer_id,
        number=tender.number,
        title=dict(tender.title),
        budget_minor=lot.budget_minor,
        is_public=procedure_of(tender.procedure).opening_public,
    )
    lot.auction_id = made.id
    lot.save(update_fields=["auction_id"])
    return made
