"""The keys of terminals: each one's master key is a file of the key folder; cards are known again by a token under a key of the
house."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings

from huangpu.core import keyfiles
from huangpu.payments.standards.iso8583.macs import KEY_LENGTH, Cryptography, MacKey, MasterKey

from .models import Terminal

LENGTH = 16
CARDS = "card-tokens"


def new_master(identity: str) -> bytes:
    """Makes the master key of a new terminal; whoever sets the terminal up puts it in."""
    return keyfiles.read_or_make(settings.HUANGPU.data, _name(identity), LENGTH)


def master(terminal: Terminal) -> MasterKey:
    """A terminal's master key. FileNotFoundError: an operator must bring it back from the backup."""
    return MasterKey(
        Cryptography(terminal.cryptography), keyfiles.read(settings.HUANGPU.data, _name(terminal.identity))
    )


def new_session(terminal: Terminal) -> bytes:
    """A new session key under the terminal's master key, as DE 62 carries it."""
    kind = Cryptography(terminal.cryptography)
    return master(terminal).wrap(MacKey(kind, secrets.token_bytes(KEY_LENGTH)))


def session(terminal: Terminal) -> MacKey | None:
    """The session key; None before a sign-on."""
    return master(terminal).unwrap(bytes(terminal.wrapped_key)) if terminal.wrapped_key else None


def card_token(pan: str) -> str:
    """What stands for a card here: HMAC-SHA-256 under a key of the house, hexadecimal."""
    key = keyfiles.read_or_make(settings.HUANGPU.data, CARDS, 32)
    return hmac.new(key, pan.encode(), hashlib.sha256).hexdigest()


def _name(identity: str) -> str:
    return f"terminal-{identity.lower()}"
