"""Frames on a stream: two bytes of length, big-endian, then an envelope that may be empty, then a message.

The envelope, as UnionPay's terminals have it: a TPDU of five bytes (60, destination, source) and a header of six (application
type and version). A message begins with a type below 10 in BCD and an envelope with a byte of 60 to 6F, so that each is known
by its first byte. The MAC does not cover it: it is for the network, and nothing is decided by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from . import wire

PREFIX_LENGTH = 2
TPDU_LENGTH, HEADER_LENGTH = 5, 6
FRAME_LENGTH_MIN = wire.LENGTH_MIN
FRAME_LENGTH_MAX = wire.LENGTH_MAX + TPDU_LENGTH + HEADER_LENGTH


def _is_part(data: bytes, length: int) -> bool:
    return not data or (len(data) == length and data[0] >> 4 == 6)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands before a message. Both may be empty; a header without a TPDU is not known by its first byte, so there is
    none."""

    tpdu: bytes = b""
    header: bytes = b""

    def __post_init__(self) -> None:
        right = _is_part(self.tpdu, TPDU_LENGTH) and _is_part(self.header, HEADER_LENGTH)
        if not right or (self.header and not self.tpdu):
            raise Invalid(
                "iso8583.envelope",
                _("The envelope is wrong: five bytes of TPDU, then six of header, each beginning with 60 to 6F."),
                field="TPDU",
                value=(self.tpdu + self.header).hex().upper(),
            )

    def back(self) -> Envelope:
        """For the answer: destination and source change places."""
        return Envelope(self.tpdu[:1] + self.tpdu[3:5] + self.tpdu[1:3], self.header)


NO_ENVELOPE = Envelope()


def frame(message: bytes, envelope: Envelope = NO_ENVELOPE) -> bytes:
    """The bytes for the stream. Refuses with `iso8583.frame_length`."""
    body = envelope.tpdu + envelope.header + message
    _check_length(len(body), FRAME_LENGTH_MAX)
    return len(body).to_bytes(PREFIX_LENGTH, "big") + body


def opened(body: bytes) -> tuple[Envelope, bytes]:
    """The envelope and the message of a frame. Refuses with `iso8583.envelope` when the bytes end within it."""
    if body[:1] and body[0] >> 4 == 6:
        tpdu, rest = body[:TPDU_LENGTH], body[TPDU_LENGTH:]
        cut = HEADER_LENGTH if rest[:1] and rest[0] >> 4 == 6 else 0
        return Envelope(tpdu, rest[:cut]), rest[cut:]
    return NO_ENVELOPE, body


class Deframer:
    """Cuts a byte stream into frames, whatever pieces it comes in.

    A length that cannot be means that the stream is lost: what came before is still given, then `feed` refuses for ever with
    `iso8583.frame_length`, and the connection should be closed (`lost` tells at once). It keeps less than one frame.
    """

    def __init__(self, length_max: int = FRAME_LENGTH_MAX) -> None:
        self.length_max = length_max
        self.lost: Invalid | None = None
        self._kept = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, each with its envelope and without its length."""
        if self.lost is not None:
            raise self.lost
        stream, start, frames = self._kept + data, 0, []
        while len(stream) - start >= PREFIX_LENGTH:
            body = start + PREFIX_LENGTH
            length = int.from_bytes(stream[start:body], "big")
            try:
                _check_length(length, self.length_max)
            except Invalid as error:
                self.lost = error
                break
            if len(stream) < body + length:
                break
            frames.append(stream[body : body + length])
            start = body + length
        self._kept = b"" if self.lost else stream[start:]
        if self.lost is not None and not frames:
            raise self.lost
        return frames

    def finish(self) -> None:
        """At the end of the stream: refuses with `iso8583.frame_truncated` when it ends within a frame."""
        if self._kept:
            raise Invalid(
                "iso8583.frame_truncated",
                _("The stream ended within a frame, after %(value)s bytes of it."),
                field="frame",
                value=len(self._kept),
            )


def _check_length(length: int, length_max: int) -> None:
    if not FRAME_LENGTH_MIN <= length <= length_max:
        raise Invalid(
            "iso8583.frame_length",
            _("A frame says it has %(value)s bytes; it has at least %(least)s and at most %(most)s."),
            field="frame",
            value=length,
            least=FRAME_LENGTH_MIN,
            most=length_max,
        )
