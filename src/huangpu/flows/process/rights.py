"""Who may conclude, perform and resolve: roles in an organisation, by verb."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Refused
from huangpu.parties.actor import Actor
from huangpu.parties.rights import MEMBERS, Rule, may, require

VERBS: dict[str, Rule] = {
    "hold": Rule("Pay the organisation's money into escrow.", roles=("finance", "buyer")),
    "pay": Rule("Pay out of the organisation's wallet.", roles=("finance", "buyer")),
    "release": Rule("Release held money where the terms leave it to the buyer.", roles=("finance", "buyer")),
    "charge": Rule("Pay the marketplace's fee where the terms leave it to the seller.", roles=("finance",)),
    "penalty": Rule("Pay an agreed penalty where the terms leave it to the seller.", roles=("finance",)),
    "refund": Rule("Give held money back where the terms leave it to a party.", roles=("finance", "buyer")),
    "deliver": Rule("Report a delivery, in parts or whole.", roles=("warehouse", "clerk")),
    "serve": Rule("Report a service as rendered.", roles=("warehouse", "clerk")),
    "transfer_title": Rule("Transfer the title of goods.", roles=("warehouse", "clerk")),
    "accept": Rule("Inspect and accept what was delivered.", roles=("warehouse", "buyer")),
    "invoice": Rule("Issue the invoice for what was delivered.", roles=("clerk", "finance")),
}
ACTS: dict[str, Rule] = {
    "process.conclude": Rule("Conclude an agreement as one of its parties.", roles=("buyer", "clerk")),
    **{f"process.{verb}": rule for verb, rule in VERBS.items()},
    "process.resolve": Rule(
        "Use an option of the terms: cancel, reject, return, dispute.", roles=("buyer", "clerk", "finance")
    ),
    "process.amend": Rule("Propose, sign or decline an amendment of a trade.", roles=("buyer", "clerk")),
    "process.decide_dispute": Rule("Decide a dispute and divide what is held.", market_roles=("arbiter",)),
    "process.attach": Rule(
        "Add a document to a trade of one's organisation.", roles=("buyer", "clerk", "finance", "warehouse")
    ),
    "process.see": Rule(
        "Read a trade that the organisation is a party of.",
        roles=MEMBERS,
        market_roles=("operator", "arbiter"),
        city_roles=("regulator",),
    ),
    "process.set_approval_rule": Rule("Say from which amount an act needs how many approvals.", roles=("owner",)),
    "process.ask_approval": Rule("Ask for the approval of an act.", roles=("buyer", "clerk", "finance")),
    "process.approve": Rule("Approve or refuse what a colleague asked for.", roles=("approver",)),
}


def require_perform(actor: Actor, action: str, provider_ids: Iterable[UUID]) -> None:
    """Only members of the party that has promised it, in a role for this verb."""
    for provider_id in set(provider_ids):
        require(actor, f"process.{action}", organisation_id=provider_id)


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
        if actor.is_system:
            return role if role == "house" else None
        if role == "arbiter" and may(actor, "process.decide_dispute", marketplace_id=marketplace_id):
            return role
        if role in roles and may(actor, "process.resolve", organisation_id=roles[role]):
            return role
    return None


def refused_option(key: str) -> Refused:
    """The refusal of an option that is nobody's of the actor."""
    return Refused("rights.refused", _("“%(value)s” is a right of another party."), field="option", value=key)
