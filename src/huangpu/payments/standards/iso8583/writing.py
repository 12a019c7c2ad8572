"""From a typed message to its elements; the card number and the MAC are the codec's."""

from __future__ import annotations

from typing import assert_never

from huangpu.core.money import Money

from .currencies import number_of
from .messages import (
    BatchUpload,
    BatchUploadEnd,
    BatchUploadReply,
    Message,
    NetworkReply,
    NetworkRequest,
    Reply,
    Request,
    Reversal,
    ReversalReply,
    Settlement,
    SettlementReply,
)
from .values import Kind, LocalTime, Original, Reconciliation, Totals, check_amount, check_batch, check_stan

NONE, UPLOAD, UPLOAD_END, SETTLEMENT = "000", "201", "202", "201"
PLAIN = "00"  # DE 60 of what is no transaction
INSTITUTIONS = "0" * 22  # DE 90 of a terminal, which knows none

Elements = dict[int, str]


def written(message: Message) -> tuple[str, Elements]:
    """The message type and the elements of a message."""
    elements = {11: _stan(message.stan, "DE 11"), 41: message.terminal, 42: message.merchant}
    match message:
        case Request() | Reply() | Reversal() | ReversalReply():
            return _payment(message, elements)
        case BatchUpload() | BatchUploadEnd() | BatchUploadReply():
            return _upload(message, elements)
        case Settlement() | SettlementReply():
            return _settlement(message, elements)
        case NetworkRequest():
            elements[60] = _sixty(PLAIN, message.batch, message.kind.value)
            return "0800", elements | ({63: message.operator} if message.operator is not None else {})
        case NetworkReply():
            elements |= {60: _sixty(PLAIN, message.batch, message.kind.value), 39: message.response.value}
            elements |= _local(message.local)
            return "0810", elements | (
                {62: message.wrapped_key.hex().upper()} if message.wrapped_key is not None else {}
            )
        case _:
            assert_never(message)


def _payment(message: Request | Reply | Reversal | ReversalReply, elements: Elements) -> tuple[str, Elements]:
    shape = message.kind.value
    elements |= _kind(message.kind) | _money(message.amount) | _local(message.local)
    elements[60] = _sixty(shape.type_code, message.batch, NONE)
    match message:
        case Request():
            elements[22] = message.entry
            return shape.mti, elements | (_original(message.original) if message.original is not None else {})
        case Reply():
            elements |= {37: message.rrn, 39: message.response.value}
            elements |= {38: message.auth_code} if message.auth_code is not None else {}
            return reply_type(shape.mti), elements
        case Reversal():
            original = _stan(message.original_stan, "DE 90") + message.original_local.digits
            return "0400", elements | {39: message.reason.value, 90: shape.mti + original + INSTITUTIONS}
        case ReversalReply():
            return "0410", elements | {37: message.rrn, 39: message.response.value}


def _upload(message: BatchUpload | BatchUploadEnd | BatchUploadReply, elements: Elements) -> tuple[str, Elements]:
    match message:
        case BatchUpload():
            elements |= _kind(message.kind) | _money(message.amount) | _original(message.original)
            return "0320", elements | {60: _sixty(message.kind.value.type_code, message.batch, UPLOAD)}
        case BatchUploadEnd():
            return "0320", elements | {48: f"{message.count:04}", 60: _sixty(PLAIN, message.batch, UPLOAD_END)}
        case BatchUploadReply():
            step = UPLOAD_END if message.end else UPLOAD
            return "0330", elements | {39: message.response.value, 60: _sixty(PLAIN, message.batch, step)}


def _settlement(message: Settlement | SettlementReply, elements: Elements) -> tuple[str, Elements]:
    elements[60] = _sixty(PLAIN, message.batch, SETTLEMENT)
    if isinstance(message, Settlement):
        return "0500", elements | _totals(message.totals, Reconciliation.ASKED)
    elements |= _totals(message.totals, message.outcome) | _local(message.local)
    return "0510", elements | {39: message.response.value}


def reply_type(mti: str) -> str:
    """The message type that answers a request: 0200 → 0210, 0220 → 0230."""
    return f"{int(mti) + 10:04}"


def _stan(stan: int, field: str) -> str:
    return f"{check_stan(stan, field):06}"


def _kind(kind: Kind) -> Elements:
    return {3: kind.value.processing_code, 25: kind.value.condition}


def _money(amount: Money) -> Elements:
    return {4: f"{check_amount(amount.minor):012}", 49: number_of(amount.currency)}


def _local(local: LocalTime) -> Elements:
    return {12: local.digits[4:], 13: local.digits[:4]}


def _original(original: Original) -> Elements:
    day = f"{original.month:02}{original.day:02}"
    elements = {37: original.rrn, 61: f"{original.batch:06}{original.stan:06}{day}"}
    return elements | ({38: original.auth_code} if original.auth_code is not None else {})


def _sixty(type_code: str, batch: int, network: str) -> str:
    return f"{type_code}{check_batch(batch, 'DE 60'):06}{network}"


def _totals(totals: Totals, outcome: Reconciliation) -> Elements:
    debits = f"{totals.debit_amount:012}{totals.debit_count:03}"
    credits = f"{totals.credit_amount:012}{totals.credit_count:03}"
    return {48: debits + credits + outcome.value, 49: number_of(totals.currency)}
