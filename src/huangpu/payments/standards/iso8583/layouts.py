"""Which elements each message type must and may have. The codec refuses by it; the documentation is printed from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from .elements import MAC, MAC_EXTENDED, label


@dataclass(frozen=True, slots=True)
class Layout:
    """`must` and `may` name elements; the rule when one of `may` stands is told by the kind of the message."""

    name: str
    must: frozenset[int]
    may: frozenset[int] = frozenset()
    mac: int | None = MAC  # None: as the kind of network message has it


_WHO = frozenset({11, 41, 42, 60})
_PAYMENT = _WHO | {3, 4, 12, 13, 25, 49}
_REQUEST = Layout("request", _PAYMENT | {22}, frozenset({2, 37, 38, 61}))
_REPLY = Layout("reply", _PAYMENT | {37, 39}, frozenset({38}))

LAYOUTS: dict[str, Layout] = {
    "0100": _REQUEST,
    "0110": _REPLY,
    "0200": _REQUEST,
    "0210": _REPLY,
    "0220": _REQUEST,
    "0230": _REPLY,
    "0320": Layout("batch upload", _WHO, frozenset({3, 4, 25, 37, 38, 48, 49, 61})),
    "0330": Layout("batch upload reply", _WHO | {39}),
    "0400": Layout("reversal", _PAYMENT | {39, 90}, mac=MAC_EXTENDED),
    "0410": Layout("reversal reply", _PAYMENT | {37, 39}),
    "0500": Layout("settlement", _WHO | {48, 49}),
    "0510": Layout("settlement reply", _WHO | {12, 13, 39, 48, 49}),
    "0800": Layout("network management", _WHO, frozenset({63}), mac=None),
    "0810": Layout("network management reply", _WHO | {12, 13, 39}, frozenset({62}), mac=None),
}


def layout_of(mti: str) -> Layout:
    """Refuses with `iso8583.message_type`."""
    if mti not in LAYOUTS:
        raise Invalid(
            "iso8583.message_type",
            _("“%(value)s” is no message type; a terminal sends one such as 0200."),
            field="message type",
            value=mti,
        )
    return LAYOUTS[mti]


def check_layout(mti: str, numbers: Collection[int]) -> None:
    """Refuses with `iso8583.element_missing` and `iso8583.element_unexpected`, by the element; MACs are not looked at."""
    layout = layout_of(mti)
    require(layout.must, numbers)
    forbid(set(numbers) - layout.must - layout.may - {MAC, MAC_EXTENDED}, numbers)


def require(wanted: Collection[int], numbers: Collection[int]) -> None:
    """Refuses with `iso8583.element_missing`."""
    for number in sorted(wanted):
        if number not in numbers:
            raise Invalid(
                "iso8583.element_missing",
                _("%(field)s is missing; this message needs it."),
                field=label(number),
            )


def forbid(unwanted: Collection[int], numbers: Collection[int]) -> None:
    """Refuses with `iso8583.element_unexpected`."""
    for number in sorted(unwanted):
        if number in numbers:
            raise Invalid(
                "iso8583.element_unexpected",
                _("%(field)s has no place in this message; leave it out."),
                field=label(number),
            )
