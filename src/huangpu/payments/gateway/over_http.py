"""A provider at an address: every question is one signed POST with a short time to answer; whatever goes wrong is no answer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx

from huangpu.core import clock

from . import wire
from .provider import Answer, Order, known, provider

SECONDS = httpx.Timeout(6.0, connect=2.0)


def secret_of(name: str) -> bytes | None:
    """What is shared with a provider of this process, to check what it tells by itself; None: there is none at an address."""
    found = provider(name) if name in known() else None
    return found.secret if isinstance(found, HttpProvider) else None


@dataclass(frozen=True, slots=True)
class HttpProvider:
    """`address`: where questions go; `pages`: where its payers are served; `secret`: shared with it, 24 bytes or more."""

    address: str
    pages: str
    secret: bytes

    def send(self, order: Order) -> Answer:
        return self._ask(wire.Question("send", order))

    def query(self, order: Order) -> Answer:
        return self._ask(wire.Question("query", order))

    def cancel(self, order: Order) -> Answer:
        return self._ask(wire.Question("cancel", order))

    def challenge(self, order: Order, phone: str) -> Answer:
        return self._ask(wire.Question("challenge", order, phone=phone))

    def confirm(self, order: Order, code: str) -> Answer:
        return self._ask(wire.Question("confirm", order, code=code))

    def page(self, order_id: UUID, back: str) -> str:
        return f"{self.pages}/orders/{order_id}/?back={quote(back, safe='')}"

    def _ask(self, question: wire.Question) -> Answer:
        body = wire.written_question(question)
        id = f"ask_{uuid4().hex}"
        headers = wire.signed(self.secret, id, body, clock.now())
        with httpx.stream("POST", f"{self.address}/orders", content=body, headers=headers, timeout=SECONDS) as answer:
            answer.raise_for_status()
            told = bytearray()
            for chunk in answer.iter_bytes():
                told += chunk
                if len(told) > wire.BYTES_MAX:
                    raise ValueError("the answer has no end")
            wire.check(self.secret, answer.headers, bytes(told), id=id)
        return wire.read_answer(bytes(told))
