"""Who may bring in other publishers' history, and who may read it."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS = {
    "history.import": Rule(
        "Import published procurement data", market_roles=("operator",), city_roles=("operator", "regulator")
    ),
    "history.read": Rule("Read imported procurement history", everybody=True),
}
