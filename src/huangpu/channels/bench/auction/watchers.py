"""Watchers of an auction for its bench: many streams in one process, each frame's number with the moment it arrived."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

AT_ONCE = 50


async def watch(
    port: int, path: str, opened: asyncio.Semaphore, ready: asyncio.Event, seen: list[tuple[int, float]]
) -> None:
    """One stream until it is cancelled: (sequence, monotonic time) of each frame."""
    async with opened:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
        writer.write(request.encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"a stream was refused: {status!r}")
        while not (await reader.readline()).startswith(b"id: "):
            pass
    ready.set()
    async for line in reader:
        if line.startswith(b"id: "):
            seen.append((int(line[4:]), time.monotonic()))
    raise RuntimeError("a stream ended")


async def _first(awaited: asyncio.Future[Any], tasks: list[asyncio.Task[None]]) -> None:
    """Waits; a stream that fails meanwhile fails all."""
    waiting: set[asyncio.Future[Any]] = {awaited, *tasks}
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()


async def main(port: int, path: str, count: int, target: Path) -> None:
    """Opens the streams, says "watching", and writes what was seen when told to stop."""
    opened = asyncio.Semaphore(AT_ONCE)
    ready = [asyncio.Event() for _ in range(count)]
    seen: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    tasks = [asyncio.create_task(watch(port, path, opened, ready[n], seen[n])) for n in range(count)]
    await _first(asyncio.gather(*(event.wait() for event in ready)), tasks)
    print("watching", flush=True)
    await _first(asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline), tasks)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    target.write_text("\n".join(json.dumps(own) for own in seen))


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])))
