"""The live streams: a small ASGI application of its own, on a port of its own.

`GET /auctions/<id>?pass=…` is a stream of server-sent events. It begins with a snapshot (the curve since `Last-Event-ID`,
or all of it) and goes on with frames, each with the auction's sequence number as its id and the server's clock inside.
It ends when its pass is over; the page fetches a new one. `GET /` says that the process is up.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")
django.setup()

from .streams import Streams  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_streams: Streams | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI. The first call starts the hub in the loop that serves."""
    global _streams
    if _streams is None:
        _streams = Streams()
    if scope["type"] == "lifespan":
        await _streams.lifespan(receive, send)
    elif scope["type"] == "http":
        await _streams.http(scope, receive, send)
