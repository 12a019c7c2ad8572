"""The TCP listener of the terminals: frames in, frames out, one at a time a connection; the host does the rest in threads.

A connection that says nothing for long or sends what is no frame is closed. On SIGTERM nothing new is read, and what is at work
is answered.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.payments.standards.iso8583 import frames
from huangpu.payments.terminals import host

log = logging.getLogger(__name__)
THREADS = 8  # messages at work at once, each with a database connection
CONNECTIONS_MAX = 2000
IDLE_S_MAX = 300.0
READ_BYTES = 4096

Answer = Callable[[bytes], bytes | None]


class Listener:
    """Serves terminals until it is told to stop."""

    def __init__(self, answer: Answer | None = None, *, threads: int = THREADS) -> None:
        self._answer = answer or (lambda data: host.answer(data, now=clock.now))
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pos")
        self._served: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.server: asyncio.Server | None = None

    async def start(self, address: str, port: int) -> int:
        """Listens; returns the port."""
        self.server = await asyncio.start_server(self._connected, address, port, limit=READ_BYTES)
        return int(self.server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Reads nothing more, answers what is at work, closes."""
        self._stopping.set()
        if self.server is not None:
            self.server.close()
        if self._served:
            await asyncio.wait(self._served, timeout=20)
        self._threads.shutdown(wait=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._served) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._served.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, TimeoutError, HuangpuError) as lost:
            log.info("a terminal's connection ended: %r", lost)
        finally:
            self._served.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = frames.Deframer()
        while (data := await self._read(reader)) is not None:
            for body in cut.feed(data):
                envelope, message = frames.opened(body)
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._done, message)
                if answer is None:
                    return  # the terminal sees that there is no answer at once, not after its time is over
                writer.write(frames.frame(answer, envelope.back()))
                await writer.drain()
        cut.finish()

    async def _read(self, reader: asyncio.StreamReader) -> bytes | None:
        """What comes next; None at the end of the stream, or when the listener stops."""
        read, stop = asyncio.ensure_future(reader.read(READ_BYTES)), asyncio.ensure_future(self._stopping.wait())
        done, _waiting = await asyncio.wait({read, stop}, timeout=IDLE_S_MAX, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if read not in done:
            read.cancel()
            return None
        return read.result() or None

    def _done(self, message: bytes) -> bytes | None:
        try:
            return self._answer(message)
        except Exception:  # the last net of a door: nobody knows what became of it, so the terminal gets no answer
            log.exception("a terminal's message could not be answered")
            connection.close()
            return None


async def serve(address: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT."""
    listener, stop = Listener(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    at = await listener.start(address, port)
    log.warning("terminals are served at %s:%s", address, at)
    await stop.wait()
    await listener.stop()
