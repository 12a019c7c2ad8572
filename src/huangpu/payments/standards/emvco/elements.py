"""The elements of a payer's code that have a field of their own, and how their bytes are a value: EMV Book 3, annexes A and B,
EMV QRCPS-CPM v1.1, chapter 4."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from .bertlv import Element
from .tlv import COMMON as PRINTABLE
from .tlv import shown

ISSUER, COMMON = "63", "64"  # what goes to the issuer: in an application, in the common data

BYTES, TEXT, LANGUAGES, DIGITS, CARD, TRACK2, COUNTER = "b", "ans", "a", "n", "cn", "track2", "counter"
TRACK = re.compile(r"([0-9]{8,19})D([0-9]{2}(?:0[1-9]|1[0-2]))([0-9]{3})([0-9]*)")


@dataclass(frozen=True, slots=True)
class Track2:
    """The equivalent of a stripe's second track: the number (a token), the end of its life as YYMM, the service code, and what
    else its issuer put there."""

    token: str
    expires: str
    service: str
    discretionary: str = ""

    def __repr__(self) -> str:
        return f"Track2(…{self.token[-4:]})"


@dataclass(frozen=True, slots=True)
class Kind:
    """The field an element is, how its bytes are a value, and how many they are; `digits` of those with a fixed number."""

    name: str
    kind: str
    shortest: int
    longest: int
    digits: int = 0


DATA: dict[str, Kind] = {
    "4F": Kind("aid", BYTES, 5, 16),
    "50": Kind("label", TEXT, 1, 16),
    "57": Kind("track2", TRACK2, 8, 19),
    "5A": Kind("token", CARD, 4, 10),
    "5F34": Kind("sequence", DIGITS, 1, 1, 2),
    "5F20": Kind("holder", TEXT, 2, 26),
    "5F2D": Kind("languages", LANGUAGES, 2, 8),
    "5F50": Kind("issuer_url", TEXT, 1, 255),
    "9F08": Kind("version", BYTES, 2, 2),
    "9F19": Kind("token_requestor", DIGITS, 6, 6, 11),
    "9F24": Kind("account_reference", TEXT, 29, 29),
    "9F25": Kind("last_digits", DIGITS, 2, 2, 4),
}
FOR_ISSUER: dict[str, Kind] = {
    "9F26": Kind("cryptogram", BYTES, 8, 8),
    "9F27": Kind("cryptogram_information", BYTES, 1, 1),
    "9F10": Kind("issuer_data", BYTES, 1, 32),
    "9F36": Kind("counter", COUNTER, 2, 2),
    "82": Kind("interchange_profile", BYTES, 2, 2),
    "9F37": Kind("unpredictable", BYTES, 4, 4),
}


def value_of(one: Element, kind: Kind, within: str) -> Any:
    """What the bytes of an element say. Invalid: `emvco.element` unless the value is written as just these bytes."""
    value = _read(one.value, kind)
    if not kind.shortest <= len(one.value) <= kind.longest or value is None or _write(value, kind) != one.value:
        secret = kind.kind in (CARD, TRACK2)
        raise _wrong(
            f"…{one.value.hex()[-4:]}" if secret else shown(one.value.hex().upper()), kind, f"{within}-{one.tag}"
        )
    return value


def element_of(value: Any, tag: str, kind: Kind, within: str) -> Element:
    """The element of a value. Invalid: `emvco.element`."""
    data = _write(value, kind)
    if data is None:
        secret = kind.kind in (CARD, TRACK2)
        raise _wrong("…" if secret else shown(str(value)), kind, f"{within}-{tag}")
    one = Element(tag, data)
    value_of(one, kind, within)
    return one


def _read(data: bytes, kind: Kind) -> Any:
    digits = data.hex().upper()
    if kind.kind == BYTES:
        return data
    if kind.kind in (TEXT, LANGUAGES):
        return data.decode("latin-1")
    if kind.kind == DIGITS:
        return digits[len(digits) - kind.digits :]
    if kind.kind == CARD:
        return digits.removesuffix("F")
    if kind.kind == COUNTER:
        return int.from_bytes(data)
    found = TRACK.fullmatch(digits.removesuffix("F"))
    return Track2(*found.groups()) if found else None


def _write(value: Any, kind: Kind) -> bytes | None:
    """The bytes of a value, or None when it has none."""
    if kind.kind == BYTES:
        return bytes(value)
    if kind.kind == TEXT:
        return value.encode() if PRINTABLE.issuperset(value) else None
    if kind.kind == LANGUAGES:
        return value.encode() if re.fullmatch(r"([A-Za-z]{2}){1,4}", value) else None
    if kind.kind == DIGITS:
        fits = re.fullmatch(r"[0-9]+", value) and len(value) == kind.digits
        return bytes.fromhex(value.zfill(2 * kind.longest)) if fits else None
    if kind.kind == CARD:
        return _filled(value) if re.fullmatch(r"[0-9]{8,19}", value) else None
    if kind.kind == COUNTER:
        return value.to_bytes(2) if 0 <= value < 0x10000 else None
    text = f"{value.token}D{value.expires}{value.service}{value.discretionary}"
    found = TRACK.fullmatch(text)
    return _filled(text) if found and Track2(*found.groups()) == value else None


def _filled(digits: str) -> bytes:
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def _wrong(value: str, kind: Kind, path: str) -> Invalid:
    return Invalid(
        "emvco.element",
        _(
            "“%(value)s” in %(field)s does not fit: it takes %(shortest)s to %(longest)s bytes of the kind %(kind)s (b: bytes, "
            "ans: printable ASCII, a: pairs of letters, n: digits, cn: digits filled up with F, track2: number D YYMM service)."
        ),
        field=path,
        value=value,
        shortest=kind.shortest,
        longest=kind.longest,
        kind=kind.kind,
    )
