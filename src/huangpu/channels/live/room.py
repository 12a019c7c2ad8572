"""One watched auction in memory: its state, the curve of its lead, the end of its log, and who watches.

A watcher has room for one frame only: the newest. Who is slow misses frames, never the last one.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from huangpu.markets.auction import frames
from huangpu.markets.auction import rules as r

CURVE_MAX = 20_000

View = tuple[int | None, bool]  # the bidder's number, whether the full view is allowed


class Watcher:
    """A stream that is open. `wake` is set when there is a frame that it has not been sent."""

    __slots__ = ("sent", "view", "wake")

    def __init__(self, view: View) -> None:
        self.view = view
        self.sent = 0  # the version it was sent last
        self.wake = asyncio.Event()


class Room:
    """An auction with at least one watcher. `version` grows with each frame."""

    def __init__(self, auction_id: UUID) -> None:
        self.auction_id = auction_id
        self.watchers: set[Watcher] = set()
        self.rules = r.AuctionRules()
        self.state: r.State | None = None
        self.labels: dict[int, str] = {}
        self.lines: deque[r.Entry] = deque(maxlen=frames.TAIL_LINES)
        self.curve: list[frames.Point] = []
        self.version = 0
        self.due = asyncio.Event()  # something has happened that is in no frame yet
        self.framed_at = 0.0
        self._rendered: dict[View, bytes] = {}

    @property
    def sequence(self) -> int:
        """Up to which entry of the log the room knows the auction."""
        return self.state.last_sequence if self.state else 0

    def take(self, state: r.State, entries: Sequence[r.Entry]) -> bool:
        """The state as it is now and the entries since; returns whether anything changed."""
        changed = state != self.state
        known = self.sequence
        self.state = state
        fresh = [one for one in entries if one.sequence > known]
        self.lines.extend(fresh)
        leading = [one for one in fresh if frames.leads(one)]
        if leading:
            last = leading[-1]  # what happened between two frames is one point of the picture
            assert last.lead is not None
            self.curve.append((last.sequence, frames.ms(last.at), last.lead))
            if len(self.curve) > CURVE_MAX:
                self.curve = frames.thinned(self.curve, CURVE_MAX // 2)
        return changed

    def load(self, curve: Sequence[frames.Point], labels: dict[int, str]) -> None:
        """What a room begins with."""
        self.curve, self.labels = list(curve), labels

    def publish(self, now: datetime) -> None:
        """Makes a frame of the state as it is and wakes everybody."""
        self.version += 1
        self._rendered.clear()
        self._now = now
        for watcher in self.watchers:
            watcher.wake.set()

    def frame(self, view: View) -> bytes:
        """The newest frame as this view sees it, made once for all watchers who share it."""
        found = self._rendered.get(view)
        if found is None:
            tail = self.curve[-frames.TAIL_POINTS :]
            found = self._rendered[view] = self._event("frame", view, {"curve": tail})
        return found

    def snapshot(self, view: View, now: datetime, after: int) -> bytes:
        """What a stream begins with: the curve since the sequence that its reader has seen (0: all of it, thinned)."""
        self._now = now
        points = frames.thinned([point for point in self.curve if point[0] > after])
        return self._event("snapshot", view, {"curve": points, "whole": after == 0})

    def _event(self, kind: str, view: View, more: dict[str, Any]) -> bytes:
        assert self.state is not None
        number, full = view
        body = frames.common(self.state, self._now)
        body["log"] = frames.lines(self.lines, self.labels, full=full, number=number)
        if full:
            body["standings"] = frames.standings(self.state, self.labels)
        if number is not None:
            body["own"] = frames.own(self.rules, self.state, number)
        text = json.dumps({**body, **more}, separators=(",", ":"))
        return f"id: {self.state.last_sequence}\nevent: {kind}\ndata: {text}\n\n".encode()
