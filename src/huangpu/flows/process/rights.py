"""Who may conclude, perform and resolve: roles in an organisation, by verb."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Refused
from huangpu.parties.actor import Actor

PERFORM = {
    "hold": ("finance", "buyer"),
    "pay": ("finance", "buyer"),
    "release": ("finance", "buyer"),
    "charge": ("finance",),
    "refund": ("finance", "buyer"),
    "deliver": ("warehouse", "clerk"),
    "serve": ("warehouse", "clerk"),
    "transfer_title": ("warehouse", "clerk"),
    "accept": ("warehouse", "buyer"),
    "invoice": ("clerk", "finance"),
}
RESOLVE = ("buyer", "clerk", "finance")
RULES = ("owner",)


def may_perform(actor: Actor, action: str, provider_ids: Iterable[UUID]) -> None:
    """Only members of the party that has promised it, in a role for this verb."""
    roles = PERFORM.get(action, RESOLVE)
    if not actor.is_system and (any(actor.organisation_id != id for id in provider_ids) or not actor.has(*roles)):
        raise Refused(
            "rights.refused",
            _("Only who has promised it may do this, as %(roles)s."),
            field="actor",
            value=action,
            roles=", ".join(("owner", *roles)),
        )


def may_see(actor: Actor, marketplace_id: UUID, party_ids: Iterable[UUID]) -> bool:
    """The parties of a trade, the operator and the arbiter of its marketplace, and the city's regulator."""
    return (
        actor.is_system
        or (actor.organisation_id is not None and actor.organisation_id in party_ids)
        or (actor.marketplace_id == marketplace_id and bool(actor.market_roles & {"operator", "arbiter"}))
        or "regulator" in actor.city_roles
    )


def role_for(actor: Actor, marketplace_id: UUID, roles: dict[str, UUID], wanted: Iterable[str]) -> str | None:
    """The role in which the actor may use an option, of those it is a right of; None if in no role."""
    for role in wanted:
        if role == "house" and actor.is_system:
            return role
        if role == "arbiter" and actor.marketplace_id == marketplace_id and "arbiter" in actor.market_roles:
            return role
        if roles.get(role) == actor.organisation_id and actor.organisation_id and actor.has(*RESOLVE):
            return role
    return None


def refused_option(key: str) -> Refused:
    """The refusal of an option that is nobody's of the actor."""
    return Refused("rights.refused", _("“%(value)s” is a right of another party."), field="option", value=key)
