"""MACs and keys against published vectors."""

from __future__ import annotations

import pytest

from huangpu.core.errors import Invalid
from huangpu.payments.standards.iso8583.macs import Cryptography, MacKey, MasterKey, aes_cmac, retail_mac

from .samples import AES_KEY, AES_MASTER, TDES_KEY, TDES_MASTER

ISO_9797 = "0123456789ABCDEFFEDCBA9876543210"
ICAO = "F1CB1F1FB5ADF208806B89DC579DC1F8"
BOUNCY = "7CA110454A1A6E570131D9619DC1376E"

RETAIL = [
    # ISO/IEC 9797-1:2011, annex B.4: MAC algorithm 3, padding method 1, first four bytes
    (ISO_9797, b"Now is the time for all ", "A1C72E74"),
    (ISO_9797, b"Now is the time for it", "2E2B1428"),
    # Bouncy Castle's ISO9797Alg3MacTest
    (BOUNCY, b"Hello World !!!!", "F09B856213BAB83B"),
    # ICAO Doc 9303-11, appendix D.4: padding method 2, therefore padded here
    (ICAO, bytes.fromhex("887022120C06C22899029000" + "80000000"), "FA855A5D4C50A8ED"),
    (ICAO, bytes.fromhex("887022120C06C2290CB0000080000000970104" + "8000000000"), "ED6705417E96BA55"),
    (ICAO, bytes.fromhex("887022120C06C22B0CB0000480000000970112" + "8000000000"), "2EA28A70F3C7B535"),
]

RFC_4493 = "2B7E151628AED2A6ABF7158809CF4F3C"
PLAIN = (
    "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51"
    "30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710"
)


@pytest.mark.parametrize(("key", "data", "mac"), RETAIL)
def test_the_retail_mac(key: str, data: bytes, mac: str) -> None:
    assert retail_mac(bytes.fromhex(key), data).hex().upper().startswith(mac)


@pytest.mark.parametrize(
    ("length", "mac"),
    [  # RFC 4493, section 4, which are NIST SP 800-38B's for AES-128
        (0, "BB1D6929E95937287FA37D129B756746"),
        (16, "070A16B46B4D4144F79BDD9DD04A287C"),
        (40, "DFA66747DE9AE63030CA32611497C827"),
        (64, "51F0BEBF7E3B9D92FC49741779363CFE"),
    ],
)
def test_aes_cmac(length: int, mac: str) -> None:
    assert aes_cmac(bytes.fromhex(RFC_4493), bytes.fromhex(PLAIN)[:length]).hex().upper() == mac


def test_a_key_seals_with_eight_bytes_and_knows_them_again() -> None:
    for key in (TDES_KEY, AES_KEY):
        mac = key.mac(b"a message")
        assert len(mac) == 8
        assert key.verifies(b"a message", mac)
        assert not key.verifies(b"a message", mac[:-1] + bytes([mac[-1] ^ 1]))
        assert not key.verifies(b"a massage", mac)
        assert not key.verifies(b"a message", mac[:4])
    assert AES_KEY.mac(b"") == bytes.fromhex("BB1D6929E9593728")


def test_a_session_key_under_an_aes_master_key_is_rfc_3394() -> None:
    key = MacKey(Cryptography.AES, bytes.fromhex("00112233445566778899AABBCCDDEEFF"))
    wrapped = AES_MASTER.wrap(key)
    assert wrapped.hex().upper() == "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"  # RFC 3394, section 4.1
    assert AES_MASTER.unwrap(wrapped) == key


def test_a_session_key_under_a_triple_des_master_key_has_a_check_value() -> None:
    wrapped = TDES_MASTER.wrap(TDES_KEY)
    assert len(wrapped) == 20
    assert (
        wrapped[16:].hex().upper() == "08D7B4FB"
    )  # the check value of 0123456789ABCDEF FEDCBA9876543210, as HSMs print it
    assert TDES_MASTER.unwrap(wrapped) == TDES_KEY


@pytest.mark.parametrize(("master", "key"), [(TDES_MASTER, TDES_KEY), (AES_MASTER, AES_KEY)])
def test_a_changed_key_is_refused(master: MasterKey, key: MacKey) -> None:
    wrapped = master.wrap(key)
    for place in range(len(wrapped)):
        changed = wrapped[:place] + bytes([wrapped[place] ^ 2]) + wrapped[place + 1 :]
        with pytest.raises(Invalid) as refusal:
            master.unwrap(changed)
        assert refusal.value.code == "iso8583.key_wrapped"
    for wrong in (b"", wrapped[:-1], wrapped + b"\0", b"\0" * 20, b"\0" * 24):
        with pytest.raises(Invalid) as refusal:
            master.unwrap(wrong)
        assert refusal.value.code == "iso8583.key_wrapped"


@pytest.mark.parametrize(
    "make",
    [
        lambda: MacKey(Cryptography.TDES, b"\1\2\3\4\5\6\7\x08" * 2),
        lambda: MacKey(Cryptography.TDES, b"\0" * 8 + b"\1" * 8),  # but for the bit of parity the same
        lambda: MacKey(Cryptography.TDES, bytes(range(8))),
        lambda: MacKey(Cryptography.AES, bytes(24)),
        lambda: MasterKey(Cryptography.TDES, bytes(range(16)) + bytes(range(8, 16))),
        lambda: MasterKey(Cryptography.AES, bytes(20)),
        lambda: TDES_MASTER.wrap(AES_KEY),
    ],
)
def test_weak_and_wrong_keys_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(Invalid) as refusal:
        make()
    assert refusal.value.code == "iso8583.key"


def test_two_key_triple_des_is_no_weak_master_key() -> None:
    long = MasterKey(Cryptography.TDES, TDES_MASTER.value + TDES_MASTER.value[:8])
    assert long.wrap(TDES_KEY) == TDES_MASTER.wrap(TDES_KEY)


def test_a_key_is_not_printed() -> None:
    assert "0123" not in repr(TDES_KEY)
    assert "x01#E" not in repr(TDES_KEY)
    assert repr(AES_MASTER) == "MasterKey(kind=<Cryptography.AES: 'AES-CMAC'>)"
