"""A payer's one-time pay code: eighteen digits that a wallet shows and a till reads, good for a minute.

    prefix, two digits: whose codes they are, so that a till knows whom to ask
    handle, eight: by which the issuer finds the wallet; given out with the secret and changed with it
    proof, eight: HMAC-SHA-256 with the wallet's secret over prefix, handle and counter, modulo 10⁸

After TOTP (RFC 6238) with steps of ten seconds of which six are accepted: a code is good for more than fifty and at most sixty
seconds. The wallet makes codes without a network, the issuer checks them without having stored any. One who knows a handle
guesses a code with a chance of at most 6·10⁻⁸ a try (`guess_probability`); how many tries there are is for the caller to limit.

A code that was accepted would be accepted again within its minute: the caller keeps the last counter of each wallet and refuses
one that is not above it. So a wallet pays once a step, and shows a new code after a payment.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

SECRET_BYTES = 32
LABEL = b"huangpu.paycode.1"  # so that the secret's other uses, if ever, cannot make a code
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How an issuer's codes are made up. The prefixes 10–15 (WeChat Pay), 25–30 (Alipay) and 62 (UnionPay) are others'."""

    prefix: str = "88"
    handle_digits: int = 8
    proof_digits: int = 8
    step_seconds: int = 10
    steps: int = 6  # how many are accepted: the running one and those before

    @property
    def length(self) -> int:
        return len(self.prefix) + self.handle_digits + self.proof_digits


STANDARD = Scheme()


def wallet_secret(master: bytes, *, wallet_id: UUID, generation: int) -> bytes:
    """A wallet's secret of 32 bytes, derived from the issuer's master secret so that none need be stored. A higher generation
    makes a new one; with it belongs a new handle."""
    if len(master) < SECRET_BYTES:
        raise ValueError(f"a master secret has at least {SECRET_BYTES} bytes")
    message = b"huangpu.paycode.wallet.1" + wallet_id.bytes + generation.to_bytes(8)
    return hmac.new(master, message, hashlib.sha256).digest()


def issue(*, handle: str, secret: bytes, now: datetime, scheme: Scheme = STANDARD) -> str:
    """The code that a wallet shows now. Invalid: `paycode.handle`."""
    if len(handle) != scheme.handle_digits or not _digits(handle):
        raise Invalid(
            "paycode.handle",
            _("“%(value)s” is no handle of a wallet; it has %(digits)s digits."),
            field="handle",
            value=handle[:40],
            digits=scheme.handle_digits,
        )
    return f"{scheme.prefix}{handle}{_proof(handle, secret, counter_at(now, scheme), scheme)}"


def handle_of(code: str, *, scheme: Scheme = STANDARD) -> str:
    """The handle in a code, by which to look up the wallet's secret. Nothing is proved by it. Invalid: `paycode.form`; the
    error tells how long the code was, not the code."""
    if len(code) != scheme.length or not _digits(code) or not code.startswith(scheme.prefix):
        raise Invalid(
            "paycode.form",
            _(
                "A pay code of %(value)s characters is none of ours: it has %(length)s digits and begins with %(prefix)s."
            ),
            field="code",
            value=len(code),
            length=scheme.length,
            prefix=scheme.prefix,
        )
    return code[len(scheme.prefix) : -scheme.proof_digits]


def verify(code: str, *, handle: str, secret: bytes, now: datetime, scheme: Scheme = STANDARD) -> int:
    """The counter of a code of this wallet that is good now: the caller refuses one not above the wallet's last.

    Every step is compared, in constant time, so that how long it takes says nothing. Invalid: `paycode.form`, and
    `paycode.refused` alike for a code that is another wallet's, too old, from the future, or invented.
    """
    found = handle_of(code, scheme=scheme)
    running = counter_at(now, scheme)
    accepted = -1
    for counter in range(max(running - scheme.steps + 1, 0), running + 1):
        right = f"{scheme.prefix}{handle}{_proof(handle, secret, counter, scheme)}"
        if hmac.compare_digest(right, code):
            accepted = counter
    if accepted < 0:
        raise Invalid(
            "paycode.refused",
            _("The pay code of wallet %(value)s is not good, or no longer; show a new one."),
            field="code",
            value=found,
        )
    return accepted


def counter_at(now: datetime, scheme: Scheme = STANDARD) -> int:
    """Which step an instant is in, counted from 1970."""
    if now.tzinfo is None:
        raise ValueError("a time needs its zone")
    return (now - EPOCH) // timedelta(seconds=scheme.step_seconds)


def guess_probability(scheme: Scheme = STANDARD) -> Fraction:
    """The most that one try at the code of a wallet whose handle is known can hope for."""
    return Fraction(scheme.steps, 10**scheme.proof_digits)


def _proof(handle: str, secret: bytes, counter: int, scheme: Scheme) -> str:
    """The digits. All 256 bits are taken modulo 10ⁿ, which favours no digit by more than 10ⁿ/2²⁵⁶."""
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"a wallet's secret has at least {SECRET_BYTES} bytes")
    message = LABEL + f"|{scheme.prefix}|{handle}|".encode() + counter.to_bytes(8)
    number = int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest())
    return f"{number % 10**scheme.proof_digits:0{scheme.proof_digits}}"


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
