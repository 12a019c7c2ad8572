"""Who may do what with a tender: one table, from which the documented matrix is made.

A right never opens a sealed bid: there is no act and no query that shows one before its opening, to anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Refused
from huangpu.parties.actor import Actor

from .models import Tender

# act → (whose side, roles in that organisation; an owner has them all)
ROLES: Mapping[str, tuple[str, frozenset[str]]] = MappingProxyType(
    {
        "plan": ("any", frozenset({"buyer"})),
        "edit": ("buyer", frozenset({"buyer"})),
        "publish": ("buyer", frozenset({"buyer"})),
        "amend": ("buyer", frozenset({"buyer"})),
        "answer": ("buyer", frozenset({"buyer"})),
        "open_bids": ("buyer", frozenset({"buyer", "approver"})),
        "disqualify": ("buyer", frozenset({"buyer"})),
        "score": ("buyer", frozenset({"buyer", "approver"})),
        "evaluate": ("buyer", frozenset({"buyer"})),
        "start_auction": ("buyer", frozenset({"buyer"})),
        "take_auction_result": ("buyer", frozenset({"buyer"})),
        "award": ("buyer", frozenset({"buyer", "approver"})),
        "conclude": ("buyer", frozenset({"buyer", "approver"})),
        "pass_on": ("buyer", frozenset({"buyer", "approver"})),
        "cancel": ("buyer", frozenset({"buyer"})),
        "attach": ("buyer", frozenset({"buyer"})),
        "ask": ("supplier", frozenset({"clerk"})),
        "submit_bid": ("supplier", frozenset({"clerk"})),
        "withdraw_bid": ("supplier", frozenset({"clerk"})),
        "complain": ("supplier", frozenset({"clerk"})),
        "decide_complaint": ("market", frozenset({"arbiter"})),
        "read_evaluation": ("buyer", frozenset({"buyer", "approver", "auditor", "finance"})),
    }
)


def may(actor: Actor, act: str, tender: Tender | None = None) -> None:
    """Returns if the actor may do the act with the tender (None: a new one), else raises Refused with the reason.

    Codes: tender.sign_in, tender.other_marketplace, tender.not_yours, tender.own_tender, tender.role_missing,
    tender.history.
    """
    side, roles = ROLES[act]
    if tender is not None and tender.history:
        raise Refused("tender.history", _("This tender was imported as history; open a new one from it instead."))
    if actor.is_system:
        return
    if actor.organisation_id is None and side != "market":
        raise Refused("tender.sign_in", _("Sign in and choose the organisation you act for."))
    if tender is not None and actor.marketplace_id not in (None, tender.marketplace_id):
        raise Refused("tender.other_marketplace", _("This tender belongs to another marketplace."))
    if side == "market":
        held = actor.market_roles if actor.marketplace_id is not None else frozenset()
        if held.isdisjoint(roles):
            raise _missing(roles)
        return
    if tender is not None and side == "buyer" and tender.buyer_id != actor.organisation_id:
        raise Refused("tender.not_yours", _("Only the organisation that buys may do this."))
    if tender is not None and side == "supplier" and tender.buyer_id == actor.organisation_id:
        raise Refused("tender.own_tender", _("An organisation cannot bid in its own tender."))
    if not actor.has(*roles):
        raise _missing(roles)


def allowed(actor: Actor, act: str, tender: Tender | None = None) -> bool:
    """For pages: whether a button is shown. The act asks `may` again."""
    try:
        may(actor, act, tender)
    except Refused:
        return False
    return True


def _missing(roles: frozenset[str]) -> Refused:
    wanted: Any = ", ".join(sorted(roles | {"owner"} if "arbiter" not in roles else roles))
    return Refused("tender.role_missing", _("Your role does not allow this; it needs one of: %(roles)s."), roles=wanted)
