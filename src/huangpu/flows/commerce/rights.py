"""Who may keep a catalogue, and who may read what is looked for and offered."""

from __future__ import annotations

from huangpu.parties.rights import MEMBERS, Rule

ACTS: dict[str, Rule] = {
    "commerce.see_intents": Rule("Read the open offers and requests.", everybody=True),
    "commerce.see_items": Rule("Read the organisation's catalogue of items.", roles=MEMBERS),
    "commerce.edit_item": Rule("Create and change items of the organisation.", roles=("warehouse", "buyer", "clerk")),
}
