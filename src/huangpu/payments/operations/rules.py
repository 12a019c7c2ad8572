"""Operations on money that somebody else moves, purely: their states, what an answer makes of them, what they take.

One state machine for each operation, as the best payment systems have it: `unknown` is a state. What was asked and not
answered is neither done nor refused until the provider says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

State = Literal["asked", "pending", "unknown", "succeeded", "declined"]

OPEN: tuple[State, ...] = ("asked", "pending", "unknown")
FINAL: tuple[State, ...] = ("succeeded", "declined")
STATES: tuple[State, ...] = OPEN + FINAL

# of a payment: from which sum an operation takes while it is open, and to which it comes when it is done
OF_PAYMENT: dict[str, tuple[str, str]] = {
    "authorise": ("authorising", "authorised"),
    "purchase": ("authorising", "authorised"),  # and captured at once
    "capture": ("capturing", "captured"),
    "void": ("voiding", "voided"),
    "refund": ("refunding", "refunded"),
}
OF_WALLET = ("payout", "top_up")
VERBS = (*OF_PAYMENT, *OF_WALLET)
HELD_FIRST = frozenset({"refund", "payout"})  # the money is set aside before it is asked for: liquidity cover
DISPUTE_STATES = ("opened", "represented", "won", "lost", "accepted")
ANSWER_WITHIN = timedelta(days=10)  # so long the payee may say something to a dispute
CHANNELS = ("web", "pos", "qr", "phone", "api")

ASK_AGAIN_AFTER = (timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Believed:
    """What an answer makes of an operation: its next state, and whether it goes against one that was final."""

    state: State
    contradicts: bool = False


def believe(state: State, status: str, *, fits: bool) -> Believed:
    """The next state of an operation of which a provider said `status`; `fits`: the answer names its very amount and currency.

    A final state stays, whatever comes later: a contradiction is for a person and the reconciliation. "not_found" tells
    nothing: the order may still be on its way.
    """
    said: State = "unknown"
    if fits and status in ("succeeded", "declined", "pending"):
        said = status  # type: ignore[assignment]
    if state in FINAL:
        return Believed(state, contradicts=said in FINAL and said != state)
    return Believed(said)


def next_ask(attempts: int, now: datetime) -> datetime:
    """When to ask again after so many attempts without an end: sooner at first."""
    return now + ASK_AGAIN_AFTER[min(attempts, len(ASK_AGAIN_AFTER) - 1)]


def fee(amount: int, fee_ppm: int) -> int:
    """What the marketplace takes of a captured amount, half up, in minor units; `fee_ppm` is parts in a million."""
    return (amount * fee_ppm + PPM // 2) // PPM
