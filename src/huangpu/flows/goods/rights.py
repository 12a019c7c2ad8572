"""Who may handle goods."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "goods.open_place": Rule("Open a place where the organisation's goods can lie.", roles=("warehouse",)),
    "goods.take_in": Rule("Take goods into the organisation's stock.", roles=("warehouse",)),
}
