"""Funds, purely: books, the identity of an account, and the items a posting is made of.

An amount is a whole number of the currency's minor unit. A debit takes from an account, a credit gives to it: the balance
of an account is credits less debits, and what it may spend is that less what is held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.core.ids import uuid8
from huangpu.core.money import LARGEST

ITEMS_MAX = 10_000
KIND_LENGTH_MAX = 24
SLOTS_MAX = 64

SINGLE, HOLD, CAPTURE, VOID, EXPIRY = range(5)
PHASES = {SINGLE: "single", HOLD: "hold", CAPTURE: "capture", VOID: "void", EXPIRY: "expiry"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How an account is kept. `balance_min`: credits − debits − held debits may not go below (None: no floor);
    `balance_max`: credits + held credits − debits may not go above; `sub_balances`: over how many rows a balance is
    spread (0: one), which only an account without floor and ceiling can be, since no one row knows the whole."""

    balance_min: int | None = None
    balance_max: int | None = None
    sub_balances: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.sub_balances <= SLOTS_MAX:
            raise ValueError(f"sub_balances is 0 to {SLOTS_MAX}")
        if self.sub_balances and (self.balance_min is not None or self.balance_max is not None):
            raise ValueError("an account with a floor or a ceiling is kept in one row")


SHARED = Limits(sub_balances=16)  # many pay into it at once

BOOKS: dict[str, Limits] = {
    "wallet": Limits(balance_min=0),  # what a party has
    "escrow": SHARED,  # the nominal credit of holds: what is held, for whom the terms will say
    "fees": SHARED,  # what the marketplace earns
    "bank": SHARED,  # the world outside
    "settlement": SHARED,  # what providers have paid for the payments that they took in
    "penalty": SHARED,  # penalties paid, until somebody gets them
    "receivable": Limits(),  # what a party owes the marketplace (a debit): its wallet lacked it
    "suspense": SHARED,  # what cannot be told yet
}


@lru_cache(maxsize=65_536)
def account_id(marketplace_id: UUID, book: str, holder_id: UUID | None, currency: str) -> UUID:
    """The id of an account, derived from what it is: a UUIDv8 (RFC 9562) of SHA-256, so that no look-up is needed."""
    text = f"account|{marketplace_id}|{book}|{holder_id or ''}|{currency}"
    return uuid8(hashlib.sha256(text.encode()).digest())


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account that shall exist: of a book of a marketplace, of a holder (None: the marketplace's own), in a currency.

    Without `limits` it is kept as its book is.
    """

    marketplace_id: UUID
    book: str
    holder_id: UUID | None
    currency: str
    limits: Limits | None = None

    def __post_init__(self) -> None:
        if self.book not in BOOKS:
            raise ValueError(f"there is no book {self.book!r}; there are {', '.join(BOOKS)}")

    @property
    def id(self) -> UUID:
        return account_id(self.marketplace_id, self.book, self.holder_id, self.currency)

    @property
    def kept(self) -> Limits:
        return self.limits or BOOKS[self.book]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """`amount` goes from `debit` to `credit`, at once. `reference`: the agreement or other act it belongs to."""

    id: UUID
    marketplace_id: UUID
    debit: UUID
    credit: UUID
    amount: int
    kind: str
    reference: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`amount` of `debit` is set aside, nominally for `credit`, until it is captured, voided, or `expires_at` has come."""

    id: UUID
    marketplace_id: UUID
    debit: UUID
    credit: UUID
    amount: int
    kind: str
    reference: UUID
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """`amount` of a hold is paid, to `credit` or to the hold's nominal one. May come several times, until the hold is used
    up or a `final` one frees the rest."""

    id: UUID
    marketplace_id: UUID
    hold_id: UUID
    amount: int
    credit: UUID | None = None
    final: bool = False
    kind: str = "capture"
    reference: UUID | None = None  # None: the hold's


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """`amount` of a hold is free again; None: all that is left of it."""

    id: UUID
    marketplace_id: UUID
    hold_id: UUID
    amount: int | None = None
    kind: str = "void"
    reference: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """All that is left of a hold is free again because its time has come. Made by `acts.expire_holds` only."""

    id: UUID
    marketplace_id: UUID
    hold_id: UUID
    kind: str = "expiry"
    reference: UUID | None = None


Item = Transfer | Hold | Capture | Void | Expiry


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item: "posted", or "existing" when the very same item had been posted before."""

    id: UUID
    result: str


def check(items: Iterable[Item]) -> None:
    """What can be refused without a look at the books: `transfer.too_many`, `transfer.amount`, `transfer.kind`."""
    found = list(items)
    if len(found) > ITEMS_MAX:
        raise Invalid(
            "transfer.too_many",
            _("A posting has at most %(most)s items, not %(value)s."),
            value=len(found),
            most=ITEMS_MAX,
        )
    for index, item in enumerate(found):
        amount = None if isinstance(item, Expiry) else item.amount
        if not (amount is None and isinstance(item, Void | Expiry)) and not (
            type(amount) is int and 0 < amount <= LARGEST
        ):
            raise Invalid(
                "transfer.amount",
                _("“%(value)s” is not an amount; it is a whole number of minor units, from 1 to %(most)s."),
                field="amount",
                value=amount,
                most=LARGEST,
                index=index,
            )
        if not 0 < len(item.kind) <= KIND_LENGTH_MAX:
            raise Invalid(
                "transfer.kind",
                _("“%(value)s” is not a kind of transfer; write 1 to %(most)s characters."),
                field="kind",
                value=item.kind,
                most=KIND_LENGTH_MAX,
                index=index,
            )
