"""The pay codes of wallets here: their master secret is a file of the key folder, and one message answers every bad code."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.conf import settings

from huangpu.core import keyfiles
from huangpu.core.ids import uuid8
from huangpu.payments.standards.emvco import paycode

from .models import PayCode

FILE = "paycodes"


def code_of(shown: PayCode, now: datetime) -> str:
    """What the wallet shows at that time."""
    return paycode.issue(handle=shown.handle, secret=_secret(shown), now=now)


def handle_in(code: str) -> str:
    """Whose code it says it is. Refused: `paycode.form`."""
    return paycode.handle_of("".join(code.split()))


def counter_of(code: str, shown: PayCode | None, *, handle: str, now: datetime) -> int:
    """The counter of a good code; a wallet that there is not answers as a code that is not good: `paycode.refused`."""
    secret = _secret(shown) if shown else secrets.token_bytes(paycode.SECRET_BYTES)
    return paycode.verify("".join(code.split()), handle=handle, secret=secret, now=now)


def _secret(shown: PayCode) -> bytes:
    master = keyfiles.read_or_make(settings.HUANGPU.data, FILE, paycode.SECRET_BYTES)
    wallet = uuid8(hashlib.sha256(shown.marketplace_id.bytes + shown.holder_id.bytes).digest())
    return paycode.wallet_secret(master, wallet_id=wallet, generation=shown.generation)
