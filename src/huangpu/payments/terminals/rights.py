"""Who may have terminals. What a terminal itself asks is proved by its key."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "terminals.enrol": Rule("Enrol and block the organisation's card terminals.", roles=("finance",)),
    "terminals.see": Rule("Read the organisation's card terminals and batches.", roles=("finance", "clerk", "auditor")),
    "terminals.see_shares": Rule("Read which share of payments goes through card terminals.", everybody=True),
    "terminals.sell": Rule("Take payments at a card terminal on the screen.", roles=("finance", "clerk")),
}
