"""The doors of the live process: who may open a stream, and how it is written."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from django.conf import settings

from huangpu.core import clock
from huangpu.markets.auction.stream import LIFE_S, unseal

from .hub import Hub
from .pulse import Pulse
from .room import Room, Watcher

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

RETRY = b"retry: 1000\n\n"  # how long a browser waits before it comes back
STREAMS_MAX = 20_000


class Streams:
    """One hub, one pulse, and the HTTP that opens streams."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.pulse = Pulse()
        self.open = 0
        self._started = False

    def start(self) -> None:
        """Begins to listen and to beat. The second call changes nothing."""
        if not self._started:
            self._started = True
            self.hub.start()
            self.pulse.start()

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """The server's start and stop."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.hub.stop()
                await self.pulse.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET / and GET /auctions/<id>?pass=…; everything else is 404."""
        self.start()
        headers = {name: value for name, value in scope["headers"]}
        shared = _cors(headers.get(b"origin", b"").decode("latin-1"))
        path, method = scope["path"], scope["method"]
        if method == "OPTIONS":
            await _answer(send, 204, shared)
        elif method != "GET":
            await _answer(send, 405, [*shared, (b"allow", b"GET, OPTIONS")])
        elif path == "/":
            await _answer(send, 200, shared, b"live\n")
        elif path.startswith("/auctions/"):
            await self._auction(scope, receive, send, headers, shared)
        else:
            await _answer(send, 404, shared)

    async def _auction(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes], shared: Headers
    ) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        given = unseal(query.get("pass", [""])[0])
        if given is None or str(given.auction_id) != scope["path"].removeprefix("/auctions/"):
            await _answer(send, 401, shared, b"the pass of this stream is not good (any more)\n")
            return
        if self.open >= STREAMS_MAX or self.hub.closing:
            await _answer(send, 503, [*shared, (b"retry-after", b"5")])
            return
        try:
            entered = await self.hub.enter(given.auction_id, (given.number, given.full))
        except psycopg.Error as away:
            log.warning("a stream of auction %s cannot be opened: %s", given.auction_id, away)
            await _answer(send, 503, [*shared, (b"retry-after", b"2")])
            return
        if entered is None:
            await _answer(send, 404, shared)
            return
        after = headers.get(b"last-event-id", query.get("after", ["0"])[0].encode()).decode("latin-1")
        room, watcher = entered
        self.open += 1
        try:
            await self._write(room, watcher, int(after) if after.isdecimal() else 0, receive, send, shared)
        finally:
            self.open -= 1
            self.hub.leave(room, watcher)

    async def _write(
        self, room: Room, watcher: Watcher, after: int, receive: Receive, send: Send, shared: Headers
    ) -> None:
        """Sends until the reader is gone, the pass is over or the process ends."""
        begin = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": [*begin, *shared]})
        first = RETRY + room.snapshot(watcher.view, clock.now(), after)
        await send({"type": "http.response.body", "body": first, "more_body": True})
        gone = asyncio.ensure_future(_gone(receive, watcher))
        ends = time.monotonic() + LIFE_S
        try:
            while not (gone.done() or self.hub.closing or time.monotonic() > ends):
                await watcher.wake.wait()
                watcher.wake.clear()
                if watcher.sent == room.version or gone.done():
                    continue
                watcher.sent = room.version
                await send({"type": "http.response.body", "body": room.frame(watcher.view), "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


async def _gone(receive: Receive, watcher: Watcher) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watcher.wake.set()


async def _answer(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    shown = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": shown})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _cors(origin: str) -> Headers:
    """Only the site's own pages may read: the same hosts as the site's, at the site's port."""
    if not origin:
        return []
    env, parts = settings.HUANGPU, urlsplit(origin)
    scheme = "https" if env.https else "http"
    try:
        port = parts.port
    except ValueError:
        return []
    hosts = {host.strip("[]") for host in settings.ALLOWED_HOSTS}
    standard = {None, 443 if env.https else 80}
    if parts.scheme == scheme and parts.hostname in hosts and (port == env.port or (env.https and port in standard)):
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
    return []
