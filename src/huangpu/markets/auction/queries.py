"""What may be asked of auctions: which there are, who may see one and how much of it, the log, the curve, the result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict
from huangpu.parties.actor import Actor
from huangpu.parties.rights import may

from . import frames
from . import rules as r
from .models import Auction, Bidder, Entry
from .store import not_found, standings_of


class Placed(NamedTuple):
    """A bidder in the result."""

    organisation_id: UUID
    amount_minor: int
    rank: int


def state_of(auction: Auction) -> r.State:
    """The state that an auction's row keeps."""
    return r.State(
        opens_at=auction.opens_at,
        closes_at=auction.closes_at,
        hard_close_at=auction.hard_close_at,
        standings=standings_of(auction.standings),
        status=auction.status,
        paused_at=auction.paused_at,
        extensions=auction.extensions,
        last_sequence=auction.last_sequence,
        last_accepted_at=auction.last_accepted_at,
        seen_at=auction.seen_at,
    )


def start_of(auction: Auction, bidders: Iterable[Bidder]) -> r.State:
    """The state before the first entry of the log."""
    starts = {one.number: one.start_minor for one in bidders}
    return r.begin(r.AuctionRules.of(auction.rules), auction.planned_opens_at, starts)


def entry_of(line: Entry) -> r.Entry:
    """A row of the log as the rules know it."""
    return r.Entry(
        sequence=line.sequence,
        kind=line.kind,
        received_at=line.received_at,
        at=line.at,
        number=line.number,
        amount=line.amount_minor,
        accepted=line.accepted,
        reason=line.reason,
        closes_at=line.closes_at,
        lead=line.lead_minor,
        extended=line.extended,
    )


def result(auction_id: UUID) -> list[Placed]:
    """Every bidder with its last amount (the start price if it never bid) and rank, the best first, of a closed auction.

    Refuses with auction.not_found, auction.not_closed.
    """
    auction = Auction.objects.filter(pk=auction_id).first()
    if auction is None:
        raise not_found(auction_id)
    if auction.status != r.CLOSED:
        raise Conflict("auction.not_closed", _("The auction has no result yet."), value=auction.status)
    organisations = dict(Bidder.objects.filter(auction=auction).values_list("number", "organisation_id"))
    return [
        Placed(organisations[one.number], one.amount, place)
        for place, one in enumerate(r.ranking(state_of(auction)), 1)
    ]


def visible(actor: Actor, marketplace_id: UUID) -> QuerySet[Auction]:
    """The auctions of a marketplace that this actor may watch."""
    found = Auction.objects.filter(marketplace_id=marketplace_id)
    if actor.is_system or may(
        actor, "auction.see_restricted", organisation_id=UUID(int=0), marketplace_id=marketplace_id
    ):
        return found
    own = Q(is_public=True)
    if actor.organisation_id is not None:
        own |= Q(buyer_id=actor.organisation_id)
        own |= Q(pk__in=Bidder.objects.filter(organisation_id=actor.organisation_id).values("auction_id"))
    return found.filter(own)


def auction_for(actor: Actor, marketplace_id: UUID, auction_id: UUID) -> Auction:
    """An auction of this marketplace that the actor may watch, else NotFound auction.not_found."""
    found = visible(actor, marketplace_id).filter(pk=auction_id).first()
    if found is None:
        raise not_found(auction_id)
    return found


def sees_standings(actor: Actor, auction: Auction) -> bool:
    """Whether the actor sees what each bidder stands at: the buyer's side and the offices do; after the close, bidders."""
    if may(actor, "auction.see_standings", organisation_id=auction.buyer_id, marketplace_id=auction.marketplace_id):
        return True
    return auction.status == r.CLOSED and own_bidder(actor, auction) is not None


def own_bidder(actor: Actor, auction: Auction) -> Bidder | None:
    """The bidder that the actor acts for, if it is one here."""
    if actor.organisation_id is None:
        return None
    return Bidder.objects.filter(auction=auction, organisation_id=actor.organisation_id).first()


def labels_of(auction: Auction) -> dict[int, str]:
    """What others see of each bidder, by its number."""
    return dict(Bidder.objects.filter(auction=auction).values_list("number", "label"))


def standings_shown(auction: Auction) -> list[dict[str, Any]]:
    """The ranking for who may see it: by label, and with the organisations once the auction is closed."""
    bidders = list(Bidder.objects.filter(auction=auction).select_related("organisation"))
    named = {one.label: one.organisation for one in bidders} if auction.status == r.CLOSED else {}
    shown = frames.standings(state_of(auction), {one.number: one.label for one in bidders})
    for line in shown:
        organisation = named.get(line["label"])
        line["organisation"] = organisation.id if organisation else None
        line["name"] = organisation.name if organisation else None
    return shown


def log_lines(actor: Actor, auction: Auction, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """Lines of the log above `after`, in order, as the actor may see them; `at` and `closes_at` are instants."""
    bidder = own_bidder(actor, auction)
    found = list(Entry.objects.filter(auction=auction, sequence__gt=after).order_by("sequence")[:limit])
    full, number = sees_standings(actor, auction), bidder.number if bidder else None
    shown = frames.lines(map(entry_of, found), labels_of(auction), full=full, number=number)
    return [{**line, "at": one.received_at, "closes_at": one.closes_at} for line, one in zip(shown, found, strict=True)]
