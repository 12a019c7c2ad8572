"""Keeps the processes of an installation running, and leaves none behind."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from huangpu.core import processes
from huangpu.core.postgres import DatabaseUnusable, Keeper

STOP_S_MAX = 12
TICK_S = 1.0
TICK_STARTING_S = 0.05
START_S_MAX = 120
STEADY_S = 10  # who has run for so long is started again at once
BACKOFF_S = (0.2, 30.0)


class CannotServe(Exception):
    """The installation cannot be served; the text is one line that says why and what would be right."""


@dataclass
class Child:
    """A process that is started again when it ends."""

    name: str
    command: Sequence[str]
    orphaned: signal.Signals = signal.SIGTERM  # what it gets when we die
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0

    def start(self) -> None:
        self.process = processes.start(self.command, stop_signal=self.orphaned, stdin=subprocess.DEVNULL)
        self.started_at = time.monotonic()

    def stop(self) -> None:
        if self.process is not None:
            processes.end_group(self.process, signal.SIGTERM, STOP_S_MAX)
            self.process = None


@dataclass
class Supervisor:
    """Runs the children until a signal says stop; then stops them, last one first. The keeper's server is one of them."""

    children: list[Child]
    keeper: Keeper | None
    answers: Callable[[], bool]  # whether the first child serves
    on_ready: Callable[[], None]
    stopping: bool = field(default=False, init=False)
    ready: bool = field(default=False, init=False)

    def run(self) -> None:
        """Returns when it was told to stop and nothing runs any more. Raises CannotServe when the start fails."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        before = {kind: signal.signal(kind, self._stop) for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            self.children[0].start()  # the others wait, so that the first page does not share the processors with them
            begun = time.monotonic()
            while not self.stopping:
                select.select([reader], [], [], TICK_S if self.ready else TICK_STARTING_S)
                _drain(reader)
                self._look_after()
                self._look_whether_ready(begun)
        finally:
            for child in reversed(self.children):
                child.stop()
            signal.set_wakeup_fd(-1)
            for kind, handler in before.items():
                signal.signal(kind, handler)
            os.close(reader)
            os.close(writer)

    def _stop(self, *_: object) -> None:
        if self.stopping:  # asked twice: somebody is in a hurry
            for child in self.children:
                if child.process is not None and child.process.poll() is None:
                    child.process.kill()
        self.stopping = True

    def _look_whether_ready(self, begun: float) -> None:
        if self.ready or self.stopping:
            return
        if self.answers():
            self.ready = True
            self.on_ready()
        elif time.monotonic() - begun > START_S_MAX:
            raise CannotServe(f"the web server has not answered for {START_S_MAX} s")

    def _look_after(self) -> None:
        now = time.monotonic()
        if self.keeper is not None and not self.keeper.running() and not self.stopping:
            _say("PostgreSQL ended; it is started again")
            try:
                self.keeper.revive()
            except DatabaseUnusable as wrong:
                raise CannotServe(str(wrong)) from wrong
        for child in self.children if self.ready else self.children[:1]:
            if self.stopping:
                return
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, now)
            if child.process is None and now >= child.due_at:
                child.start()

    def _bury(self, child: Child, now: float) -> None:
        assert child.process is not None
        status = child.process.returncode
        processes.end_group(child.process, signal.SIGTERM, 0)  # what it left in its group goes too
        child.process = None
        if not self.ready and child is self.children[0]:
            raise CannotServe(f"the web server ended with status {status} before its first answer")
        child.failures = 1 if now - child.started_at > STEADY_S else child.failures + 1
        wait = min(BACKOFF_S[0] * 2 ** (child.failures - 1), BACKOFF_S[1])
        child.due_at = now + wait
        _say(f"{child.name} ended with status {status}; it is started again in {wait:.1f} s")


def require_free(host: str, port: int, name: str) -> None:
    """Refuses with CannotServe when another program listens there, or the address is not ours."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with closing(socket.socket(found[0], found[1])) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[4])
    except OSError as wrong:
        reason = "is in use by another program" if wrong.errno == errno.EADDRINUSE else f"cannot be used: {wrong}"
        raise CannotServe(f"port {port} of {host} {reason}: set {name} to a free one") from wrong


def _drain(reader: int) -> None:
    while select.select([reader], [], [], 0)[0]:
        os.read(reader, 1024)


def _say(text: str) -> None:
    print(f"huangpu: {text}", file=sys.stderr, flush=True)
