"""What may be done with an auction: schedule, bid, pause, resume, cancel, close; and the pulse that measures outages.

Every act but `schedule` takes the lock of the one auction's row, asks the rules, and writes one line of the log: the
line's number is the answer. Who gets no number was not answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core import clock
from huangpu.core.db import act, execute, row, rows
from huangpu.core.errors import Conflict, Invalid, Refused
from huangpu.core.log.record import NewEvent, record
from huangpu.core.money import LARGEST, exponent
from huangpu.core.names import named
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.rights import require

from . import rules as r
from .models import Auction, Bidder
from .store import Locked, lock, standings_data, write


@dataclass(frozen=True, slots=True)
class Answer:
    """What a bid was answered. It is durable: it has its number in the log. Amounts in minor units.

    `at` is the server's time that counts, `highest_next_minor` what this bidder may bid at most from now on.
    """

    auction_id: UUID
    sequence: int
    accepted: bool
    reason: str  # a code of rules.REASONS; empty: accepted
    amount_minor: int
    at: datetime
    rank: int
    own_minor: int
    leading_minor: int
    highest_next_minor: int
    closes_at: datetime
    extended: bool


@act
def schedule(
    *,
    actor: Actor,
    marketplace_id: UUID,
    subject_id: UUID,
    lot_id: UUID | None,
    currency: str,
    bidders: Sequence[tuple[UUID, str, int]],
    rules: r.AuctionRules,
    opens_at: datetime,
    now: datetime,
    buyer_id: UUID | None = None,
    number: str = "",
    title: dict[str, str] | None = None,
    budget_minor: int | None = None,
    is_public: bool = True,
) -> Auction:
    """Schedules an auction. `bidders`: (organisation, label that others see, start price from the sealed bid), in the
    order that breaks ties between equal start prices. `buyer_id` defaults to the actor's organisation.

    Event auction.scheduled. Refuses with auction.no_bidders, auction.too_many_bidders, auction.bidder_twice,
    auction.buyer_bids, auction.start_price, auction.opens_in_the_past, auction.already_scheduled.
    """
    owner = buyer_id or actor.organisation_id
    require(actor, "auction.schedule", organisation_id=owner, marketplace_id=marketplace_id)
    if owner is None:
        raise Invalid("auction.no_buyer", _("An auction belongs to an organisation that buys."), field="buyer_id")
    exponent(currency)
    _check_bidders(owner, bidders)
    if opens_at < now:
        raise Invalid(
            "auction.opens_in_the_past",
            _("The auction cannot open at %(value)s: that is over. Choose a later time."),
            field="opens_at",
            value=clock.rfc3339(opens_at),
        )
    if lot_id is not None and Auction.objects.filter(lot_id=lot_id).exclude(status=r.CANCELLED).exists():
        raise Conflict("auction.already_scheduled", _("This lot has an auction already."), value=str(lot_id))
    starts = {place: start for place, (_organisation, _label, start) in enumerate(bidders, 1)}
    state = r.begin(rules, opens_at, starts)
    made = Auction.objects.create(
        marketplace_id=marketplace_id,
        buyer_id=owner,
        subject_id=subject_id,
        lot_id=lot_id,
        number=number,
        title=title or named(""),
        currency=currency,
        budget_minor=budget_minor,
        is_public=is_public,
        rules=rules.data(),
        opens_at=state.opens_at,
        closes_at=state.closes_at,
        hard_close_at=state.hard_close_at,
        planned_opens_at=opens_at,
        standings=standings_data(state),
        lead_minor=state.lead.amount,
    )
    Bidder.objects.bulk_create(
        Bidder(auction=made, number=place, label=label, organisation_id=organisation, start_minor=start)
        for place, (organisation, label, start) in enumerate(bidders, 1)
    )
    told = {
        "number": number,
        "subject": str(subject_id),
        "lot": str(lot_id) if lot_id else None,
        "currency": currency,
        "opens_at": clock.rfc3339(state.opens_at),
        "closes_at": clock.rfc3339(state.closes_at),
        "rules": rules.data(),
        "bidders": [{"label": label, "start_minor": start} for _organisation, label, start in bidders],
    }
    audience = () if is_public else (owner, *(one[0] for one in bidders))
    record([_event(made.id, marketplace_id, "auction.scheduled", now, told, actor, audience)])
    return made


def _check_bidders(buyer: UUID, bidders: Sequence[tuple[UUID, str, int]]) -> None:
    organisations = [one[0] for one in bidders]
    labels = [one[1] for one in bidders]
    if not bidders:
        raise Invalid("auction.no_bidders", _("An auction needs at least one bidder."), field="bidders")
    if len(bidders) > r.BIDDERS_MAX:
        raise Invalid(
            "auction.too_many_bidders",
            _("%(value)s bidders are too many for one auction; at most %(most)s."),
            field="bidders",
            value=len(bidders),
            most=r.BIDDERS_MAX,
        )
    if len(set(organisations)) < len(bidders) or len(set(labels)) < len(bidders):
        raise Invalid("auction.bidder_twice", _("A bidder or a label is named twice."), field="bidders")
    if buyer in organisations:
        raise Invalid("auction.buyer_bids", _("The organisation that buys cannot bid."), field="bidders")
    for _organisation, _label, start in bidders:
        if not 0 < start <= LARGEST:
            raise Invalid(
                "auction.start_price",
                _("“%(value)s” is not a start price; it is above zero, in minor units."),
                field="bidders",
                value=start,
            )


@act
def bid(*, actor: Actor, auction_id: UUID, amount: int, received_at: datetime) -> Answer:
    """Answers a bid of the actor's organisation: `amount` in minor units, `received_at` as taken at the door.

    Accepted or refused, it gets the next number of the log, and both are the answer. Event auction.bid_answered. Raises,
    without a number, only for what is no bid: auction.not_found, auction.not_a_bidder, auction.amount_invalid and the
    codes of the rights.
    """
    found = lock(auction_id, actor.organisation_id, flush_later=True)
    require(actor, "auction.bid", marketplace_id=found.marketplace_id)
    if found.number is None:
        raise Refused("auction.not_a_bidder", _("The organisation you act for is not a bidder in this auction."))
    if actor.marketplace_id not in (None, found.marketplace_id):
        raise Refused("auction.other_marketplace", _("This auction belongs to another marketplace."))
    if not 0 < amount <= LARGEST:
        raise Invalid(
            "auction.amount_invalid",
            _("“%(value)s” is not an amount to bid; it is above zero, in minor units."),
            field="amount",
            value=amount,
        )
    number, found = found.number, _credited(found, received_at)
    entry, state = r.bid(found.rules, found.state, number, amount, received_at)
    event = _answered(found, entry, actor)
    write(found, entry, state, [event], actor.person_id)
    return Answer(
        auction_id=auction_id,
        sequence=entry.sequence,
        accepted=entry.accepted,
        reason=entry.reason,
        amount_minor=amount,
        at=entry.at,
        rank=r.rank_of(state, number),
        own_minor=state.standings[number].amount,
        leading_minor=state.lead.amount,
        highest_next_minor=r.highest_next(found.rules, state, number),
        closes_at=state.closes_at,
        extended=entry.extended,
    )


def _answered(found: Locked, entry: r.Entry, actor: Actor) -> NewEvent:
    """The event of a bid. Its header names nobody; its payload does, to the bidder alone: names are told at the close."""
    assert actor.organisation_id is not None
    assert entry.closes_at is not None
    told = {
        "sequence": entry.sequence,
        "bidder": found.label,
        "organisation": str(actor.organisation_id),
        "person": str(actor.person_id) if actor.person_id else None,
        "amount_minor": entry.amount,
        "currency": found.currency,
        "accepted": entry.accepted,
        "reason": entry.reason,
        "received_at": clock.rfc3339(entry.received_at),
        "at": clock.rfc3339(entry.at),
        "lead_minor": entry.lead,
        "closes_at": clock.rfc3339(entry.closes_at),
        "extended": entry.extended,
    }
    return NewEvent(
        kind="auction.bid_answered",
        marketplace_id=found.marketplace_id,
        subject_type="auction",
        subject_id=found.id,
        occurred_at=entry.received_at,
        payload=told,
        audience=(actor.organisation_id,),
    )


@act
def pause(*, actor: Actor, auction_id: UUID, now: datetime) -> r.State:
    """Stops an auction for a while: bids are refused until `resume`. Refuses with auction.not_open."""
    found = lock(auction_id)
    require(actor, "auction.pause", organisation_id=found.buyer_id, marketplace_id=found.marketplace_id)
    found = _credited(found, now)
    if found.state.status != r.OPEN or now >= found.state.closes_at:
        raise _not_open(found, now)
    return _mark(found, "pause", now, now, actor)


@act
def resume(*, actor: Actor, auction_id: UUID, now: datetime) -> r.State:
    """Goes on after a pause; all instants move by the time that was lost. Refuses with auction.not_paused."""
    found = lock(auction_id)
    require(actor, "auction.pause", organisation_id=found.buyer_id, marketplace_id=found.marketplace_id)
    if found.state.status != r.PAUSED:
        raise Conflict("auction.not_paused", _("This auction is not paused."), value=found.state.status)
    return _mark(found, "resume", now, now, actor)


@act
def cancel(*, actor: Actor, auction_id: UUID, reason: str, now: datetime) -> r.State:
    """Ends an auction without a result, with the reason that everybody reads. Refuses with auction.reason_missing,
    auction.ended."""
    found = lock(auction_id)
    require(actor, "auction.cancel", organisation_id=found.buyer_id, marketplace_id=found.marketplace_id)
    if not reason.strip():
        raise Invalid("auction.reason_missing", _("Say why the auction is cancelled."), field="reason")
    if found.state.status in (r.CLOSED, r.CANCELLED):
        raise Conflict("auction.ended", _("This auction has ended already."), value=found.state.status)
    state = _mark(found, "cancel", now, now, actor, {"reason": reason.strip()[:1000]})
    Auction.objects.filter(pk=auction_id).update(closed_at=now, reason=reason.strip()[:1000])
    return state


@act
def close(*, actor: Actor, auction_id: UUID, now: datetime) -> r.State:
    """Marks an auction as closed, GRACE after its close at the earliest, so that a bid received in time still counts.

    Again: changes nothing. Events auction.closed (result by label) and auction.bidders_named (for the buyer and the
    bidders). Refuses with auction.still_running, auction.not_open.
    """
    found = lock(auction_id)
    require(actor, "auction.close", organisation_id=found.buyer_id, marketplace_id=found.marketplace_id)
    if found.state.status == r.CLOSED:
        return found.state
    if found.state.status != r.OPEN:
        raise _not_open(found, now)
    found = _credited(found, now)
    if now < found.state.closes_at + r.GRACE:
        raise Conflict(
            "auction.still_running",
            _("The auction runs until %(value)s."),
            value=clock.rfc3339(found.state.closes_at),
        )
    bidders = {one.number: one for one in Bidder.objects.filter(auction_id=auction_id)}
    ranked = [
        {"rank": place, "bidder": bidders[one.number].label, "amount_minor": one.amount, "sequence": one.sequence}
        for place, one in enumerate(r.ranking(found.state), 1)
    ]
    organisations = tuple(one.organisation_id for one in bidders.values())
    names = [{"label": one.label, "organisation": str(one.organisation_id)} for one in bidders.values()]
    state = _mark(
        found, "close", now, now, actor, {"result": ranked, "currency": found.currency}, (), organisations, names
    )
    Auction.objects.filter(pk=auction_id).update(closed_at=now)
    return state


@act
def beat(*, now: datetime) -> int:
    """The house says that it is up. If it was not, every open auction that lost time is credited with it first.

    Called once a second by the live process and by the worker; returns how many auctions were credited.
    """
    last = row("SELECT alive_at FROM auction_pulse WHERE id = 1 FOR NO KEY UPDATE")
    if last is None:
        execute("INSERT INTO auction_pulse (id, alive_at) VALUES (1, %s) ON CONFLICT DO NOTHING", [now])
        return 0
    credited = 0
    if now - last[0] >= r.OUTAGE_MIN:
        lost = rows(
            "SELECT id FROM auction_auction WHERE status = 'open' AND opens_at < %s AND closes_at > %s ORDER BY id",
            [now, last[0]],
        )
        for (auction_id,) in lost:
            found = lock(auction_id)
            credited += _credited(found, now).state.last_sequence > found.state.last_sequence
    if now > last[0]:
        execute("UPDATE auction_pulse SET alive_at = %s WHERE id = 1", [now])
    return credited


def _credited(found: Locked, now: datetime) -> Locked:
    """The auction after the credit for an outage that has just ended, or as it was."""
    since = r.outage_since(found.state, found.alive_at, now)
    if since is None:
        return found
    state = _mark(found, "outage", since, now, SYSTEM)
    return replace(found, state=state)


PAST = {
    "pause": "auction.paused",
    "resume": "auction.resumed",
    "outage": "auction.outage_credited",
    "close": "auction.closed",
    "cancel": "auction.cancelled",
}


def _mark(
    found: Locked,
    kind: str,
    at: datetime,
    now: datetime,
    actor: Actor,
    more: Mapping[str, object] | None = None,
    audience: tuple[UUID, ...] = (),
    bidders: Iterable[UUID] = (),
    names: Sequence[dict[str, str]] = (),
) -> r.State:
    entry, state = r.mark(found.state, kind, at, now)
    assert entry.closes_at is not None
    told = {
        "sequence": entry.sequence,
        "at": clock.rfc3339(at),
        "opens_at": clock.rfc3339(state.opens_at),
        "closes_at": clock.rfc3339(entry.closes_at),
        "lead_minor": entry.lead,
        **(more or {}),
    }
    if not audience and not found.is_public:
        audience = (found.buyer_id, *(bidders or _bidders(found.id)))
    events = [_event(found.id, found.marketplace_id, PAST[kind], now, told, actor, audience)]
    if names:
        both = (found.buyer_id, *bidders)
        told_names = {"bidders": list(names)}
        events.append(_event(found.id, found.marketplace_id, "auction.bidders_named", now, told_names, actor, both))
    write(found, entry, state, events, actor.person_id)
    return state


def _bidders(auction_id: UUID) -> list[UUID]:
    return list(Bidder.objects.filter(auction_id=auction_id).values_list("organisation_id", flat=True))


def _not_open(found: Locked, now: datetime) -> Conflict:
    return Conflict("auction.not_open", _("The auction is not open."), value=r.phase(found.state, now))


def _event(
    auction_id: UUID,
    marketplace_id: UUID,
    kind: str,
    now: datetime,
    payload: Mapping[str, object],
    actor: Actor,
    audience: tuple[UUID, ...],
) -> NewEvent:
    return NewEvent(
        kind=kind,
        marketplace_id=marketplace_id,
        subject_type="auction",
        subject_id=auction_id,
        occurred_at=now,
        payload=payload,
        actor_id=actor.person_id,
        organisation_id=actor.organisation_id,
        audience=audience,
    )
