"""The one shape of a bank, an acquirer or a wallet: an order goes out under an id that never changes, and an answer comes back,
or does not.

A provider does one order once however often it is sent. What raised, timed out or cannot be read is no answer: nobody knows
whether the order was done until `query` tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable
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


@runtime_checkable
class Hosted(Provider, Protocol):
    """A provider that asks the payer itself, so that what proves the payer's will never enters the platform: on a page of its
    own, or by a one-time code that it sends to the payer's phone."""

    def page(self, order_id: UUID, back: str) -> str:
        """The address where the payer agrees to an order that the provider has; it leads to `back` afterwards."""
        ...

    def challenge(self, order: Order, phone: str) -> Answer:
        """Sends a one-time code for the order to the payer's phone."""
        ...

    def confirm(self, order: Order, code: str) -> Answer:
        """The payer has told the code: "succeeded", "pending" (a wrong code, another try is left) or "declined"."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    provider: Provider
    title: Mapping[str, str]  # its name in each language
    payable: bool  # offered to payers


_known: dict[str, Known] = {}


def register(name: str, provider: Provider, *, title: Mapping[str, str] | None = None, payable: bool = True) -> None:
    """Makes a provider known in this process; a name has one."""
    _known[name] = Known(provider, title or {"en": name, "zh-hans": name}, payable)


def known() -> list[str]:
    """The names of those that are set up in this process."""
    return sorted(_known)


def payable() -> list[str]:
    """The names of those with a page or a code of their own, which a payer may choose from."""
    return [name for name in known() if _known[name].payable and isinstance(_known[name].provider, Hosted)]


def provider(name: str) -> Provider:
    """The provider of that name (KeyError: none is set up in this process)."""
    return _known[name].provider


def hosted(name: str) -> Hosted:
    """The provider of that name, which asks the payer itself (KeyError: there is none such)."""
    found = _known[name].provider
    if not isinstance(found, Hosted):
        raise KeyError(name)
    return found


def title(name: str) -> Mapping[str, str]:
    """What people call the provider of that name; the name itself where it is not set up any more."""
    return _known[name].title if name in _known else {"en": name, "zh-hans": name}


def provider_id(name: str) -> UUID:
    """Whose account in the book "bank" holds what this provider owes us, or we it."""
    return uuid8(hashlib.sha256(f"provider|{name}".encode()).digest())
