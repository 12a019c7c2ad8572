"""The data objects of a merchant's code: two digits of id, two of length, the value. EMV QRCPS-MPM v1.1, chapter 3.

A length counts characters, not bytes: by section 3.2 «the number of characters included in the value field», and the
specification's own sample has `64200002ZH0104最佳运输0202北京`, which is 20 characters and 32 bytes. A character is a Unicode
code point. The checksum, on the other hand, is over the bytes of UTF-8.
"""

from __future__ import annotations

import binascii
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

SHOWN_MAX = 99  # characters of a wrong value that an error repeats
LENGTH_MAX = 99

NUMERIC, SPECIAL, STRING = "N", "ANS", "S"
DIGITS = frozenset("0123456789")
COMMON = frozenset(chr(point) for point in range(0x20, 0x7F))  # EMV Book 4, annex B


@dataclass(frozen=True, slots=True)
class Object:
    """A data object: `id` two digits, `value` 1 to 99 characters."""

    id: str
    value: str


@dataclass(frozen=True, slots=True)
class Format:
    """What a value may be: digits (N), printable ASCII (ANS) or any text (S), and how many characters."""

    kind: str
    shortest: int
    longest: int


def checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE (polynomial 1021, initial FFFF) of the text in UTF-8, as four capital hexadecimal digits.

    It sees every change of one ASCII character for another, and of any two neighbouring bytes; of one Chinese character for
    another all but the one whose three bytes differ by 01 10 21 (最 and 猡), which is the polynomial itself. A checksum is
    against damage, not against forgery.
    """
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def read(text: str, *, within: str = "") -> tuple[Object, ...]:
    """The objects a text consists of, in order. `within`: the path of the template it is the value of, for errors.

    Invalid: `emvco.id`, `emvco.length`, `emvco.duplicate`.
    """
    objects: list[Object] = []
    seen: set[str] = set()
    at = 0
    while at < len(text):
        id, length = text[at : at + 2], text[at + 2 : at + 4]
        if len(id) < 2 or not DIGITS.issuperset(id):
            raise Invalid(
                "emvco.id",
                _("“%(value)s” after %(place)s is not the id of a data object; it is two digits."),
                field=within or None,
                value=id,
                place=path(within, objects[-1].id) if objects else (within or "0"),
            )
        value = text[at + 4 : at + 4 + int(length)] if len(length) == 2 and DIGITS.issuperset(length) else ""
        if not value or len(value) < int(length):
            raise Invalid(
                "emvco.length",
                _(
                    "Data object %(field)s says it has “%(value)s” characters, of which %(left)s follow; write 01 to 99."
                ),
                field=path(within, id),
                value=length,
                left=max(len(text) - at - 4, 0),
            )
        if id in seen:
            raise Invalid(
                "emvco.duplicate",
                _("Data object %(field)s comes twice, again with “%(value)s”; it may come once."),
                field=path(within, id),
                value=shown(value),
            )
        seen.add(id)
        objects.append(Object(id, value))
        at += 4 + len(value)
    return tuple(objects)


def write(objects: Iterable[Object], *, within: str = "") -> str:
    """The text of objects in their order. Invalid: `emvco.id`, `emvco.length`."""
    return "".join(_written(one, within) for one in objects)


def _written(one: Object, within: str) -> str:
    if len(one.id) != 2 or not DIGITS.issuperset(one.id):
        raise Invalid(
            "emvco.id",
            _("“%(value)s” is not the id of a data object; it is two digits."),
            field=path(within, one.id),
            value=one.id,
        )
    if not 0 < len(one.value) <= LENGTH_MAX:
        raise Invalid(
            "emvco.length",
            _("Data object %(field)s has %(length)s characters, “%(value)s”; it has 1 to 99."),
            field=path(within, one.id),
            value=shown(one.value),
            length=len(one.value),
        )
    return f"{one.id}{len(one.value):02}{one.value}"


def check(one: Object, form: Format, *, within: str = "") -> str:
    """The value of an object, if it is of the format. Invalid: `emvco.format`."""
    value = one.value
    fits = {NUMERIC: DIGITS.issuperset, SPECIAL: COMMON.issuperset, STRING: is_text}[form.kind](value)
    if not fits or not form.shortest <= len(value) <= form.longest:
        raise Invalid(
            "emvco.format",
            _(
                "“%(value)s” in %(field)s does not fit: it takes %(shortest)s to %(longest)s characters of the kind "
                "%(kind)s (N: digits, ANS: printable ASCII, S: any text)."
            ),
            field=path(within, one.id),
            value=shown(value),
            shortest=form.shortest,
            longest=form.longest,
            kind=form.kind,
        )
    return value


def path(within: str, id: str) -> str:
    """How an error names an object: «62-05» is object 05 of template 62."""
    return f"{within}-{id}" if within else id


def shown(value: str) -> str:
    """As much of a wrong value as an error repeats, without what cannot be shown."""
    return "".join(one if is_text(one) else "\ufffd" for one in value[:SHOWN_MAX])


def is_text(value: str) -> bool:
    """No control character and no half of a surrogate pair, which UTF-8 could not write."""
    return not any(unicodedata.category(one) in ("Cc", "Cs") for one in value)
