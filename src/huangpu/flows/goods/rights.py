"""Who may handle goods."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "goods.see": Rule(
        "Read the organisation's places, stock, movements and shipments.", roles=("warehouse", "clerk", "auditor")
    ),
    "goods.open_place": Rule("Open a place where the organisation's goods can lie.", roles=("warehouse",)),
    "goods.edit_place": Rule("Give a place another code, name, address or GLN.", roles=("warehouse",)),
    "goods.take_in": Rule("Take goods into the organisation's stock.", roles=("warehouse",)),
    "goods.adjust": Rule("Set stock to what was counted, or write it off with a reason.", roles=("warehouse",)),
    "goods.relocate": Rule("Move goods between places of the organisation.", roles=("warehouse",)),
}
