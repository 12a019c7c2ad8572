"""What may be done with a tender: one function an act, one transaction each."""

from .attaching import attach, detach
from .auctioning import start_auction, take_auction_result
from .awarding import award, pass_on
from .bidding import open_bids, submit_bid, withdraw_bid
from .concluding import conclude
from .dialogue import answer, ask, complain, decide_complaint
from .drafting import amend, cancel, draft_from, edit, plan, publish
from .evaluation import disqualify, evaluate, score

__all__ = [
    "amend",
    "answer",
    "ask",
    "attach",
    "award",
    "cancel",
    "complain",
    "conclude",
    "decide_complaint",
    "detach",
    "disqualify",
    "draft_from",
    "edit",
    "evaluate",
    "open_bids",
    "pass_on",
    "plan",
    "publish",
    "score",
    "start_auction",
    "submit_bid",
    "take_auction_result",
    "withdraw_bid",
]
