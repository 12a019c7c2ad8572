"""The messages, typed. None holds a card number: a request holds its token.

`stan` 1 to 999,999 numbers a terminal's messages; `terminal` has 8 characters, `merchant` 15; `batch` 0 to 999,999; `rrn` is
the host's retrieval reference number, 12 characters. Money is above zero. A message checks what belongs together
(`iso8583.card_missing`, `iso8583.original`), the codec each element.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.core.money import Money

from .values import (
    COUNT_MAX,
    Card,
    Kind,
    LocalTime,
    NetworkKind,
    Original,
    Reconciliation,
    ResponseCode,
    ReversalReason,
    Totals,
    check_stan,
    wrong_original,
    wrong_totals,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """0100, 0200, 0220. `entry`: how the card was read, DE 22, three digits (012 by hand, 021 stripe, 051 chip, 072
    contactless). A sale and a pre-authorisation have a card; the others name the original and may have one."""

    kind: Kind
    stan: int
    local: LocalTime
    terminal: str
    merchant: str
    batch: int
    amount: Money
    entry: str
    card: Card | None = None
    original: Original | None = None

    def __post_init__(self) -> None:
        if self.card is None and not self.kind.refers:
            raise Invalid(
                "iso8583.card_missing",
                _("%(field)s is missing: this transaction needs a card."),
                field="DE 2",
            )
        if (self.original is not None) is not self.kind.refers:
            raise wrong_original("DE 61", self.kind.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """0110, 0210, 0230: what came of a request. `auth_code`: six characters, if there is one."""

    kind: Kind
    stan: int
    local: LocalTime
    terminal: str
    merchant: str
    batch: int
    amount: Money
    rrn: str
    response: ResponseCode
    auth_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """0400: the request of `kind` with `original_stan` and `original_local` is taken back whole, whatever came of it."""

    kind: Kind
    stan: int
    local: LocalTime
    terminal: str
    merchant: str
    batch: int
    amount: Money
    reason: ReversalReason
    original_stan: int
    original_local: LocalTime

    def __post_init__(self) -> None:
        check_stan(self.original_stan, "DE 90")
        if self.kind.is_advice:  # what is advised has happened; it is voided or refunded
            raise wrong_original("DE 90", self.kind.mti)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalReply:
    """0410."""

    kind: Kind
    stan: int
    local: LocalTime
    terminal: str
    merchant: str
    batch: int
    amount: Money
    rrn: str
    response: ResponseCode


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUpload:
    """0320/201: one transaction of a batch whose totals differ, as the terminal has it."""

    kind: Kind
    stan: int
    terminal: str
    merchant: str
    amount: Money
    original: Original

    @property
    def batch(self) -> int:
        return self.original.batch


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUploadEnd:
    """0320/202: all `count` transactions of the batch were uploaded."""

    stan: int
    terminal: str
    merchant: str
    batch: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= 2 * COUNT_MAX:
            raise wrong_totals(str(self.count))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUploadReply:
    """0330. `end`: to the end of the upload."""

    stan: int
    terminal: str
    merchant: str
    batch: int
    response: ResponseCode
    end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """0500: the terminal closes its batch with these totals."""

    stan: int
    terminal: str
    merchant: str
    batch: int
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementReply:
    """0510: the host's own totals, and whether they are the terminal's."""

    stan: int
    local: LocalTime
    terminal: str
    merchant: str
    batch: int
    totals: Totals
    outcome: Reconciliation
    response: ResponseCode

    def __post_init__(self) -> None:
        if self.outcome is Reconciliation.ASKED:
            raise wrong_totals(self.outcome.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRequest:
    """0800: sign-on, sign-off, echo, a new session key. `operator`: up to three characters of who is at the till."""

    kind: NetworkKind
    stan: int
    terminal: str
    merchant: str
    batch: int
    operator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkReply:
    """0810. `local` is the host's time; `wrapped_key`: of an approved sign-on or key exchange (`MasterKey.unwrap`). The batch
    of a sign-on is the one the host has open."""

    kind: NetworkKind
    stan: int
    local: LocalTime
    terminal: str
    merchant: str
    batch: int
    response: ResponseCode
    wrapped_key: bytes | None = None

    def __post_init__(self) -> None:
        if (self.wrapped_key is not None) is not (self.kind.brings_key and self.response.approved):
            raise Invalid(
                "iso8583.key_place",
                _("%(field)s does not fit: an approved sign-on or key exchange brings a key, nothing else does."),
                field="DE 62",
            )


Message = (
    Request
    | Reply
    | Reversal
    | ReversalReply
    | BatchUpload
    | BatchUploadEnd
    | BatchUploadReply
    | Settlement
    | SettlementReply
    | NetworkRequest
    | NetworkReply
)
