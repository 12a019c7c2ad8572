"""A terminal that stands in for a real one: the pure state machine of the standard with a socket, a journal file and the clock.

The journal is on the disk before a message is sent. One terminal is worked by one process at a time: the file is locked.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.payments.standards.iso8583 import frames
from huangpu.payments.standards.iso8583.messages import Message
from huangpu.payments.standards.iso8583.state import State
from huangpu.payments.standards.iso8583.terminal import Setup, Step, Terminal
from huangpu.payments.standards.iso8583.values import Kind, NetworkKind, ResponseCode, Totals

ANSWER_S_MAX = 15.0
ROUNDS_MAX = 2000  # messages of one act: an upload sends each transaction of a batch


class NoAnswer(Exception):
    """The host did not answer in time, or the connection was lost."""


@dataclass
class Device:
    """A terminal at work. Each method is what a cashier does; it returns what the host said last."""

    setup: Setup
    address: tuple[str, int]
    journal: Path
    now: Callable[[], datetime] = clock.now
    answer_s: float = ANSWER_S_MAX
    terminal: Terminal | None = None
    _file: int = -1
    _socket: socket.socket | None = None
    _cut: frames.Deframer | None = None

    @contextmanager
    def at_work(self) -> Iterator[Device]:
        """Holds the journal; what a crash left open is taken back first, and the terminal is signed on."""
        self.journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self.journal, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            step, good = Terminal.restart(self.setup, self.journal.read_bytes(), now=self.now())
            os.ftruncate(self._file, good)
            self.terminal = step.terminal
            self._kept(step)
            if step.terminal.key is None:
                self._through(step.terminal.manage(NetworkKind.SIGN_ON))
            elif step.send is not None:
                self._through(step)
            self._nothing_open()
            yield self
        finally:
            self._close()
            os.close(self._file)

    def sale(self, pan: str, amount: int) -> ResponseCode | None:
        """Takes a payment by card; None: nobody knows, and it was taken back."""
        return self._paid(self._known.pay(Kind.SALE, pan=pan, amount=amount, now=self.now()))

    def void(self, stan: int) -> ResponseCode | None:
        """Takes back a whole sale of the open batch."""
        return self._paid(self._known.void(stan, now=self.now()))

    def refund(self, stan: int, amount: int) -> ResponseCode | None:
        """Pays back some of a sale of the open batch."""
        record = self._known.record(stan)
        if record is None:
            raise KeyError(stan)
        return self._paid(self._known.refer(Kind.REFUND, original=record.reference, amount=amount, now=self.now()))

    def settle(self) -> bool:
        """Closes the batch; returns whether it is closed."""
        before = self._known.state.batch
        self._through(self._known.settle())
        return self._known.state.batch != before

    @property
    def now_state(self) -> State:
        """What the terminal knows now."""
        return self._known.state

    @property
    def now_totals(self) -> Totals:
        """What its open batch comes to."""
        return self._known.totals

    @property
    def _known(self) -> Terminal:
        assert self.terminal is not None, "the terminal is not at work"
        return self.terminal

    def _paid(self, step: Step) -> ResponseCode | None:
        answer = self._through(step)
        self._nothing_open()
        return getattr(answer, "response", None)

    def _nothing_open(self) -> None:
        """What is stored (a reversal) is sent until the host has answered it, a few times; then the next act does."""
        for _try in range(3):
            state = self._known.state
            if state.waiting is None and state.stored is None and state.network is None:
                return
            if self._known.key is None:
                self._through(self._known.manage(NetworkKind.SIGN_ON))
            else:
                self._through(self._known.time_out(now=self.now()))

    def _through(self, step: Step) -> Message | None:
        """Sends, takes the answer, goes on while there is more to send. A request without an answer is taken back at once:
        then the answer is None."""
        told: Message | None = None
        known = True
        for _round in range(ROUNDS_MAX):
            self._kept(step)
            if step.send is None:
                return told if known else None
            try:
                step = self._known.receive(self._asked(step.send))
                told = step.message
            except (NoAnswer, HuangpuError):
                self._close()
                if self._known.state.waiting is None and self._known.state.network is None:
                    return None  # what is stored stays stored
                step, known = self._known.time_out(now=self.now()), False
        return None

    def _kept(self, step: Step) -> None:
        if step.journal:
            os.write(self._file, step.journal)
            os.fdatasync(self._file)
        self.terminal = step.terminal

    def _asked(self, message: bytes) -> bytes:
        """The host's answer to a message."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self.address, timeout=self.answer_s)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._cut = frames.Deframer()
            self._socket.sendall(frames.frame(message))
            assert self._cut is not None
            while data := self._socket.recv(4096):
                for body in self._cut.feed(data):
                    return frames.opened(body)[1]
        except OSError as lost:
            raise NoAnswer(str(lost)) from lost
        raise NoAnswer("the host closed the connection")

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
