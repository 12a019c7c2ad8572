"""Who may count the board anew, and who may read it."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "board.see": Rule("Read the figures of the city and of its marketplaces.", everybody=True),
    "board.rebuild": Rule("Count the figures anew from the log.", city_roles=("operator", "statistician")),
}
