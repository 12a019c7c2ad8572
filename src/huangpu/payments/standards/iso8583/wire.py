"""Elements to bytes and back: the bitmap codec of `pyiso8583` behind checks of our own, which let nothing else out.

Here an element is text: digits, characters, or hexadecimal digits for bytes. What it means is the codec's business.
"""

from __future__ import annotations

from collections.abc import Mapping

import iso8583
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from .elements import ELEMENTS, SPECIFICATION, label

LENGTH_MIN = 10  # bytes: a message type and a bitmap
LENGTH_MAX = 2048


def outline(data: bytes) -> tuple[str, frozenset[int]]:
    """The message type and the elements that the bitmaps announce, without a look at any of them.

    Refuses with `iso8583.length`, `iso8583.message_type` (no four digits), `iso8583.bitmap` and `iso8583.element_unknown`.
    """
    if not LENGTH_MIN <= len(data) <= LENGTH_MAX:
        raise Invalid(
            "iso8583.length",
            _("A message of %(value)s bytes was sent; it has at least %(least)s and at most %(most)s."),
            field="message",
            value=len(data),
            least=LENGTH_MIN,
            most=LENGTH_MAX,
        )
    mti = data[:2].hex()
    if not mti.isdigit():
        raise Invalid(
            "iso8583.message_type",
            _("“%(value)s” is no message type; a terminal sends one such as 0200."),
            field="message type",
            value=mti.upper(),
        )
    numbers = _announced(data[2:10], 0)
    if 1 in numbers:
        second = _announced(data[10:18], 64)
        if len(data) < 18 or not second:
            raise Invalid(
                "iso8583.bitmap",
                _("The bitmap announces a second one, which is missing or empty."),
                field="bitmap",
                value=data[2:18].hex().upper(),
            )
        numbers = (numbers | second) - {1}
    for number in sorted(numbers):
        if number not in ELEMENTS:
            raise Invalid(
                "iso8583.element_unknown",
                _("%(field)s is announced in the bitmap; it has no use here."),
                field=label(number),
            )
    return mti, numbers


def _announced(bitmap: bytes, offset: int) -> frozenset[int]:
    bits = int.from_bytes(bitmap, "big")
    return frozenset(offset + place for place in range(1, 65) if bits >> (64 - place) & 1)


def unpack(data: bytes) -> tuple[str, dict[int, str]]:
    """The message type and the elements of a message without its envelope; every element fits its format.

    Refuses as `outline` does, and with `iso8583.element_malformed` (the bytes end too early, too late, or are none of the
    element's) and `iso8583.element_format`, each naming the element.
    """
    mti, numbers = outline(data)
    fields: dict[str, str] = {}
    wrong: str | None = None
    try:
        fields, _encoded = iso8583.decode(data, SPECIFICATION)
    except iso8583.DecodeError as error:
        wrong = error.field
    if wrong is not None:  # outside the handler: the library's error holds the whole message, also the card
        raise Invalid(
            "iso8583.element_malformed",
            _("%(field)s cannot be read: the message ends too early or too late there, or the length is wrong."),
            field=label(wrong),
        )
    elements = {number: fields[str(number)] for number in sorted(numbers)}
    check(elements)
    return mti, elements


def pack(mti: str, elements: Mapping[int, str]) -> bytes:
    """The bytes of a message without its envelope. Refuses with `iso8583.element_format`."""
    check(elements)
    fields = {"t": mti, **{str(number): text for number, text in elements.items()}}
    if any(number > 64 for number in elements):
        fields["1"] = ""  # the library fills it
    data, _encoded = iso8583.encode(fields, SPECIFICATION)
    return bytes(data)


def check(elements: Mapping[int, str]) -> None:
    """Refuses the first element whose text does not fit its format; a secret one is not shown."""
    for number, text in elements.items():
        element = ELEMENTS[number]
        if not element.fits(text):
            raise Invalid(
                "iso8583.element_format",
                _("%(field)s does not hold what it should, which is: %(format)s."),
                field=element.label,
                value=None if element.secret else text,
                format=element.format,
            )
