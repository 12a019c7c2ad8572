"""Who may handle money."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "funds.see": Rule(
        "Read the organisation's wallet and statement.", roles=("finance", "buyer", "auditor", "approver", "clerk")
    ),
    "funds.top_up": Rule("Bring money from the organisation's bank into its wallet.", roles=("finance",)),
    "funds.withdraw": Rule("Send money from the organisation's wallet to its bank.", roles=("finance",)),
    "funds.see_books": Rule(
        "Read the trial balance of a marketplace.", market_roles=("operator",), city_roles=("operator", "regulator")
    ),
}
