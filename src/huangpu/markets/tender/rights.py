"""Who may do what with a tender: the room's table, and one way to ask it.

A right never opens a sealed bid: there is no act and no query that shows one before its opening, to anybody.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Refused
from huangpu.parties import rights
from huangpu.parties.actor import Actor
from huangpu.parties.rights import MEMBERS, Rule

from .models import Tender

ACTS: dict[str, Rule] = {
    "tender.read": Rule("Read published tenders, their questions and decisions.", everybody=True),
    "tender.plan": Rule("Write a new draft, or open one from an earlier or imported tender.", roles=("buyer",)),
    "tender.edit": Rule("Change a draft of one's organisation.", roles=("buyer",)),
    "tender.attach": Rule("Add a document to a tender.", roles=("buyer",)),
    "tender.publish": Rule("Publish a draft.", roles=("buyer",)),
    "tender.amend": Rule("Amend a published tender, extend its deadline.", roles=("buyer",)),
    "tender.answer": Rule("Answer a question.", roles=("buyer",)),
    "tender.open_bids": Rule("Open the bids after their end.", roles=("buyer", "approver")),
    "tender.disqualify": Rule("Leave an opened bid out, with a reason.", roles=("buyer",)),
    "tender.score": Rule("Give a bid points for a criterion.", roles=("buyer", "approver")),
    "tender.evaluate": Rule("Rank the bids.", roles=("buyer",)),
    "tender.start_auction": Rule("Start the reverse auction.", roles=("buyer",)),
    "tender.take_auction_result": Rule("Take the final prices of the auction over.", roles=("buyer",)),
    "tender.award": Rule("Award a lot to the first in rank.", roles=("buyer", "approver")),
    "tender.conclude": Rule("Conclude the agreements after the standstill.", roles=("buyer", "approver")),
    "tender.pass_on": Rule("Pass an award on when a supplier defaults.", roles=("buyer", "approver")),
    "tender.cancel": Rule("Cancel a tender, with a reason.", roles=("buyer",)),
    "tender.read_evaluation": Rule("Read opened bids and points before the award.", roles=MEMBERS),
    "tender.ask": Rule("Ask a question as a supplier.", roles=("clerk",)),
    "tender.submit_bid": Rule("Submit or replace a sealed bid.", roles=("clerk",)),
    "tender.withdraw_bid": Rule("Withdraw one's sealed bid.", roles=("clerk",)),
    "tender.read_own_bid": Rule("See the receipts of one's organisation's bids.", roles=MEMBERS),
    "tender.complain": Rule("Complain against an award one bid for.", roles=("clerk",)),
    "tender.decide_complaint": Rule("Decide a complaint.", market_roles=("arbiter",)),
}

SUPPLIERS = frozenset({"ask", "submit_bid", "withdraw_bid", "complain"})  # whose object is not the buyer's


def may(actor: Actor, act: str, tender: Tender | None = None) -> None:
    """Returns if the actor may do the act with the tender (None: a new one), else raises the reason.

    Codes: those of parties.rights.require (rights.…), and tender.other_marketplace, tender.own_tender.
    """
    if actor.is_system:
        return
    if tender is not None and actor.marketplace_id not in (None, tender.marketplace_id):
        raise Refused("tender.other_marketplace", _("This tender belongs to another marketplace."))
    if tender is not None and act in SUPPLIERS and actor.organisation_id == tender.buyer_id:
        raise Refused("tender.own_tender", _("An organisation cannot bid in its own tender."))
    rights.require(
        actor,
        f"tender.{act}",
        organisation_id=tender.buyer_id if tender is not None and act not in SUPPLIERS else None,
        marketplace_id=tender.marketplace_id if tender is not None else actor.marketplace_id,
    )


def allowed(actor: Actor, act: str, tender: Tender | None = None) -> bool:
    """For pages: whether a button is shown. The act asks `may` again."""
    try:
        may(actor, act, tender)
    except Refused:
        return False
    return True
