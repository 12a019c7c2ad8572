"""Messages to bytes and back: `encode`, `decode`.

The order of `decode` is the protection: first the outline (message type and bitmaps), then the MAC over all before it, and
only then the elements; of these the card number becomes a token before anything else is read. Bytes that decode encode to the
same bytes again.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from . import reading, wire, writing
from .elements import MAC, MAC_EXTENDED, MAC_LENGTH, label
from .layouts import check_layout, layout_of, require
from .macs import MacKey
from .messages import Message, NetworkReply, NetworkRequest, Request
from .values import Card, check_pan, masked

Tokenise = Callable[[str], str]
"""From a card number to the token that stands for it; the same for the same number."""


def encode(message: Message, key: MacKey | None, *, pan: str | None = None) -> bytes:
    """The bytes of a message, sealed under `key`, without envelope and length (`frames`).

    `pan`: the number of the message's card, which only the terminal has at hand. Refuses with `iso8583.element_format`,
    `iso8583.pan`, `iso8583.card_missing` (a card without its number, or another's), `iso8583.mac_key_missing` and what the
    values refuse."""
    mti, elements = writing.written(message)
    if isinstance(message, Request) and message.card is not None:
        elements[2] = _number_of(message.card, pan)
    elif pan is not None:
        raise _other_card()
    elements = dict(sorted(elements.items()))
    check_layout(mti, elements)
    if not _sealed(message):
        return wire.pack(mti, elements)
    place = MAC_EXTENDED if max(elements) > MAC else MAC
    open_end = wire.pack(mti, elements | {place: "00" * MAC_LENGTH})[:-MAC_LENGTH]
    return open_end + _known(key).mac(open_end)


def decode(data: bytes, key: MacKey | None, *, tokenise: Tokenise) -> Message:
    """The message in `data` (bytes without envelope and length), when its MAC is right under `key`.

    `tokenise` is asked once, for a message with a card and after the MAC was found right; the number itself goes nowhere
    else. Refuses with `Invalid` and an `iso8583.…` code whose `field` names the element, never with anything else:
    `iso8583.mac` (wrong), `iso8583.mac_missing`, `iso8583.mac_key_missing`; see the documentation for all."""
    mti, numbers = wire.outline(data)
    layout = layout_of(mti)
    place = layout.mac or MAC
    if place in numbers:
        if not _known(key).verifies(data[:-MAC_LENGTH], data[-MAC_LENGTH:]):
            raise Invalid(
                "iso8583.mac",
                _("The message authentication code in %(field)s is wrong: nothing in the message is believed."),
                field=label(place),
            )
    elif layout.mac is not None:
        raise _unsealed(place)
    _mti, elements = wire.unpack(data)
    card = _card(elements.pop(2), tokenise) if 2 in elements else None
    check_layout(mti, elements)
    message = reading.read(mti, elements, card)
    if _sealed(message) is not (place in numbers):
        raise _unsealed(place)
    if {MAC, MAC_EXTENDED} & numbers - {place}:
        raise Invalid(
            "iso8583.element_unexpected",
            _("%(field)s has no place in this message; leave it out."),
            field=label(MAC_EXTENDED if place == MAC else MAC),
        )
    return message


def claimed_terminal(data: bytes) -> tuple[str, str]:
    """The terminal and the merchant that a message says it is from (DE 41, 42), to find the key with which `decode` proves
    it. Good for nothing else: anybody can write it. Refuses as `wire.unpack`, and with `iso8583.element_missing`."""
    _mti, elements = wire.unpack(data)
    require({41, 42}, elements)
    return elements[41], elements[42]


def _card(pan: str, tokenise: Tokenise) -> Card:
    return Card(tokenise(check_pan(pan)), masked(pan))


def _number_of(card: Card, pan: str | None) -> str:
    if pan is None or masked(check_pan(pan)) != card.masked:
        raise _other_card()
    return pan


def _other_card() -> Invalid:
    return Invalid(
        "iso8583.card_missing",
        _("The number of %(field)s is missing or another card's."),
        field="DE 2",
    )


def _sealed(message: Message) -> bool:
    return message.kind.sealed if isinstance(message, NetworkRequest | NetworkReply) else True


def _known(key: MacKey | None) -> MacKey:
    if key is None:
        raise Invalid(
            "iso8583.mac_key_missing",
            _("There is no session key: the terminal must sign on first."),
            field="key",
        )
    return key


def _unsealed(place: int) -> Invalid:
    return Invalid(
        "iso8583.mac_missing",
        _("%(field)s is missing, or stands where it may not: only a sign-on has no message authentication code."),
        field=label(place),
    )
