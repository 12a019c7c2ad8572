"""Who may do what with an auction. Bidding has a second condition beside the role: the organisation was admitted."""

from __future__ import annotations

from huangpu.parties.rights import MEMBERS, Rule

ACTS: dict[str, Rule] = {
    "auction.see": Rule("Watch a public auction: lead, countdown, log without names.", everybody=True),
    "auction.see_restricted": Rule(
        "Watch an auction that is not public (also each of its bidders).",
        roles=MEMBERS,
        market_roles=("operator", "arbiter"),
        city_roles=("regulator",),
    ),
    "auction.see_standings": Rule(
        "See what every bidder stands at, by label; by name after the close.",
        roles=MEMBERS,
        market_roles=("operator", "arbiter"),
        city_roles=("regulator",),
    ),
    "auction.schedule": Rule("Schedule a reverse auction over opened bids.", roles=("buyer",)),
    "auction.bid": Rule("Bid in an auction one's organisation is admitted to.", roles=("clerk",)),
    "auction.pause": Rule("Pause and resume an auction.", roles=("buyer",), market_roles=("operator",)),
    "auction.cancel": Rule("Cancel an auction that is not closed.", roles=("buyer",), market_roles=("operator",)),
    "auction.close": Rule("Close an auction whose time is over.", roles=("buyer",), market_roles=("operator",)),
}
