"""What an auction looks like at an instant, as the page is made of it and the live streams send it: JSON, times in Unix ms.

Pure. Three views of one state: everybody's (lead, clock, log without names, amounts only where they took the lead), the
full one of the buyer's side (every bidder by label), and what is added for one bidder: its own rank and limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from . import rules as r

TAIL_LINES = 12
TAIL_POINTS = 12
CURVE_POINTS = 600

Point = tuple[int, int, int]  # sequence, Unix ms, leading amount
Frame = dict[str, Any]


def ms(instant: datetime) -> int:
    """Unix milliseconds."""
    return round(instant.timestamp() * 1000)


def common(state: r.State, now: datetime) -> Frame:
    """What everybody may know, without log and curve."""
    return {
        "sequence": state.last_sequence,
        "now": ms(now),
        "phase": r.phase(state, now),
        "opens_at": ms(state.opens_at),
        "closes_at": ms(state.closes_at),
        "hard_close_at": ms(state.hard_close_at) if state.hard_close_at else None,
        "extensions": state.extensions,
        "lead": state.lead.amount,
        "bidders": len(state.standings),
    }


def own(rules: r.AuctionRules, state: r.State, number: int) -> Frame:
    """What one bidder may know beside: its rank, its amount, and between what its next bid lies."""
    return {
        "number": number,
        "rank": r.rank_of(state, number),
        "amount": state.standings[number].amount,
        "highest_next": r.highest_next(rules, state, number),
        "lowest_next": r.lowest_next(rules, state, number),
    }


def standings(state: r.State, labels: Mapping[int, str]) -> list[Frame]:
    """The ranking by label, the best first."""
    return [
        {"rank": place, "label": labels[one.number], "amount": one.amount, "sequence": one.sequence}
        for place, one in enumerate(r.ranking(state), 1)
    ]


def lines(
    entries: Iterable[r.Entry], labels: Mapping[int, str], *, full: bool, number: int | None = None
) -> list[Frame]:
    """Lines of the log. An amount is shown if it took the lead, if it is the reader's own, or in the full view."""
    shown = []
    for one in entries:
        open_amount = full or one.number == number or leads(one)
        shown.append(
            {
                "sequence": one.sequence,
                "kind": one.kind,
                "at": ms(one.received_at),
                "label": labels[one.number] if one.number is not None else None,
                "amount": one.amount if one.kind == "bid" and open_amount else None,
                "reason": one.reason,
                "leads": leads(one),
                "extended": one.extended,
                "closes_at": ms(one.closes_at) if one.closes_at else None,
            }
        )
    return shown


def thinned(points: Sequence[Point], most: int = CURVE_POINTS) -> list[Point]:
    """A curve of at most so many points, evenly picked; the first and the last stay."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(place * last / (most - 1))] for place in range(most)]


def leads(entry: r.Entry) -> bool:
    """Whether an entry is a bid that took or improved the lead when it was answered."""
    return entry.kind == "bid" and entry.accepted and entry.amount == entry.lead
