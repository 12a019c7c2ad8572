"""Sealed bids: encrypted at rest to a key of the tender that is kept outside the database and bound to the opening.

Scheme (one message, no state): an ephemeral X25519 key pair a bid; shared = X25519(ephemeral, tender);
key = HKDF-SHA256(shared, salt = ephemeral ‖ tender public key, info = "huangpu bid 1"); ChaCha20-Poly1305 with a random
nonce and, as associated data, the ids of tender, lot, bid and bidder, so that a blob moved to another row does not open.
The plaintext is RFC 8785 JSON padded to full kilobytes, so that its length tells nothing. See docs/decisions/0006.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from huangpu.core import keyfiles
from huangpu.core.clock import rfc3339
from huangpu.core.errors import Conflict

VERSION = b"\x01"
BLOCK = 1024
INFO = b"huangpu bid 1"


class KeyMissing(Exception):
    """The private key of a tender is not where it was put: an operator must bring it back from the backup."""


class Unreadable(Exception):
    """A blob that this key does not open: changed, moved or cut off."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Which bid a blob belongs to: bound into the ciphertext."""

    tender_id: UUID
    lot_id: UUID
    bid_id: UUID
    bidder_id: UUID

    def bytes(self) -> bytes:
        return b"".join(id.bytes for id in (self.tender_id, self.lot_id, self.bid_id, self.bidder_id))


class KeyStore(Protocol):
    """Where private keys live. Never the database they protect."""

    def create(self, tender_id: UUID, opens_at: datetime) -> bytes:
        """Makes the pair (or finds it made, after a crash) and returns the public key, 32 bytes."""

    def postpone(self, tender_id: UUID, opens_at: datetime) -> None:
        """Binds the key to a later opening; an earlier one changes nothing."""

    def release(self, tender_id: UUID, opens_at: datetime, now: datetime) -> bytes:
        """The private key, from the later of both instants on. Else Conflict tender.key_sealed; lost: KeyMissing."""

    def destroy(self, tender_id: UUID) -> None:
        """Forgets a key for ever: of a tender cancelled before its opening."""


class FolderKeyStore:
    """Keys as files of a folder, readable by their owner only. `now` comes from the act, the bound from the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, tender_id: UUID, opens_at: datetime) -> bytes:
        private = X25519PrivateKey.generate()
        body = {"private": private.private_bytes_raw().hex(), "opens_at": rfc3339(opens_at)}
        if not self._write(tender_id, body, replace=False):
            kept = self._read(tender_id)  # an earlier attempt to publish died after this step
            self._write(tender_id, {**kept, "opens_at": rfc3339(opens_at)}, replace=True)
            private = X25519PrivateKey.from_private_bytes(bytes.fromhex(kept["private"]))
        return private.public_key().public_bytes_raw()

    def postpone(self, tender_id: UUID, opens_at: datetime) -> None:
        kept = self._read(tender_id)
        if rfc3339(opens_at) > kept["opens_at"]:
            self._write(tender_id, {**kept, "opens_at": rfc3339(opens_at)}, replace=True)

    def release(self, tender_id: UUID, opens_at: datetime, now: datetime) -> bytes:
        kept = self._read(tender_id)
        bound = max(kept["opens_at"], rfc3339(opens_at))
        if rfc3339(now) < bound:
            raise Conflict(
                "tender.key_sealed", _("The bids are sealed until %(value)s."), field="bids_until", value=bound
            )
        return bytes.fromhex(kept["private"])

    def destroy(self, tender_id: UUID) -> None:
        self._path(tender_id).unlink(missing_ok=True)

    def _path(self, tender_id: UUID) -> Path:
        return self.folder / f"{tender_id}.json"

    def _read(self, tender_id: UUID) -> dict[str, str]:
        try:
            kept: dict[str, str] = json.loads(self._path(tender_id).read_text())
        except (FileNotFoundError, ValueError) as gone:
            raise KeyMissing(str(tender_id)) from gone
        return kept

    def _write(self, tender_id: UUID, body: dict[str, str], *, replace: bool) -> bool:
        return keyfiles.write(self._path(tender_id), json.dumps(body), replace=replace)


def keys() -> KeyStore:
    """The installation's key store."""
    return FolderKeyStore(settings.HUANGPU.data / "keys")


def seal(plain: Mapping[str, Any], public: bytes, about: Seal) -> bytes:
    """The blob: version ‖ ephemeral public key (32) ‖ nonce (12) ‖ ciphertext with tag."""
    text = rfc8785.dumps(dict(plain))
    padded = text + b" " * (-len(text) % BLOCK)
    ephemeral = X25519PrivateKey.generate()
    own = ephemeral.public_key().public_bytes_raw()
    key = _derive(ephemeral.exchange(X25519PublicKey.from_public_bytes(public)), own + public)
    nonce = os.urandom(12)
    return VERSION + own + nonce + ChaCha20Poly1305(key).encrypt(nonce, padded, about.bytes())


def unseal(blob: bytes, private: bytes, about: Seal) -> dict[str, Any]:
    """What was sealed. Raises Unreadable for anything that this key, for this bid, does not open."""
    try:
        if blob[:1] != VERSION:
            raise Unreadable("unknown version")
        secret = X25519PrivateKey.from_private_bytes(private)
        own, nonce = blob[1:33], blob[33:45]
        shared = secret.exchange(X25519PublicKey.from_public_bytes(own))
        key = _derive(shared, own + secret.public_key().public_bytes_raw())
        plain = json.loads(ChaCha20Poly1305(key).decrypt(nonce, blob[45:], about.bytes()))
    except (InvalidTag, ValueError) as wrong:
        raise Unreadable("the seal does not open") from wrong
    if not isinstance(plain, dict):
        raise Unreadable("not a bid")
    return plain


def receipt(blob: bytes) -> bytes:
    """What the bidder is given at once: SHA-256 of the ciphertext, which the opening record repeats."""
    return hashlib.sha256(blob).digest()


def _derive(shared: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=INFO).derive(shared)
