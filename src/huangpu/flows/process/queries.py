"""What may be asked of trades: one trade with all that can be done in it, the desk, the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import HuangpuError, NotFound
from huangpu.core.log.models import Event, Payload
from huangpu.flows.commerce.models import Agreement, Commitment
from huangpu.flows.information.references import Origin
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace

from . import options, rights, rules, store
from .models import Amendment, Fulfilment, Task
from .rules import Promise, Trade


@dataclass(frozen=True, slots=True)
class OptionView:
    """An option as somebody sees it: whether it can be used now, and if not, why."""

    key: str
    refusal: HuangpuError | None
    line: Promise | None
    decides: bool


def agreement(actor: Actor, marketplace_id: UUID, number: str) -> Agreement:
    """One agreement by its human number, scoped to who asks. Refused with `agreement.unknown`."""
    found = (
        Agreement.objects.filter(marketplace_id=marketplace_id, number=number)
        .select_related("marketplace")
        .prefetch_related("parties__organisation")
        .first()
    )
    if found is None or not rights.may_see(
        actor, marketplace_id, {party.organisation_id for party in found.parties.all()}
    ):
        raise NotFound("agreement.unknown", _("There is no agreement “%(value)s”."), field="agreement", value=number)
    return found


def options_for(actor: Actor, trade: Trade, now: datetime) -> list[OptionView]:
    """The options that are a right of the actor, each with the reason why it cannot be used now, if so."""
    seen = []
    for option in trade.options:
        role = rights.role_for(actor, trade.marketplace_id, dict(trade.roles), option["by"])
        if role in (None, "house"):
            continue
        line = rules.by_key(trade, option["line"]) if option.get("line") else None
        refusal = options.why_not(trade, option, str(role), now)
        seen.append(OptionView(option["key"], refusal, line, bool(option.get("decides"))))
    return seen


def story(
    thread_ids: list[UUID], organisation_id: UUID | None, see_all: bool
) -> list[tuple[Event, dict[str, Any] | None]]:
    """The events of a trade and of what it came from, in the order they were made, with the payloads the reader may see."""
    events = list(Event.objects.filter(thread_id__in=thread_ids).order_by("id"))
    bodies = dict(Payload.objects.filter(pk__in=[event.pk for event in events]).values_list("pk", "body"))
    return [
        (event, bodies.get(event.pk) if see_all or not event.audience or organisation_id in event.audience else None)
        for event in events
    ]


def story_for(actor: Actor, found: Agreement) -> list[tuple[Event, dict[str, Any] | None]]:
    """The story of a trade and of what it came from, as the actor may read it."""
    threads = [found.id, *([found.origin_id] if found.origin_id else [])]
    return story(threads, actor.organisation_id, bool(actor.market_roles) or "regulator" in actor.city_roles)


def fulfilments(agreement_id: UUID) -> list[Fulfilment]:
    """What fulfilled the commitments of an agreement, in order."""
    return list(Fulfilment.objects.filter(agreement_id=agreement_id).order_by("id"))


def trade_of(agreement: Agreement) -> Trade:
    """The trade as the rules see it."""
    return store.load(agreement.id)


def amendments(agreement_id: UUID) -> list[Amendment]:
    """The amendments of an agreement, newest first, with who signed."""
    found = Amendment.objects.filter(agreement_id=agreement_id).select_related("proposed_by")
    return list(found.prefetch_related("signatures__organisation").order_by("-number"))


def amendment(agreement_id: UUID, number: int) -> Amendment:
    """One amendment of an agreement by its number. Refused with `amendment.unknown`."""
    found = Amendment.objects.filter(agreement_id=agreement_id, number=number).first()
    if found is None:
        raise NotFound(
            "amendment.unknown", _("There is no amendment “%(value)s”."), field="amendment", value=str(number)
        )
    return found


def trades(actor: Actor, marketplace_id: UUID | None = None, state: str | None = None) -> QuerySet[Agreement]:
    """The agreements that the actor may see, newest first."""
    found = Agreement.objects.select_related("marketplace").prefetch_related("parties__organisation").order_by("-id")
    if marketplace_id:
        found = found.filter(marketplace_id=marketplace_id)
    if state:
        found = found.filter(state=state)
    sees_all = "regulator" in actor.city_roles or (
        marketplace_id is not None
        and actor.marketplace_id == marketplace_id
        and bool(actor.market_roles & {"operator", "arbiter"})
    )
    if sees_all or actor.is_system:
        return found
    if actor.organisation_id is None:
        return found.none()
    return found.filter(parties__organisation_id=actor.organisation_id).distinct()


def desk(organisation_id: UUID, *, owed_by: bool = True, owed_to: bool = True) -> QuerySet[Commitment]:
    """Every commitment that an organisation owes or is owed and that can be performed now, soonest first, over all
    marketplaces and sectors. What nobody has dated comes last."""
    mine = Q(pk__in=[])
    if owed_by:
        mine |= Q(provider_id=organisation_id)
    if owed_to:
        mine |= Q(receiver_id=organisation_id)
    return (
        Commitment.objects.filter(mine, state="due")
        .select_related("agreement__marketplace", "provider", "receiver")
        .order_by("due_at", "id")
    )


def tasks(organisation_id: UUID, state: str = "open") -> QuerySet[Task]:
    """What an organisation's members have to decide, oldest first."""
    return Task.objects.filter(organisation_id=organisation_id, state=state).select_related("asked_by").order_by("id")


def origins(references: list[UUID]) -> dict[UUID, Origin]:
    """The trades among what transfers were for: their number and page, for statements of the ledger."""
    found = Agreement.objects.filter(pk__in=references).values_list("pk", "number", "marketplace_id")
    slugs = dict(Marketplace.objects.filter(pk__in={market for _, _, market in found}).values_list("pk", "slug"))
    return {id: Origin(number, reverse("process:trade", args=[slugs[market], number])) for id, number, market in found}
