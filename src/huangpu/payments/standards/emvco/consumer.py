"""A code that a payer presents: EMV QRCPS-CPM v1.1, base64 of BER-TLV, between a text and a typed value.

A template 61 an application (a card, an account), the preferred first; 62 for what all have in common; in them 63 and 64 for
what goes to the issuer as it is, the cryptogram among it. We put tokens where a card number could stand and read either;
errors show no more of them than the last four digits.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from .bertlv import Element, read, write
from .elements import COMMON, DATA, FOR_ISSUER, ISSUER, Kind, Track2, element_of, value_of
from .place import in_place

FORMAT = b"CPV01"
TEXT_MAX = 512  # section 3.2: characters of base64


@dataclass(frozen=True, slots=True, kw_only=True)
class ForIssuer:
    """What the terminal hands on as it is (63 in an application, 64 in the common data): the cryptogram and what it was made
    of. Bytes, but the counter."""

    cryptogram: bytes = b""  # 9F26, eight
    cryptogram_information: bytes = b""  # 9F27, one
    issuer_data: bytes = b""  # 9F10, up to 32
    counter: int | None = None  # 9F36, below 65,536
    interchange_profile: bytes = b""  # 82, two
    unpredictable: bytes = b""  # 9F37, four
    other: tuple[Element, ...] = ()
    kept: tuple[Element, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What an application or all of them say. Texts are ASCII and "" when absent; `token` is a number of up to 19 digits that
    stands for the card (5A), `track2` the same as a stripe has it (57)."""

    aid: bytes = b""  # 4F, five to sixteen
    label: str = ""  # 50, up to 16 characters
    track2: Track2 | None = None  # 57
    token: str = field(default="", repr=False)  # 5A; nothing for a log
    sequence: str = ""  # 5F34, two digits
    holder: str = ""  # 5F20, two to 26 characters
    languages: str = ""  # 5F2D, one to four of two letters
    issuer_url: str = ""  # 5F50
    version: bytes = b""  # 9F08, two
    token_requestor: str = ""  # 9F19, eleven digits
    account_reference: str = ""  # 9F24, 29 characters
    last_digits: str = ""  # 9F25, four digits
    for_issuer: ForIssuer | None = None
    other: tuple[Element, ...] = ()
    kept: tuple[Element, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerCode:
    """How to be paid: `applications` in the payer's order of preference, each with its AID; `common` to all of them."""

    applications: tuple[Data, ...]
    common: Data | None = None
    other: tuple[Element, ...] = ()
    kept: tuple[Element, ...] = field(default=(), compare=False, repr=False)


def encode(code: ConsumerCode) -> str:
    """The text of a code. Invalid: whatever `decode` would refuse, and `emvco.place` when an element among the others has a
    tag that has a field of its own."""
    elements = [
        Element("85", FORMAT),
        *(Element("61", _data_bytes(one, "61")) for one in code.applications),
        *([] if code.common is None else [Element("62", _data_bytes(code.common, "62"))]),
        *code.other,
    ]
    text = base64.b64encode(write(in_place(code.kept, elements, _tag))).decode()
    if decode(text) != code:
        raise Invalid(
            "emvco.place",
            _("An element among the others has a tag that has a field of its own: %(value)s."),
            field=None,
            value=" ".join(one.tag for one in _others(code)),
        )
    return text


def decode(text: str) -> ConsumerCode:
    """A code from its text.

    Invalid: `emvco.too_long`, `emvco.base64`, `emvco.ber`, `emvco.order`, `emvco.value`, `emvco.duplicate`, `emvco.missing`,
    `emvco.element`. The field is the path of the tag, «61-9F26».
    """
    if len(text) > TEXT_MAX:
        raise Invalid(
            "emvco.too_long",
            _("The code has %(value)s bytes; it may have %(most)s."),
            field=None,
            value=len(text),
            most=TEXT_MAX,
        )
    elements = read(_bytes(text))
    if not elements or elements[0].tag != "85":
        raise Invalid(
            "emvco.order",
            _("A payer's code begins with 85, CPV01; this begins with %(value)s."),
            field="85",
            value=elements[0].tag if elements else "",
        )
    if elements[0].value != FORMAT:
        value = elements[0].value[:20].decode("ascii", "replace")
        raise Invalid(
            "emvco.value",
            _("“%(value)s” in %(field)s has no meaning; write %(allowed)s."),
            field="85",
            value=value,
            allowed=FORMAT.decode(),
        )
    _once([one for one in elements if one.tag in ("62", "85")], "")
    applications = tuple(_data(one.value, "61") for one in elements if one.tag == "61")
    if not applications or not all(one.aid for one in applications):
        missing = "61-4F" if applications else "61"
        raise Invalid("emvco.missing", _("Data object %(field)s is not there; it has to be."), field=missing)
    return ConsumerCode(
        applications=applications,
        common=next((_data(one.value, "62") for one in elements if one.tag == "62"), None),
        other=tuple(one for one in elements if one.tag not in ("61", "62", "85")),
        kept=elements,
    )


def _bytes(text: str) -> bytes:
    """Of base64 as it is written one way only: padded, no spaces, no stray bits. The text itself is not for an error."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise Invalid(
            "emvco.base64",
            _("The %(value)s characters are not base64; a payer's code is, with its padding and without spaces."),
            field=None,
            value=len(text),
        )
    return data


def _data(value: bytes, tag: str) -> Data:
    elements = read(value, within=tag)
    _once(elements, tag)
    inner = COMMON if tag == "62" else ISSUER
    known = {DATA[one.tag].name: value_of(one, DATA[one.tag], tag) for one in elements if one.tag in DATA}
    return Data(
        **known,
        for_issuer=next((_for_issuer(one.value, f"{tag}-{inner}") for one in elements if one.tag == inner), None),
        other=tuple(one for one in elements if one.tag not in DATA and one.tag != inner),
        kept=elements,
    )


def _for_issuer(value: bytes, within: str) -> ForIssuer:
    elements = read(value, within=within)
    _once(elements, within)
    known = {
        FOR_ISSUER[one.tag].name: value_of(one, FOR_ISSUER[one.tag], within)
        for one in elements
        if one.tag in FOR_ISSUER
    }
    return ForIssuer(**known, other=tuple(one for one in elements if one.tag not in FOR_ISSUER), kept=elements)


def _data_bytes(data: Data, tag: str) -> bytes:
    inner = COMMON if tag == "62" else ISSUER
    elements = [*_known(data, DATA, tag), *data.other]
    if data.for_issuer is not None:
        within = f"{tag}-{inner}"
        inside = [*_known(data.for_issuer, FOR_ISSUER, within), *data.for_issuer.other]
        elements.append(Element(inner, write(in_place(data.for_issuer.kept, inside, _tag))))
    return write(in_place(data.kept, elements, _tag))


def _known(values: Data | ForIssuer, kinds: dict[str, Kind], within: str) -> Iterable[Element]:
    for tag, kind in kinds.items():
        value = getattr(values, kind.name)
        if value not in (None, "", b""):
            yield element_of(value, tag, kind, within)


def _once(elements: Iterable[Element], within: str) -> None:
    seen: set[str] = set()
    for one in elements:
        if one.tag in seen:
            path = f"{within}-{one.tag}" if within else one.tag
            raise Invalid(
                "emvco.duplicate",
                _("Data object %(field)s comes twice, again with “%(value)s”; it may come once."),
                field=path,
                value=f"{len(one.value)} B",
            )
        seen.add(one.tag)


def _others(code: ConsumerCode) -> Iterable[Element]:
    every = [*code.applications, *([] if code.common is None else [code.common])]
    yield from code.other
    for data in every:
        yield from data.other
        if data.for_issuer is not None:
            yield from data.for_issuer.other


def _tag(one: Element) -> str:
    return one.tag
