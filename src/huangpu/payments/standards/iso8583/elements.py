"""The data elements: what each is called, how it is written on the wire, and what may stand in it.

One table is the source of the codec's specification, of the checks and of the documentation. Numeric elements are packed as
BCD, two digits a byte; lengths of variable elements are BCD too (LLVAR: one byte, LLLVAR: two) and count digits, characters
or bytes, not packed bytes. An odd number of digits is filled up with one 0 at the right, or at the left in DE 23.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

MAC, MAC_EXTENDED = 64, 128
MAC_LENGTH = 8  # bytes

CHARACTERS = {
    "n": re.compile(r"[0-9]+"),
    "an": re.compile(r"[0-9A-Za-z ]+"),
    "ans": re.compile(r"[\x20-\x7e]+"),
    "z": re.compile(r"[0-9D]+"),
    "b": re.compile(r"(?:[0-9A-F]{2})+"),
}


@dataclass(frozen=True, slots=True)
class Element:
    """A data element. `form`: n digits, an letters and digits, ans printable ASCII, z digits of a track, b bytes (written as
    hexadecimal digits); `length`: of digits, characters or bytes, the most of them when `prefix` (bytes of length) is not 0;
    `secret`: its value goes into no error and no log."""

    number: int
    name: str
    form: str
    length: int
    prefix: int = 0
    secret: bool = False
    fill_left: bool = False

    @property
    def label(self) -> str:
        return f"DE {self.number}"

    @property
    def format(self) -> str:
        """As the standard writes it: «n 6», «ans ..40», «b 8»."""
        return f"{self.form} {'..' if self.prefix else ''}{self.length}"

    @property
    def on_wire(self) -> str:
        packed = {"n": "BCD", "z": "BCD", "b": "binary"}.get(self.form, "ASCII")
        return packed if not self.prefix else f"{'LLVAR' if self.prefix == 1 else 'LLLVAR'}, {packed}"

    def fits(self, text: str) -> bool:
        """Whether the text may stand in the element."""
        size = len(text) // 2 if self.form == "b" else len(text)
        right_length = 0 < size <= self.length if self.prefix else size == self.length
        return right_length and CHARACTERS[self.form].fullmatch(text) is not None

    def specification(self) -> dict[str, Any]:
        """The element as `pyiso8583` is told of it."""
        packed = self.form in ("n", "z")
        specified: dict[str, Any] = {
            "data_enc": "b" if packed or self.form == "b" else "ascii",
            "len_enc": "bcd",
            "len_type": self.prefix,
            "max_len": self.length,
            "desc": self.name,
        }
        if packed:
            specified |= {"len_count": "nibbles", "left_pad" if self.fill_left else "right_pad": "0"}
        return specified


ELEMENTS: dict[int, Element] = {
    element.number: element
    for element in (
        Element(2, "Primary account number (PAN)", "n", 19, 1, secret=True),
        Element(3, "Processing code", "n", 6),
        Element(4, "Amount, transaction, in minor units", "n", 12),
        Element(11, "System trace audit number (STAN)", "n", 6),
        Element(12, "Time, local transaction (hhmmss)", "n", 6),
        Element(13, "Date, local transaction (MMDD)", "n", 4),
        Element(14, "Date, expiration (YYMM)", "n", 4, secret=True),
        Element(15, "Date, settlement (MMDD)", "n", 4),
        Element(22, "Point of service entry mode", "n", 3),
        Element(23, "Card sequence number", "n", 3, fill_left=True),
        Element(25, "Point of service condition code", "n", 2),
        Element(26, "Point of service PIN capture code", "n", 2),
        Element(32, "Acquiring institution identification code", "n", 11, 1),
        Element(35, "Track 2 data", "z", 37, 1, secret=True),
        Element(36, "Track 3 data", "z", 104, 2, secret=True),
        Element(37, "Retrieval reference number (RRN)", "an", 12),
        Element(38, "Authorisation identification response", "an", 6),
        Element(39, "Response code", "an", 2),
        Element(41, "Card acceptor terminal identification", "ans", 8),
        Element(42, "Card acceptor identification code (merchant)", "ans", 15),
        Element(44, "Additional response data", "ans", 25, 1),
        Element(48, "Additional data: totals of the batch, or a count", "n", 322, 2),
        Element(49, "Currency code, transaction (ISO 4217 numeric)", "an", 3),
        Element(52, "PIN data", "b", 8, secret=True),
        Element(53, "Security related control information", "n", 16),
        Element(54, "Balance amount", "an", 20, 2),
        Element(55, "Integrated circuit card data", "b", 255, 2, secret=True),
        Element(60, "Type of transaction (2), batch (6), network management code (3)", "n", 17, 2),
        Element(61, "Original: batch (6), STAN (6), date MMDD (4)", "n", 29, 2),
        Element(62, "Session key under the terminal's master key", "b", 512, 2, secret=True),
        Element(63, "Operator", "ans", 163, 2),
        Element(MAC, "Message authentication code", "b", MAC_LENGTH),
        Element(90, "Original data elements: type (4), STAN (6), MMDDhhmmss (10), institutions (22)", "n", 42),
        Element(MAC_EXTENDED, "Message authentication code, with a secondary bitmap", "b", MAC_LENGTH),
    )
}

_BITMAP = {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": 8}
SPECIFICATION: dict[str, dict[str, Any]] = {
    "h": {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": 0, "desc": "Header: none, see frames"},
    "t": {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": 2, "desc": "Message type"},
    "p": {**_BITMAP, "desc": "Bitmap, primary"},
    "1": {**_BITMAP, "desc": "Bitmap, secondary"},
    **{str(number): element.specification() for number, element in ELEMENTS.items()},
}


def label(number: int | str) -> str:
    """What an error calls an element: «DE 4», «message type» (t), «bitmap» (p, 1)."""
    return {"t": "message type", "p": "bitmap", "1": "bitmap"}.get(str(number), f"DE {number}")
