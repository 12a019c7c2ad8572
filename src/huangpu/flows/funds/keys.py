"""The keys that sign a day's trial balance: Ed25519 (RFC 8032), kept as bids' keys and documents are, outside the database.

A private key is a file of the key folder (`HUANGPU_DATA/keys`), readable by its owner only and named by its public key, which
is how a signed day refers to it. It is on the disk before a row names it.
"""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from huangpu.core import keyfiles


class KeyMissing(Exception):
    """The private key is not where it was put: an operator must bring it back from the backup."""


def create() -> bytes:
    """Makes a pair; returns the public key, 32 bytes."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    keyfiles.keep(settings.HUANGPU.data, _name(public), private.private_bytes_raw())
    return public


def sign(public: bytes, message: bytes) -> bytes:
    """The signature, 64 bytes, by the private key of this public one. KeyMissing when it is gone or is another."""
    try:
        private = Ed25519PrivateKey.from_private_bytes(keyfiles.read(settings.HUANGPU.data, _name(public)))
    except (OSError, ValueError) as gone:
        raise KeyMissing(public.hex()) from gone
    if private.public_key().public_bytes_raw() != public:
        raise KeyMissing(public.hex())
    return private.sign(message)


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether this is the signature of the message by that key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def pem(public: bytes) -> str:
    """The public key as `openssl` reads it."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def base64_of(signature: bytes) -> str:
    """A signature as people copy it."""
    return base64.b64encode(signature).decode()


def _name(public: bytes) -> str:
    return f"ledger-{public.hex()}"
