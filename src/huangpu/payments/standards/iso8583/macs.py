"""Message authentication codes and the keys under them.

Two ways: ANSI X9.19 (ISO/IEC 9797-1 MAC algorithm 3 over DES, padding method 1), which terminals in the field use, and
AES-CMAC (NIST SP 800-38B, RFC 4493), which a new one should. Both give eight bytes; of CMAC's sixteen the first eight.

A session key travels under the terminal's master key: of a triple DES master key in ECB with the first four bytes of the
encrypted zero block as check value, as UnionPay has it; of an AES master key by RFC 3394, which proves itself.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from .elements import MAC_LENGTH

BLOCK = 8  # bytes of a DES block
CHECK_LENGTH = 4
KEY_LENGTH = 16  # bytes of a session key, of both kinds
PARITY = int.from_bytes(b"\xfe" * 8, "big")  # DES ignores the lowest bit of each byte


class Cryptography(Enum):
    """Which family of keys a terminal has."""

    TDES = "X9.19"
    AES = "AES-CMAC"


@dataclass(frozen=True, slots=True)
class MacKey:
    """A session key of 16 bytes, made new at each sign-on. Refuses with `iso8583.key`: a wrong length, or two equal halves
    with DES, which would be no better than DES alone."""

    kind: Cryptography
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != KEY_LENGTH or (self.kind is Cryptography.TDES and _halves_equal(self.value)):
            raise _wrong_key()

    def mac(self, data: bytes) -> bytes:
        """The eight bytes that seal `data`."""
        return (
            retail_mac(self.value, data) if self.kind is Cryptography.TDES else aes_cmac(self.value, data)[:MAC_LENGTH]
        )

    def verifies(self, data: bytes, mac: bytes) -> bool:
        """Whether `mac` seals `data`, in a time that does not tell how nearly."""
        return hmac.compare_digest(self.mac(data), mac)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A terminal's master key: it carries session keys and nothing else. 16 or 24 bytes of triple DES; 16, 24 or 32 of AES.
    Refuses with `iso8583.key`."""

    kind: Cryptography
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        lengths = (16, 24) if self.kind is Cryptography.TDES else (16, 24, 32)
        if len(self.value) not in lengths or (self.kind is Cryptography.TDES and _halves_equal(self.value)):
            raise _wrong_key()

    def wrap(self, key: MacKey) -> bytes:
        """The session key as DE 62 carries it: 20 bytes (triple DES) or 24 (AES)."""
        if key.kind is not self.kind:
            raise _wrong_key()
        if self.kind is Cryptography.AES:
            return aes_key_wrap(self.value, key.value)
        return _triple_des(self.value, key.value) + _check_value(key.value)

    def unwrap(self, wrapped: bytes) -> MacKey:
        """The session key out of DE 62. Refuses with `iso8583.key_wrapped`: not made with this master key, or changed."""
        value = self._unwrapped_aes(wrapped) if self.kind is Cryptography.AES else self._unwrapped_tdes(wrapped)
        if value is None:
            raise Invalid(
                "iso8583.key_wrapped",
                _("The session key in %(field)s was not made with this terminal's master key."),
                field="DE 62",
            )
        return MacKey(self.kind, value)

    def _unwrapped_aes(self, wrapped: bytes) -> bytes | None:
        if len(wrapped) != KEY_LENGTH + 8:
            return None
        try:
            return aes_key_unwrap(self.value, wrapped)
        except InvalidUnwrap:
            return None

    def _unwrapped_tdes(self, wrapped: bytes) -> bytes | None:
        if len(wrapped) != KEY_LENGTH + CHECK_LENGTH:
            return None
        value = _triple_des(self.value, wrapped[:KEY_LENGTH], decrypt=True)
        return value if hmac.compare_digest(_check_value(value), wrapped[KEY_LENGTH:]) else None


def retail_mac(key: bytes, data: bytes) -> bytes:
    """ANSI X9.19: DES in CBC mode with the left half of the key over the data filled up with zero bytes, then the last block
    decrypted with the right half and encrypted with the left. 8 bytes."""
    left, right = key[:BLOCK], key[BLOCK:]
    padded = data + b"\0" * (-len(data) % BLOCK) or b"\0" * BLOCK
    encryptor = Cipher(TripleDES(left * 3), modes.CBC(b"\0" * BLOCK)).encryptor()  # three times the same is DES
    last = encryptor.update(padded)[-BLOCK:]
    decryptor = Cipher(TripleDES(right * 3), modes.ECB()).decryptor()
    return Cipher(TripleDES(left * 3), modes.ECB()).encryptor().update(decryptor.update(last))


def aes_cmac(key: bytes, data: bytes) -> bytes:
    """AES-CMAC by RFC 4493. 16 bytes."""
    cmac = CMAC(AES(key))
    cmac.update(data)
    return cmac.finalize()


def _triple_des(key: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
    cipher = Cipher(TripleDES((key + key[:BLOCK])[:24]), modes.ECB())
    return (cipher.decryptor() if decrypt else cipher.encryptor()).update(data)


def _check_value(key: bytes) -> bytes:
    return _triple_des(key, b"\0" * BLOCK)[:CHECK_LENGTH]


def _halves_equal(key: bytes) -> bool:
    """Whether two neighbouring parts are the same key to DES, which leaves DES alone of the three."""
    parts = [int.from_bytes(key[start : start + BLOCK], "big") & PARITY for start in range(0, len(key), BLOCK)]
    return any(one == next_one for one, next_one in pairwise(parts))


def _wrong_key() -> Invalid:
    return Invalid(
        "iso8583.key",
        _("%(field)s is not a key of this kind: its length is wrong, or its halves are equal."),
        field="key",
    )
