"""The heart of the live process: what changed is heard once, read once an interval, and sent to everybody who watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import psycopg

from huangpu.core import clock

from .room import Room, View, Watcher
from .source import Source, listen

log = logging.getLogger(__name__)

FRAME_S = 0.1  # at most ten frames a second
BEAT_S = 5.0  # without anything new, the clock is sent so often
LOOK_S = 1.0  # a lost notification is made good within this time
RETRY_S = (0.2, 0.5, 1.0, 2.0)


class Hub:
    """Rooms by auction. Everything runs in one event loop; nothing here waits for a watcher."""

    def __init__(self) -> None:
        self.rooms: dict[UUID, Room] = {}
        self.source = Source()
        self.closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._pumps: dict[UUID, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begins to listen. To be called in the loop that serves."""
        self._spawn(self._listen())

    async def stop(self) -> None:
        """Ends all streams and lets go of the database."""
        self.closing = True
        for room in self.rooms.values():
            for watcher in room.watchers:
                watcher.wake.set()
        for task in (*self._tasks, *self._pumps.values()):
            task.cancel()
        await self.source.close()

    async def enter(self, auction_id: UUID, view: View) -> tuple[Room, Watcher] | None:
        """Opens a stream; None: there is no such auction. Raises psycopg.OperationalError while the database is away."""
        room = self.rooms.get(auction_id)
        if room is None:
            room = await self._opened(auction_id)
            if room is None:
                return None
        watcher = Watcher(view)
        watcher.sent = room.version
        room.watchers.add(watcher)
        return room, watcher

    def leave(self, room: Room, watcher: Watcher) -> None:
        """Closes a stream; the last one closes the room."""
        room.watchers.discard(watcher)
        if not room.watchers and self.rooms.get(room.auction_id) is room:
            del self.rooms[room.auction_id]
            self._pumps.pop(room.auction_id).cancel()

    async def _opened(self, auction_id: UUID) -> Room | None:
        room = Room(auction_id)
        found = await self.source.state(auction_id)
        if found is None:
            return None
        state, room.rules = found
        curve = await self.source.curve(auction_id, state.last_sequence)
        labels = await self.source.labels(auction_id)
        entries = await self.source.entries(auction_id, 0, state.last_sequence)
        room.take(state, entries)
        room.load(curve, labels)
        if auction_id not in self.rooms:  # somebody may have opened it while we read
            self.rooms[auction_id] = room
            room.due.set()  # what happened while we read
            self._pumps[auction_id] = asyncio.create_task(self._pump(room))
        return self.rooms[auction_id]

    async def _pump(self, room: Room) -> None:
        """The frames of one room: at once when it was quiet, else one an interval with all that came meanwhile."""
        loop = asyncio.get_running_loop()
        sent_at, looked_at = 0.0, loop.time()
        while True:
            try:
                await asyncio.wait_for(room.due.wait(), LOOK_S)
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(max(0.0, sent_at + FRAME_S - loop.time()))
            room.due.clear()
            try:
                changed = await self._refresh(room)
            except psycopg.Error as away:
                log.warning("auction %s cannot be read: %s", room.auction_id, away)
                await asyncio.sleep(LOOK_S)
                room.due.set()
                continue
            looked_at = loop.time()
            if changed or looked_at - sent_at >= BEAT_S:
                sent_at = looked_at
                room.publish(clock.now())

    async def _refresh(self, room: Room) -> bool:
        found = await self.source.state(room.auction_id)
        assert found is not None
        state = found[0]
        fresh = []
        if state.last_sequence > room.sequence:
            fresh = await self.source.entries(room.auction_id, room.sequence, state.last_sequence)
        return room.take(state, fresh)

    async def _listen(self) -> None:
        attempt = 0

        def ready() -> None:
            nonlocal attempt
            attempt = 0
            for room in self.rooms.values():  # what was said while nobody listened
                room.due.set()

        while not self.closing:
            try:
                await listen(ready, self._heard)
            except psycopg.Error as lost:
                log.warning("the database cannot be listened to: %s", lost)
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    def _heard(self, auction_id: str) -> None:
        room = self.rooms.get(UUID(auction_id))
        if room is not None:
            room.due.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
