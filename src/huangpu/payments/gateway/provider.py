"""The one shape of a bank, an acquirer or a wallet: an order goes out under an id that never changes, and an answer comes back,
or does not.

A provider does one order once however often it is sent. What raised, timed out or cannot be read is no answer: nobody knows
whether the order was done until `query` tells.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol, get_args
from uuid import UUID

from huangpu.core.ids import uuid8
from huangpu.core.money import LARGEST

Status = Literal["succeeded", "declined", "pending", "not_found"]
Verb = Literal["authorise", "capture", "purchase", "void", "refund", "payout", "top_up"]


@dataclass(frozen=True, slots=True)
class Order:
    """What a provider shall do. `about`: the order that this one captures, voids or pays back. `amount` in minor units."""

    id: UUID
    verb: Verb
    amount: int
    currency: str
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said of an order: done, declined (with its reason), to be told later, or never heard of. It says amount
    and currency again, so that an answer to something else is not believed. ValueError: this is no answer, as none at all."""

    id: UUID
    status: Status
    amount: int
    currency: str
    reference: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        money = type(self.amount) is int and abs(self.amount) <= LARGEST and len(self.currency) == 3
        if not money or self.status not in get_args(Status) or "\0" in f"{self.currency}{self.reference}{self.reason}":
            raise ValueError(f"no answer that a provider gives: {self.status!r} over {self.amount!r} {self.currency!r}")


class Provider(Protocol):
    """A bank, an acquirer or a wallet. Each call may raise whatever a network raises."""

    def send(self, order: Order) -> Answer:
        """Does the order, or says what became of it if it was sent before."""
        ...

    def query(self, order: Order) -> Answer:
        """What became of it; "not_found" if it has not arrived: it still may."""
        ...

    def cancel(self, order: Order) -> Answer:
        """It shall not be done: "declined" if it never will be or was taken back, "succeeded" if it stays done."""
        ...


_known: dict[str, Provider] = {}


def register(name: str, provider: Provider) -> None:
    """Makes a provider known; a name has one."""
    _known[name] = provider


def known() -> list[str]:
    """The names of those that are set up in this process."""
    return sorted(_known)


def provider(name: str) -> Provider:
    """The provider of that name (KeyError: none is set up in this process)."""
    return _known[name]


def provider_id(name: str) -> UUID:
    """Whose account in the book "bank" holds what this provider owes us, or we it."""
    return uuid8(hashlib.sha256(f"provider|{name}".encode()).digest())
