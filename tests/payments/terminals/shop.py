"""A merchant with terminals, an acquirer that keeps its own book, and the listener between them."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from huangpu.channels.pos.listener import Listener
from huangpu.channels.pos.terminal import Device
from huangpu.core.ids import uuid7
from huangpu.flows.funds.queries import balances
from huangpu.flows.funds.rules import account_id
from huangpu.parties.actor import Actor
from huangpu.payments.gateway import provider
from huangpu.payments.gateway.simulator import Faults, SimulatedBank
from huangpu.payments.standards.iso8583.terminal import Setup
from huangpu.payments.terminals import acts, keys
from huangpu.payments.terminals.models import Terminal


def card(number: int) -> str:
    """A card number with its Luhn digit."""
    body = f"622202{number:012}"
    total = 0
    for place, letter in enumerate(reversed(body)):
        digit = int(letter) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return body + str(-total % 10)


@dataclass
class Shop:
    data: Path
    market: UUID = field(default_factory=uuid7)
    merchant: Actor = field(default_factory=lambda: Actor(uuid7(), uuid7(), roles=frozenset({"owner"})))
    bank: SimulatedBank = field(default_factory=lambda: SimulatedBank(random.Random(8583), Faults()))
    port: int = 0

    def enrol(self, cryptography: str = "AES-CMAC") -> Terminal:
        return acts.enrol(actor=self.merchant, marketplace_id=self.market, name="Till", provider="acquirer",
                          cryptography=cryptography, now=datetime.now(UTC))  # fmt: skip

    def device(self, terminal: Terminal, *, answer_s: float = 10.0) -> Device:
        setup = Setup(terminal.identity, terminal.merchant_code, terminal.currency, keys.master(terminal))
        journal = self.data / "pos" / f"{terminal.identity}.journal"
        return Device(setup, ("127.0.0.1", self.port), journal, answer_s=answer_s)

    def wallet(self) -> int:
        assert self.merchant.organisation_id is not None
        return self._posted("wallet", self.merchant.organisation_id)

    def owed(self) -> int:
        """What the acquirer owes the marketplace by our own book."""
        return -self._posted("bank", provider.provider_id("acquirer"))

    def _posted(self, book: str, holder: UUID) -> int:
        account = account_id(self.market, book, holder, "CNY")
        found = balances([account]).get(account)
        return found.posted if found else 0


@contextmanager
def served(answer: object = None) -> Iterator[int]:
    """A listener in a thread of this process; gives its port."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    listener = Listener(answer, threads=4)  # type: ignore[arg-type]
    port: list[int] = []

    def run() -> None:
        async def start() -> None:
            port.append(await listener.start("127.0.0.1", 0))
            ready.set()

        asyncio.set_event_loop(loop)
        loop.create_task(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield port[0]
    finally:
        asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
