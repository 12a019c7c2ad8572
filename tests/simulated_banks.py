"""The simulated banks in a process of their own, for as long as a test runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx

from huangpu.channels.simulators.book import Book
from huangpu.channels.simulators.setting_up import set_up
from huangpu.core import clock
from huangpu.core.processes import free_ports
from huangpu.payments.gateway import configured, provider
from huangpu.payments.gateway.provider import Answer, Order


@dataclass(frozen=True)
class Banks:
    """Where they answer."""

    url: str

    def behave(self, bank: str, mode: str) -> None:
        """Tells a bank how to behave, by its own page."""
        with httpx.Client(base_url=self.url) as person:
            person.get(f"/{bank}/")
            token = person.cookies["simulators_csrf"]
            answer = person.post(f"/{bank}/", data={"mode": mode, "csrfmiddlewaretoken": token})
            assert answer.status_code == 302, answer.text


@contextmanager
def banks_for(platform: str, data: Path) -> Iterator[Banks]:
    """Runs them for a platform at that address, and makes them known in this process."""
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    set_up(data, url)
    known = dict(provider._known)
    configured.register_all(data)
    environment = {**os.environ, "HUANGPU_DATA": str(data), "HUANGPU_SIMULATORS_FOR": platform}
    command = [sys.executable, "-m", "granian", "huangpu.channels.simulators.wsgi:application", "--interface", "wsgi"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--log-level", "warning"]
    process = subprocess.Popen(command, env=environment)
    try:
        _until_it_answers(url)
        yield Banks(url)
    finally:
        process.terminate()
        process.wait(20)
        provider._known.clear()
        provider._known.update(known)


def _until_it_answers(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/").raise_for_status()
            return
        except httpx.HTTPError:
            assert time.monotonic() < until, "the simulated banks do not answer"
            time.sleep(0.1)  # a poll of the start, not of an outcome


@dataclass(frozen=True)
class BankHere:
    """A simulated bank of this process: its book without its server."""

    book: Book
    name: str = "pujiang"

    def send(self, order: Order) -> Answer:
        return self.book.take(self.name, order, clock.now()).answer

    def query(self, order: Order) -> Answer:
        found = self.book.find(self.name, order.id)
        return found.answer if found else Answer(order.id, "not_found", order.amount, order.currency)

    def cancel(self, order: Order) -> Answer:
        return self.book.cancel(self.name, order, clock.now()).answer

    def page(self, order_id: UUID, back: str) -> str:
        return f"https://bank.example/{order_id}?back={back}"

    def challenge(self, order: Order, phone: str) -> Answer:
        return self.book.challenge(self.name, order.id, phone, clock.now()).answer

    def confirm(self, order: Order, code: str) -> Answer:
        return self.book.confirm(self.name, order.id, code).answer
