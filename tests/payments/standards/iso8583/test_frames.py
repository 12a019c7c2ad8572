"""Frames out of a stream, in whatever pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.errors import Invalid
from huangpu.payments.standards.iso8583.frames import FRAME_LENGTH_MAX, Deframer, Envelope, frame, opened

MESSAGES = st.lists(st.binary(min_size=10, max_size=80), max_size=6)
UNIONPAY = Envelope(bytes.fromhex("6000030001"), bytes.fromhex("602200000000"))


@given(MESSAGES, st.lists(st.integers(1, 40), max_size=30))
def test_the_pieces_do_not_matter(messages: list[bytes], sizes: list[int]) -> None:
    stream, deframer, found, start = b"".join(map(frame, messages)), Deframer(), [], 0
    for size in [*sizes, len(stream)]:
        found += deframer.feed(stream[start : start + size])
        start += size
    deframer.finish()
    assert found == messages


def test_byte_by_byte_and_all_at_once() -> None:
    messages = [bytes([place]) * 12 for place in range(1, 5)]
    stream = b"".join(map(frame, messages))
    assert Deframer().feed(stream) == messages
    deframer = Deframer()
    assert [one for byte in stream for one in deframer.feed(bytes([byte]))] == messages


@pytest.mark.parametrize("length", [0, 1, 9, FRAME_LENGTH_MAX + 1, 65535])
def test_a_length_that_cannot_be_loses_the_stream(length: int) -> None:
    good = frame(b"0" * 12)
    deframer = Deframer()
    assert deframer.feed(good + length.to_bytes(2, "big") + good) == [b"0" * 12]  # what came before is still given
    assert deframer.lost is not None
    for _again in range(2):
        with pytest.raises(Invalid) as refusal:
            deframer.feed(good)
        assert (refusal.value.code, refusal.value.value) == ("iso8583.frame_length", length)
    with pytest.raises(Invalid):
        Deframer().feed(length.to_bytes(2, "big"))


def test_a_stream_that_ends_within_a_frame() -> None:
    whole = frame(b"0" * 12)
    for length in range(1, len(whole)):
        deframer = Deframer()
        assert deframer.feed(whole[:length]) == []
        with pytest.raises(Invalid) as refusal:
            deframer.finish()
        assert refusal.value.code == "iso8583.frame_truncated"


@given(st.lists(st.binary(max_size=64), max_size=20))
def test_random_streams_are_cut_or_refused(pieces: list[bytes]) -> None:
    deframer = Deframer(length_max=40)
    kept = b""
    for piece in pieces:
        kept += piece
        try:
            frames = deframer.feed(piece)
        except Invalid:
            frames = []
        for one in frames:
            assert kept.startswith(len(one).to_bytes(2, "big") + one)
            kept = kept[2 + len(one) :]
        if deframer.lost is not None:
            assert deframer.lost.code == "iso8583.frame_length"
            assert deframer.lost.value == int.from_bytes(kept[:2], "big")
            break
        assert len(kept) < 2 + 40


def test_a_frame_that_is_too_long_is_not_made() -> None:
    assert len(frame(b"0" * 2048, UNIONPAY)) == 2 + FRAME_LENGTH_MAX
    for length in (9, FRAME_LENGTH_MAX + 1):
        with pytest.raises(Invalid) as refusal:
            frame(b"0" * length)
        assert refusal.value.code == "iso8583.frame_length"


def test_envelopes() -> None:
    published = bytes.fromhex(  # a sign-on with length, TPDU and header, as published by a UnionPay integrator
        "003C600003000060210000000008000020000000C00012000059313034303030363730303030303030303030303030303400110000000100"
        "300003303120"
    )
    (body,) = Deframer().feed(published)
    envelope, message = opened(body)
    assert envelope == Envelope(bytes.fromhex("6000030000"), bytes.fromhex("602100000000"))
    assert message[:2] == b"\x08\x00"
    assert frame(message, envelope) == published
    assert UNIONPAY.back() == Envelope(bytes.fromhex("6000010003"), UNIONPAY.header)
    for one in (Envelope(), Envelope(UNIONPAY.tpdu), UNIONPAY):
        assert opened(frame(message, one)[2:]) == (one, message)
        assert one.back().back() == one


@pytest.mark.parametrize(
    "parts", [(b"", UNIONPAY.header), (b"\x60", b""), (b"\0" * 5, b""), (UNIONPAY.tpdu, b"\x02" * 6)]
)
def test_envelopes_that_are_wrong(parts: tuple[bytes, bytes]) -> None:
    with pytest.raises(Invalid) as refusal:
        Envelope(*parts)
    assert refusal.value.code == "iso8583.envelope"


@given(st.binary(max_size=40))
def test_opening_random_bytes(body: bytes) -> None:
    long_enough = body[:1] < b"\x60" or body[:1] >= b"\x70" or len(body) >= 11
    if long_enough:
        envelope, message = opened(body)
        assert envelope.tpdu + envelope.header + message == body
        return
    try:
        envelope, message = opened(body)
    except Invalid as refusal:
        code = refusal.code
    else:
        code = "iso8583.envelope"
        assert envelope.tpdu + envelope.header + message == body
    assert code == "iso8583.envelope"
