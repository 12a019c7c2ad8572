"""The pay codes of wallets here: their master secret is a file of the key folder, and one message answers every bad code."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path

from django.conf import settings

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
    wallet = uuid8(hashlib.sha256(shown.marketplace_id.bytes + shown.holder_id.bytes).digest())
    return paycode.wallet_secret(_master(), wallet_id=wallet, generation=shown.generation)


def _master() -> bytes:
    path: Path = settings.HUANGPU.data / "keys" / FILE
    try:
        return bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        return _made(path)


def _made(path: Path) -> bytes:
    """A new secret, whole and on the disk before it is used; of two processes at once one's is both's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{FILE}-{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(paycode.SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    return bytes.fromhex(path.read_text("ascii").strip())
