"""Terminals, purely: what an operation's end is called on the wire, retrieval numbers, sums of a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from huangpu.core.clock import SHANGHAI
from huangpu.payments.standards.iso8583.messages import Request
from huangpu.payments.standards.iso8583.values import Kind, ResponseCode, Totals

VERBS = {
    Kind.SALE: "purchase", Kind.VOID: "refund", Kind.REFUND: "refund", Kind.PRE_AUTHORISATION: "authorise",
    Kind.PRE_AUTHORISATION_VOID: "void", Kind.COMPLETION: "capture",
}  # fmt: skip
REASONS = {  # what a provider says, and DE 39
    "insufficient_funds": ResponseCode.INSUFFICIENT_FUNDS,
    "expired_card": ResponseCode.EXPIRED_CARD,
    "invalid_card": ResponseCode.INVALID_CARD,
    "lost_card": ResponseCode.LOST_CARD,
    "amount_limit": ResponseCode.AMOUNT_LIMIT_EXCEEDED,
    "cancelled": ResponseCode.HOST_TIMED_OUT,
    "too_much": ResponseCode.ORIGINAL_AMOUNT_WRONG,
}


def response(state: str, reason: str) -> ResponseCode | None:
    """DE 39 for the state of an operation; None while it has no end: then nothing is answered."""
    if state == "succeeded":
        return ResponseCode.APPROVED
    return REASONS.get(reason, ResponseCode.DO_NOT_HONOUR) if state == "declined" else None


def retrieval_number(stan: int, now: datetime) -> str:
    """DE 37: the year's last digit, the day of the year, the hour, the trace number; on a clock in Shanghai."""
    here = now.astimezone(SHANGHAI)
    return f"{here.year % 10}{here:%j%H}{stan:06}"


def digest(request: Request) -> bytes:
    """What makes two requests the same: all of it but the card's token, which stands for itself."""
    card = request.card.masked if request.card else ""
    original = request.original
    parts: Sequence[Any] = (
        request.kind.name, request.stan, request.local.digits, request.terminal, request.merchant, request.batch,
        request.amount.minor, request.amount.currency, request.entry, card,
        (original.batch, original.stan, original.rrn) if original else "",
    )  # fmt: skip
    return hashlib.sha256("|".join(map(str, parts)).encode()).digest()


def totals(currency: str, counted: Iterable[tuple[str, int]]) -> Totals:
    """The totals of transactions, each the name of its kind and its amount."""
    sides: dict[bool, list[int]] = {True: [], False: []}
    for kind, amount in counted:
        side = Kind[kind].is_debit
        if side is not None:
            sides[side].append(amount)
    return Totals(currency, len(sides[True]), sum(sides[True]), len(sides[False]), sum(sides[False]))
