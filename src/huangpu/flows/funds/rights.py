"""Who may handle money."""

from __future__ import annotations

from uuid import UUID

from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import Rule, require

ACTS: dict[str, Rule] = {
    "funds.see": Rule(
        "Read the organisation's wallet and statement.", roles=("finance", "buyer", "auditor", "approver", "clerk")
    ),
    "funds.top_up": Rule("Bring money from the organisation's bank into its wallet.", roles=("finance",)),
    "funds.withdraw": Rule("Send money from the organisation's wallet to its bank.", roles=("finance",)),
    "funds.see_books": Rule(
        "Read the trial balance of a marketplace.", market_roles=("operator",), city_roles=("operator", "regulator")
    ),
    "funds.see_ledger": Rule(
        "Read the signed trial balances of a marketplace; an auditor those of the house that operates it.",
        roles=("auditor",),
        market_roles=("operator",),
        city_roles=("operator", "regulator"),
    ),
    "funds.close_day": Rule(
        "Close a day of the ledger before the house does it by itself.", market_roles=("operator",)
    ),
}


def ledger_of(request: PartyRequest) -> UUID:
    """The marketplace whose signed trial balances a request asks for; Refused to who may not read them."""
    market = request.marketplace
    require(request.actor, "funds.see_ledger", organisation_id=market.operator_id, marketplace_id=market.pk)
    return market.pk
