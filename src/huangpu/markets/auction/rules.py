"""The English reverse auction as data and pure functions: what a bid is answered, and what follows from a log.

The whole state of an auction follows from its bidders and its log (`replay`). Nothing here asks a clock: an instant is
given with each entry. docs/explanation/auction.md tells the rules in words, with worked tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.core.money import LARGEST

PPM = 1_000_000
OPEN, PAUSED, CLOSED, CANCELLED = "open", "paused", "closed", "cancelled"
STATUSES = (OPEN, PAUSED, CLOSED, CANCELLED)
KINDS = ("bid", "pause", "resume", "outage", "close", "cancel")
REASONS = ("", "cancelled", "closed", "paused", "too_early", "too_late", "step", "drop")

GRACE = timedelta(seconds=2)  # a bid received in time may be processed this much later; then the sweeper closes
OUTAGE_MIN = timedelta(seconds=4)  # silence that counts as an outage: four missed beats of the pulse
BIDDERS_MAX = 500

# of each whole number: the least, the most
RANGES: Mapping[str, tuple[int, int]] = {
    "duration_s": (10, 30 * 86_400),
    "step_minor": (0, LARGEST),
    "step_ppm": (0, PPM // 2),
    "window_s": (0, 3600),
    "extend_s": (0, 3600),
    "extensions_max": (0, 1000),
    "hard_close_after_s": (0, 60 * 86_400),
    "drop_ppm_max": (0, PPM),
}


@dataclass(frozen=True, slots=True)
class AuctionRules:
    """What the buyer decides before the auction; it never changes afterwards. Seconds, minor units, millionths.

    `base`: what the step is taken from, the bidder's own last bid ("own") or the leading one ("lead"). The step is
    `step_minor`, or `step_ppm` of the base rounded up, never below 1. A bid in the last `window_s` moves the close to
    `extend_s` after it, at most `extensions_max` times and never past `hard_close_after_s` from the opening (0: no such
    limit); `extend_on`: only one that takes or improves the lead ("lead"), or every accepted one ("any").
    `drop_ppm_max`: a bid lower than the base by more than this is taken for a slip and refused (0: no such limit).
    """

    duration_s: int = 1800
    step_minor: int = 0
    step_ppm: int = 5000
    base: str = "own"
    window_s: int = 120
    extend_s: int = 120
    extensions_max: int = 20
    extend_on: str = "lead"
    hard_close_after_s: int = 0
    drop_ppm_max: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise _unfit(name, value, f"{low} … {high}")
        for name, choices in (("base", ("own", "lead")), ("extend_on", ("lead", "any"))):
            if getattr(self, name) not in choices:
                raise _unfit(name, getattr(self, name), " | ".join(choices))
        if self.step_minor and self.step_ppm:
            raise _unfit("step_ppm", self.step_ppm, "0 (step_minor > 0)")
        if 0 < self.hard_close_after_s < self.duration_s:
            raise _unfit("hard_close_after_s", self.hard_close_after_s, f"≥ {self.duration_s}")

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> AuctionRules:
        """Rules from stored or sent data; what is not named keeps its default. Refuses with auction.rules_invalid."""
        known = {one.name for one in fields(cls)}
        for name in data:
            if name not in known:
                raise _unfit(str(name), data[name], ", ".join(sorted(known)))
        given = dict(data)
        if given.get("step_minor") and "step_ppm" not in given:
            given["step_ppm"] = 0
        return cls(**given)

    def data(self) -> dict[str, Any]:
        """As JSON has it; `of` reads it."""
        return asdict(self)


def _unfit(field_name: str, value: Any, wanted: str) -> Invalid:
    return Invalid(
        "auction.rules_invalid",
        _("“%(value)s” does not fit the auction's rule %(field)s; right would be: %(wanted)s."),
        field=field_name,
        value=value if isinstance(value, int | str) else repr(value),
        wanted=wanted,
    )


class Standing(NamedTuple):
    """What a bidder stands at. `sequence` 0: the start price. The order of the tuple is the order of the ranking."""

    amount: int
    sequence: int
    number: int


@dataclass(frozen=True, slots=True)
class State:
    """An auction between two entries of its log. `standings` by the bidder's number."""

    opens_at: datetime
    closes_at: datetime
    hard_close_at: datetime | None
    standings: Mapping[int, Standing]
    status: str = OPEN
    paused_at: datetime | None = None
    extensions: int = 0
    last_sequence: int = 0
    last_accepted_at: datetime | None = None
    seen_at: datetime | None = None  # when the last entry was received: the house was up then

    @property
    def lead(self) -> Standing:
        return min(self.standings.values())


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `at` is the effective time of a bid, the begin of an outage, else the act's own time."""

    sequence: int
    kind: str
    received_at: datetime
    at: datetime
    number: int | None = None
    amount: int | None = None
    accepted: bool = True
    reason: str = ""
    closes_at: datetime | None = None  # after this entry
    lead: int | None = None  # after this entry
    extended: bool = field(default=False)


def begin(rules: AuctionRules, opens_at: datetime, starts: Mapping[int, int]) -> State:
    """The state before the first entry; `starts` are the start prices by the bidder's number."""
    hard = rules.hard_close_after_s
    return State(
        opens_at=opens_at,
        closes_at=opens_at + timedelta(seconds=rules.duration_s),
        hard_close_at=opens_at + timedelta(seconds=hard) if hard else None,
        standings={number: Standing(amount, 0, number) for number, amount in starts.items()},
    )


def phase(state: State, now: datetime) -> str:
    """scheduled, running, ending (the time is over, the last bids are being answered), paused, closed or cancelled."""
    if state.status != OPEN:
        return state.status
    if now < state.opens_at:
        return "scheduled"
    return "running" if now < state.closes_at else "ending"


def ranking(state: State) -> list[Standing]:
    """Lowest amount first; of equal amounts the one bid earlier; of equal start prices the lower number."""
    return sorted(state.standings.values())


def rank_of(state: State, number: int) -> int:
    """The bidder's place, from 1."""
    own = state.standings[number]
    return 1 + sum(other < own for other in state.standings.values())


def step_from(rules: AuctionRules, base: int) -> int:
    """The least decrement from a base, in minor units: at least 1."""
    return max(1, rules.step_minor or -(-base * rules.step_ppm // PPM))


def base_of(rules: AuctionRules, state: State, number: int) -> int:
    """What the bidder's step is taken from. Never above the bidder's own amount: a new bid improves on the old one."""
    own = state.standings[number].amount
    return own if rules.base == "own" else min(own, state.lead.amount)


def highest_next(rules: AuctionRules, state: State, number: int) -> int:
    """The highest amount the bidder may bid now. Not above 0: nothing is left to bid."""
    base = base_of(rules, state, number)
    return base - step_from(rules, base)


def lowest_next(rules: AuctionRules, state: State, number: int) -> int:
    """The lowest amount that is not taken for a slip of the hand."""
    if not rules.drop_ppm_max:
        return 1
    base = base_of(rules, state, number)
    return max(1, min(highest_next(rules, state, number), base - base * rules.drop_ppm_max // PPM))


def refusal(rules: AuctionRules, state: State, number: int, amount: int, received_at: datetime) -> str:
    """Why a bid is refused, as a code of REASONS; empty: it is accepted. In time is `received_at < closes_at`, strictly."""
    if state.status != OPEN:
        return state.status
    if received_at < state.opens_at:
        return "too_early"
    if received_at >= state.closes_at:
        return "too_late"
    if amount > highest_next(rules, state, number):
        return "step"
    if amount < lowest_next(rules, state, number):
        return "drop"
    return ""


def bid(rules: AuctionRules, state: State, number: int, amount: int, received_at: datetime) -> tuple[Entry, State]:
    """Answers a bid: the entry of the log and the state after it. A refused bid changes nothing but the sequence.

    The effective time is the later of `received_at` and the last accepted bid's. It is below `closes_at` whenever
    `received_at` is, because an accepted bid's own time was and a close never moves back.
    """
    reason = refusal(rules, state, number, amount, received_at)
    sequence = state.last_sequence + 1
    at = received_at if state.last_accepted_at is None else max(received_at, state.last_accepted_at)
    seen = received_at if state.seen_at is None else max(received_at, state.seen_at)
    after = replace(state, last_sequence=sequence, seen_at=seen)
    extended = False
    if not reason:
        improves = amount < state.lead.amount
        standings = {**state.standings, number: Standing(amount, sequence, number)}
        after = replace(after, standings=standings, last_accepted_at=at)
        if improves or rules.extend_on == "any":
            after = _extended(rules, after, at)
            extended = after.extensions > state.extensions
    entry = Entry(
        sequence,
        "bid",
        received_at,
        at,
        number,
        amount,
        not reason,
        reason,
        after.closes_at,
        after.lead.amount,
        extended,
    )
    return entry, after


def _extended(rules: AuctionRules, state: State, at: datetime) -> State:
    if at < state.closes_at - timedelta(seconds=rules.window_s) or state.extensions >= rules.extensions_max:
        return state
    closes_at = at + timedelta(seconds=rules.extend_s)
    if state.hard_close_at is not None:
        closes_at = min(closes_at, state.hard_close_at)
    if closes_at <= state.closes_at:
        return state
    return replace(state, closes_at=closes_at, extensions=state.extensions + 1)


def mark(state: State, kind: str, at: datetime, received_at: datetime) -> tuple[Entry, State]:
    """What is not a bid: pause, resume, outage (from `at` to `received_at`), close, cancel.

    A pause and an outage are credited: opening, close and hard close move by the time that was lost to all alike.
    """
    sequence = state.last_sequence + 1
    seen = received_at if state.seen_at is None else max(received_at, state.seen_at)
    after = replace(state, last_sequence=sequence, seen_at=seen)
    if kind == "pause":
        after = replace(after, status=PAUSED, paused_at=at)
    elif kind == "resume":
        after = replace(_moved(after, state.paused_at or at, at), status=OPEN, paused_at=None)
    elif kind == "outage":
        after = _moved(after, at, received_at)
    elif kind == "close":
        after = replace(after, status=CLOSED)
    elif kind == "cancel":
        after = replace(after, status=CANCELLED)
    else:
        raise ValueError(kind)
    return Entry(sequence, kind, received_at, at, closes_at=after.closes_at, lead=after.lead.amount), after


def _moved(state: State, since: datetime, until: datetime) -> State:
    """Credits a time in which nobody could bid. What of it lies before the opening cost nothing."""
    lost = until - max(since, state.opens_at)
    if lost <= timedelta():
        return state
    return replace(
        state,
        opens_at=state.opens_at + lost if since < state.opens_at else state.opens_at,
        closes_at=state.closes_at + lost,
        hard_close_at=state.hard_close_at + lost if state.hard_close_at else None,
    )


def outage_since(state: State, alive_at: datetime | None, now: datetime) -> datetime | None:
    """Since when an open auction has been without the house, if that is an outage; None: it is none, or it cost nothing.

    `alive_at` is the last beat of the pulse; an answered bid proves life just as well. What lies before the opening
    costs nothing, and one that ended after its close was answered in full.
    """
    if alive_at is None or state.status != OPEN:
        return None
    since = alive_at if state.seen_at is None else max(alive_at, state.seen_at)
    if now - since < OUTAGE_MIN or now <= state.opens_at or since >= state.closes_at:
        return None
    return since


def replay(rules: AuctionRules, start: State, entries: Iterable[Entry]) -> tuple[State, list[str]]:
    """The state after a log, and what in the log is not as these rules would have answered (empty: all is)."""
    state, wrong = start, []
    for given in entries:
        if given.sequence != state.last_sequence + 1:
            wrong.append(f"entry {given.sequence} follows {state.last_sequence}")
            return state, wrong
        if given.kind == "bid":
            assert given.number is not None
            assert given.amount is not None
            made, state = bid(rules, state, given.number, given.amount, given.received_at)
        else:
            made, state = mark(state, given.kind, given.at, given.received_at)
        if made != given:
            wrong.append(f"entry {given.sequence} says {given}, the rules say {made}")
    return state, wrong
