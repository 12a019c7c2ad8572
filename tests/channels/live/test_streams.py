"""The live process: rooms, passes, origins; and streams in a real process that survives its database's restart."""

# ruff: noqa: ARG002  the source without a database ignores what it is asked for
from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from huangpu.channels.live import hub as hubs
from huangpu.channels.live.room import Room
from huangpu.channels.live.source import Source
from huangpu.channels.live.streams import Streams, _cors
from huangpu.markets.auction import rules as r
from huangpu.markets.auction.stream import Pass, seal

OPENS = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
RULES = r.AuctionRules(duration_s=600, step_minor=100, step_ppm=0)
LABELS = {1: "#1", 2: "#2"}


def at(seconds: float) -> datetime:
    return OPENS + timedelta(seconds=seconds)


class Auction(Source):
    """A source without a database: an auction in memory, which can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.now = r.begin(RULES, OPENS, {1: 100_000, 2: 99_000})
        self.log: list[r.Entry] = []
        self.away = False

    def bid(self, number: int, amount: int, seconds: float) -> r.Entry:
        entry, self.now = r.bid(RULES, self.now, number, amount, at(seconds))
        self.log.append(entry)
        return entry

    async def state(self, auction_id: Any) -> tuple[r.State, r.AuctionRules] | None:
        if self.away:
            raise psycopg.OperationalError("away")
        return self.now, RULES

    async def entries(self, auction_id: Any, after: int, until: int) -> list[r.Entry]:
        return [one for one in self.log if after < one.sequence <= until]

    async def curve(self, auction_id: Any, until: int) -> list[Any]:
        return []

    async def labels(self, auction_id: Any) -> dict[int, str]:
        return LABELS


def said(event: bytes) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in event.decode().splitlines() if ": " in line)
    return {"id": int(lines["id"]), "event": lines["event"], **json.loads(lines["data"])}


def room_with(*bids: tuple[int, int, float]) -> Room:
    source, room = Auction(), Room(uuid4())
    room.rules = RULES
    room.load([], LABELS)
    for one in bids:
        source.bid(*one)
    room.take(source.now, source.log)
    room.publish(at(10))
    return room


def test_a_frame_tells_nobody_another_bidders_amount() -> None:
    room = room_with((1, 95_000, 1), (2, 98_000, 2))
    everybody, own, full = (said(room.frame(view)) for view in ((None, False), (2, False), (None, True)))
    assert (everybody["id"], everybody["lead"], everybody["bidders"], everybody["now"]) == (2, 95_000, 2, 1795399210000)
    assert [one["amount"] for one in everybody["log"]] == [95_000, None]
    assert "own" not in everybody
    assert "standings" not in everybody
    assert [one["amount"] for one in own["log"]] == [95_000, 98_000]
    assert own["own"] == {"number": 2, "rank": 2, "amount": 98_000, "highest_next": 97_900, "lowest_next": 1}
    assert [(one["label"], one["amount"]) for one in full["standings"]] == [("#1", 95_000), ("#2", 98_000)]


def test_a_reader_who_comes_back_gets_the_curve_since_it_left() -> None:
    room = room_with((1, 95_000, 1))
    for number, amount in ((2, 94_000), (1, 93_000)):
        assert room.state is not None
        entry, state = r.bid(RULES, room.state, number, amount, at(2))
        room.take(state, [entry])
    assert [point[0] for point in said(room.snapshot((None, False), at(3), 0))["curve"]] == [1, 2, 3]
    again = said(room.snapshot((None, False), at(3), 2))
    assert ([point[0] for point in again["curve"]], again["whole"]) == ([3], False)


class Reader:
    """One ASGI request to the streams, read as it comes. `slow`: it takes nothing until it is let."""

    def __init__(self, streams: Streams, path: str, query: str = "", headers: Any = ()) -> None:
        self.got: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.sent = 0
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": list(headers),
        }
        self.task = asyncio.create_task(streams.http(scope, self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        await self.open.wait()
        self.sent += 1
        await self.got.put(message)

    async def event(self) -> dict[str, Any]:
        message = await asyncio.wait_for(self.got.get(), 20)
        return said(message["body"])


def streams_of(source: Auction) -> Streams:
    streams = Streams()
    streams.hub.source = source
    streams._started = True  # without the pulse and the listener, which need a database
    return streams


def run(test: Any) -> None:
    asyncio.run(asyncio.wait_for(test, 60))


def query_of(auction_id: Any) -> str:
    return "pass=" + quote(seal(Pass(auction_id, None, False)))


def test_a_slow_reader_misses_frames_but_never_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "FRAME_S", 0.0)

    async def story() -> None:
        source, auction_id = Auction(), uuid4()
        streams = streams_of(source)
        slow, quick = (Reader(streams, f"/auctions/{auction_id}", query_of(auction_id)) for _ in range(2))
        for reader in (slow, quick):
            assert (await reader.got.get())["status"] == 200
            assert (await reader.event())["event"] == "snapshot"
        slow.open.clear()
        for step in range(20):
            source.bid(1, 90_000 - 200 * step, step + 1)
            streams.hub._heard(str(auction_id))
            while (await quick.event())["sequence"] < step + 1:
                pass
        slow.open.set()
        seen = [(await slow.event())["sequence"]]
        while seen[-1] < 20:
            seen.append((await slow.event())["sequence"])
        assert len(seen) <= 3  # what it was stuck with, and the newest
        for reader in (slow, quick):
            reader.gone.set()
            await reader.task
        assert streams.hub.rooms == {}
        await streams.hub.stop()

    run(story())


def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "LOOK_S", 0.01)

    async def story() -> None:
        source, auction_id = Auction(), uuid4()
        streams = streams_of(source)
        source.away = True
        refused = Reader(streams, f"/auctions/{auction_id}", query_of(auction_id))
        assert (await refused.got.get())["status"] == 503
        source.away = False
        reader = Reader(streams, f"/auctions/{auction_id}", query_of(auction_id))
        await reader.got.get()
        await reader.event()
        source.away = True
        source.bid(1, 90_000, 1)
        streams.hub._heard(str(auction_id))
        await asyncio.sleep(0)
        source.away = False
        while (await reader.event())["sequence"] < 1:
            pass
        reader.gone.set()
        await reader.task
        await streams.hub.stop()

    run(story())


@pytest.mark.parametrize(
    ("path", "query", "status"), [("/", "", 200), ("/x", "", 404), ("/auctions/1", "pass=no", 401)]
)
def test_other_doors(path: str, query: str, status: int) -> None:
    async def story() -> None:
        reader = Reader(streams_of(Auction()), path, query)
        assert (await reader.got.get())["status"] == status
        await reader.task

    run(story())


def test_a_pass_opens_its_own_auction_only() -> None:
    async def story() -> None:
        reader = Reader(streams_of(Auction()), f"/auctions/{uuid4()}", query_of(uuid4()))
        assert (await reader.got.get())["status"] == 401

    run(story())


def test_only_the_sites_own_pages_may_read(settings: Any) -> None:
    port = settings.HUANGPU.port
    assert _cors(f"http://localhost:{port}")[0][1] == f"http://localhost:{port}".encode()
    for origin in (
        "http://evil.example",
        f"http://evil.example:{port}",
        f"https://localhost:{port}",
        "null",
        "http://localhost:x",
    ):
        assert _cors(origin) == []
