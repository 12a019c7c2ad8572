"""What every act of a tender shares: loading under lock, the stage it may happen at, and the event it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import lock
from huangpu.core.errors import NotFound
from huangpu.core.log.record import NewEvent, record
from huangpu.flows.commerce import acts as commerce
from huangpu.flows.information.acts import notify
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace

from ..models import Award, Bid, Lot, Tender
from ..procedures import step
from ..rights import may

MARKET = "tender"  # how an intent says where its price is found


def begin(actor: Actor, act: str, tender_id: UUID) -> Tender:
    """The tender under lock, if it exists for this actor, the actor has the right and the stage allows the act.

    Refuses with tender.not_found, the codes of rights.may, tender.wrong_stage or tender.not_in_procedure.
    """
    tender = lock(Tender, [tender_id]).get(tender_id)
    if tender is None or not seen_by(actor, tender):
        raise NotFound("tender.not_found", _("There is no such tender."), value=str(tender_id))
    may(actor, act, tender)
    step(tender.procedure, act, tender.stage)
    return tender


def seen_by(actor: Actor, tender: Tender) -> bool:
    """A draft is its buyer's own (also after it was cancelled as one); everything published is everybody's."""
    return actor.is_system or tender.published_at is not None or tender.buyer_id == actor.organisation_id


def lot_of(tender: Tender, lot_id: UUID) -> Lot:
    """A lot of this very tender, else NotFound tender.lot_not_found."""
    lot = Lot.objects.filter(pk=lot_id, tender=tender).first()
    if lot is None:
        raise NotFound("tender.lot_not_found", _("This tender has no such lot."), value=str(lot_id))
    return lot


def tender_of_bid(bid_id: UUID) -> UUID:
    """The tender a bid belongs to, else NotFound tender.bid_not_found."""
    found = Bid.objects.filter(pk=bid_id).values_list("tender_id", flat=True).first()
    if found is None:
        raise NotFound("tender.bid_not_found", _("There is no such bid."), value=str(bid_id))
    return found


def tender_of_award(award_id: UUID) -> UUID:
    """The tender an award belongs to, else NotFound tender.award_not_found."""
    found = Award.objects.filter(pk=award_id).values_list("tender_id", flat=True).first()
    if found is None:
        raise NotFound("tender.award_not_found", _("There is no such award."), value=str(award_id))
    return found


def bidders(tender: Tender) -> tuple[UUID, ...]:
    """The organisations with a bid that stands, in the order of their ids."""
    found = Bid.objects.filter(tender=tender).exclude(status__in=("withdrawn", "replaced"))
    return tuple(sorted(set(found.values_list("bidder_id", flat=True))))


def tell(tender: Tender, kind: str, organisations: Iterable[UUID | None], now: datetime, **params: Any) -> None:
    """A notice to the people of organisations, with the tender's number, title and address."""
    readers = {organisation for organisation in organisations if organisation is not None}
    if not readers:
        return
    notify(
        marketplace_id=tender.marketplace_id,
        organisation_ids=readers,
        kind=kind,
        params={"number": tender.number, "title": tender.title, **params},
        link=link_of(tender),
        now=now,
    )


def link_of(tender: Tender) -> str:
    """The address of its page."""
    slug = Marketplace.objects.values_list("slug", flat=True).get(pk=tender.marketplace_id)
    return f"/m/{slug}/tenders/{tender.number}/"


def keep_intent(tender: Tender, now: datetime) -> None:
    """While it is open for bids, a tender is its buyer's request in the market; after that it looks for nobody."""
    if tender.stage != "open":
        commerce.close_intent(market=MARKET, subject_id=tender.id, now=now)
        return
    commerce.open_intent(
        marketplace_id=tender.marketplace_id,
        organisation_id=tender.buyer_id,
        kind="request",
        market=MARKET,
        subject_id=tender.id,
        number=tender.number,
        name=tender.title,
        link=link_of(tender),
        amount=tender.budget_minor,
        currency=tender.currency,
        valid_until=tender.bids_until,
    )


def say(
    tender: Tender,
    kind: str,
    actor: Actor,
    now: datetime,
    payload: Mapping[str, Any],
    *,
    audience: tuple[UUID, ...] = (),
    hidden: bool = False,
) -> None:
    """Writes the event. `audience` empty: everybody may read it. `hidden`: the header does not tell who acted either."""
    record(
        [
            NewEvent(
                kind=kind,
                marketplace_id=tender.marketplace_id,
                subject_type="tender",
                subject_id=tender.id,
                occurred_at=now,
                payload={"number": tender.number, **payload},
                actor_id=None if hidden else actor.person_id,
                organisation_id=None if hidden else actor.organisation_id,
                audience=audience,
            )
        ]
    )
