"""Who may clear: two persons settle a window."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "clearing.see": Rule(
        "Read the settlement windows of a marketplace.",
        market_roles=("operator",),
        city_roles=("operator", "regulator"),
    ),
    "clearing.close": Rule("Close a settlement window before its time.", market_roles=("operator",)),
    "clearing.settle": Rule(
        "Confirm a closed window, or settle one that another has confirmed.", market_roles=("operator",)
    ),
}
