"""Who compares the books with what providers say."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "reconciliation.see": Rule(
        "Read providers' statements and what does not fit.",
        market_roles=("operator",),
        city_roles=("operator", "regulator"),
    ),
    "reconciliation.match": Rule(
        "Load a provider's statement and match it with the books.", market_roles=("operator",)
    ),
}
