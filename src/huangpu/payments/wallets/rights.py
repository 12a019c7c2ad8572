"""Who may send money from a wallet, and say how much."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "wallets.send": Rule("Send money from the wallet to another, or take it back while it waits.", roles=("finance",)),
    "wallets.receive": Rule("Accept or decline money that another wallet sends.", roles=("finance",)),
    "wallets.see": Rule("Read what was sent and received.", roles=("finance", "auditor")),
    "wallets.set_limit": Rule(
        "Say how much a wallet may send, by how far its holder is verified.", market_roles=("operator",)
    ),
}
