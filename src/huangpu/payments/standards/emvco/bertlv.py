"""BER-TLV as a payer's code has it: EMV Book 3, annex B. A tag of one or two bytes, a length of one to three, the value.

What is inside a template is read by who knows the template: an unknown one stays bytes. Lengths are the shortest possible, so
that what is read can be written again from the value alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

LENGTH_MAX = 0xFFFF


@dataclass(frozen=True, slots=True)
class Element:
    """`tag` as two or four capital hexadecimal digits («9F26»), `value` its bytes, which may be none."""

    tag: str
    value: bytes


def read(data: bytes, *, within: str = "") -> tuple[Element, ...]:
    """The elements the bytes consist of. `within`: the template they are the value of, for errors. Invalid: `emvco.ber`."""
    elements: list[Element] = []
    at = 0
    while at < len(data):
        size = 2 if data[at] & 0x1F == 0x1F else 1
        tag = data[at : at + size]
        if not is_tag(tag):
            raise _wrong(tag.hex().upper(), within)
        name = f"{within}-{tag.hex().upper()}" if within else tag.hex().upper()
        start, length = _length(data, at + size, name)
        if start + length > len(data):
            raise _wrong(f"{length} > {len(data) - start}", name)
        elements.append(Element(tag.hex().upper(), data[start : start + length]))
        at = start + length
    return tuple(elements)


def write(elements: Iterable[Element]) -> bytes:
    """The bytes of elements in their order. Invalid: `emvco.ber` for a tag or a length that cannot be."""
    return b"".join(_written(one) for one in elements)


def is_tag(tag: bytes) -> bool:
    """Whether bytes are a tag of EMV: one byte, or two when the first says that another follows and the second that none
    does. 00 is padding and no tag. (EMV's own 9F10 shows that the second may be less than ISO 8825 allows.)"""
    if len(tag) == 1:
        return tag[0] != 0 and tag[0] & 0x1F != 0x1F
    return len(tag) == 2 and tag[0] & 0x1F == 0x1F and tag[1] < 0x80


def _length(data: bytes, at: int, name: str) -> tuple[int, int]:
    """Where the value begins, and how many bytes it has."""
    if at >= len(data):
        raise _wrong("", name)
    first = data[at]
    if first < 0x80:
        return at + 1, first
    size = first - 0x80
    length = int.from_bytes(data[at + 1 : at + 1 + size])
    shortest = {1: 0x80, 2: 0x100}.get(size)
    if shortest is None or length < shortest or at + 1 + size > len(data):
        raise _wrong(data[at : at + 3].hex().upper(), name)
    return at + 1 + size, length


def _written(one: Element) -> bytes:
    try:
        tag = bytes.fromhex(one.tag)
    except ValueError:
        tag = b""
    if not is_tag(tag) or tag.hex().upper() != one.tag or len(one.value) > LENGTH_MAX:
        raise _wrong(f"{len(one.value)}", one.tag)
    size = len(one.value)
    if size < 0x80:
        length = bytes([size])
    elif size < 0x100:
        length = bytes([0x81, size])
    else:
        length = b"\x82" + size.to_bytes(2)
    return tag + length + one.value


def _wrong(value: str, name: str) -> Invalid:
    return Invalid(
        "emvco.ber",
        _("“%(value)s” in %(field)s is not BER-TLV: a tag of one or two bytes, the shortest length, as many bytes."),
        field=name or None,
        value=value,
    )
