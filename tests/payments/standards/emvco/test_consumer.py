"""A payer's code: other people's codes, ours, wrong and hostile ones."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.errors import Invalid
from huangpu.payments.standards.emvco.bertlv import Element, read, write
from huangpu.payments.standards.emvco.consumer import ConsumerCode, Data, ForIssuer, decode, encode
from huangpu.payments.standards.emvco.elements import Track2

from .vectors import CONSUMER_TRACK2, CONSUMER_TWO, CONSUMER_WRONG, CONSUMERS

TOKEN = "6292610358444335641"
WALLET = ConsumerCode(
    applications=(
        Data(
            aid=bytes.fromhex("A000000333010101"),
            label="HUANGPU",
            track2=Track2(TOKEN, "2912", "201", "0001"),
            sequence="00",
            token_requestor="40010030273",
            last_digits="5641",
            for_issuer=ForIssuer(
                cryptogram=bytes(range(8)),
                cryptogram_information=b"\x80",
                counter=258,
                unpredictable=b"\x00\x01\x02\x03",
            ),
        ),
    ),
    common=Data(languages="zhen", for_issuer=ForIssuer(counter=0)),
)


def text_of(*elements: tuple[str, bytes]) -> str:
    return base64.b64encode(write(Element(tag, value) for tag, value in elements)).decode()


def refusal(text: str) -> tuple[str, str | None, Any]:
    with pytest.raises(Invalid) as refused:
        decode(text)
    assert str(refused.value)
    return refused.value.code, refused.value.field, refused.value.value


@pytest.mark.parametrize("text", CONSUMERS.values(), ids=CONSUMERS)
def test_a_code_of_others_is_read_and_written_again_as_it_was(text: str) -> None:
    assert encode(decode(text)) == text


def test_the_specifications_samples() -> None:
    assert decode(CONSUMER_TRACK2) == ConsumerCode(
        applications=(
            Data(aid=bytes.fromhex("A0000000555555"), track2=Track2("1234567890123458", "1912", "201", "12345")),
        )
    )
    assert decode(CONSUMER_TWO) == ConsumerCode(
        applications=(
            Data(aid=bytes.fromhex("A0000000555555"), label="Product1"),
            Data(aid=bytes.fromhex("A0000000666666"), label="Product2"),
        ),
        common=Data(
            token="1234567890123458",
            holder="CARDHOLDER/EMV",
            languages="ruesdeen",
            for_issuer=ForIssuer(
                issuer_data=bytes.fromhex("06010A03000000"),
                cryptogram=bytes.fromhex("584FD385FA234BCC"),
                counter=1,
                unpredictable=bytes.fromhex("6D58EF13"),
            ),
        ),
    )


def test_what_others_say() -> None:
    [union_pay] = decode(CONSUMERS["UnionPay"]).applications
    assert union_pay.track2 == Track2(TOKEN, "2210", "201", "0000018801")
    assert union_pay.for_issuer is not None
    assert union_pay.for_issuer.cryptogram.hex() == "568b12d9da0bd97f"
    [qris] = decode(CONSUMERS["QRIS"]).applications
    assert (qris.token, qris.issuer_url, qris.last_digits) == ("9360044130123085100", "tel:085771878001", "5101")
    assert qris.for_issuer == ForIssuer(other=(Element("9F74", b"123456"),))


def test_our_own_code() -> None:
    text = encode(WALLET)
    assert base64.b64decode(text).hex().upper() == (
        "85054350563031"
        "6154"
        "4F08A000000333010101"
        "50074855414E475055"
        "57106292610358444335641D29122010001F"
        "5F340100"
        "9F1906040010030273"
        "9F25025641"
        "631B" + "9F26080001020304050607" + "9F270180" + "9F36020102" + "9F370400010203"
        "620E" + "5F2D047A68656E" + "6405" + "9F36020000"
    )
    assert decode(text) == WALLET


def test_a_changed_value_takes_the_place_of_the_old_one() -> None:
    code = decode(CONSUMER_TWO)
    first, second = code.applications
    changed = encode(replace(code, applications=(first, replace(second, label="Product3"))))
    assert base64.b64decode(changed) == base64.b64decode(CONSUMER_TWO).replace(b"Product2", b"Product3")
    assert encode(replace(code, common=None)) == text_of(
        *[(one.tag, one.value) for one in read(base64.b64decode(CONSUMER_TWO)) if one.tag != "62"]
    )


DIGITS = st.text(st.sampled_from("0123456789"), max_size=10)
NUMBER = st.text(st.sampled_from("0123456789"), min_size=8, max_size=19)
LABEL = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=2, max_size=16)
OTHER = st.lists(
    st.builds(Element, st.sampled_from(["C1", "C2", "9F53", "DF01", "7F21"]), st.binary(max_size=140)),
    max_size=1,
).map(tuple)
ISSUERS = st.builds(
    ForIssuer,
    cryptogram=st.sampled_from([b"", b"12345678"]),
    counter=st.none() | st.integers(0, 0xFFFF),
    issuer_data=st.binary(max_size=32),
    other=OTHER,
)
TRACKS = st.builds(
    lambda token, month, rest: Track2(token, f"29{month:02}", "201", rest[: 37 - 8 - len(token)]),
    NUMBER,
    st.integers(1, 12),
    DIGITS,
)
DATA = st.builds(
    Data,
    aid=st.binary(min_size=5, max_size=16),
    label=st.just("") | LABEL,
    holder=st.just("") | LABEL,
    track2=st.none() | TRACKS,
    token=st.just("") | NUMBER,
    token_requestor=st.sampled_from(["", "01234567890"]),
    for_issuer=st.none() | ISSUERS,
)
CODES = st.builds(
    ConsumerCode,
    applications=st.lists(DATA, min_size=1, max_size=1).map(tuple),
    common=st.none() | st.just(Data(label="x")),
)


@given(CODES)
def test_every_code_that_is_written_is_read_as_it_was(code: ConsumerCode) -> None:
    text = encode(code)
    assert decode(text) == code
    assert encode(decode(text)) == text


@given(
    st.lists(
        st.builds(Element, st.sampled_from(["4F", "61", "9F26", "9F10", "5F2D"]), st.binary(max_size=300)), max_size=4
    )
)
def test_elements_of_every_length(elements: list[Element]) -> None:
    assert read(write(elements)) == tuple(elements)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535])
def test_lengths_are_the_shortest(size: int) -> None:
    data = write([Element("C1", b"x" * size)])
    assert len(data) - size == (2 if size < 128 else 3 if size < 256 else 4)
    assert read(data) == (Element("C1", b"x" * size),)


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        ("00", None, "00"),
        ("9F", None, "9F"),
        ("9F8101", None, "9F81"),
        ("4F", "4F", ""),
        ("4F02A0", "4F", "2 > 1"),
        ("4F8101A0", "4F", "8101A0"),
        ("4F820001A0", "4F", "820001"),
        ("4F8300000100", "4F", "830000"),
        ("4F80", "4F", "80"),
        ("4F82FF", "4F", "82FF"),
        ("4F8201", "4F", "8201"),
        ("4F01A05F", None, "5F"),
    ],
)
def test_what_is_no_ber_tlv(data: str, field: str | None, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(bytes.fromhex(data))
    assert (refused.value.code, refused.value.field, refused.value.value) == ("emvco.ber", field, value)


@pytest.mark.parametrize(
    "one", [Element("4", b""), Element("4f", b""), Element("00", b""), Element("C1", b"x" * 65_536)]
)
def test_elements_that_cannot_be_written(one: Element) -> None:
    with pytest.raises(Invalid) as refused:
        write([one])
    assert refused.value.code == "emvco.ber"


FORMAT, AID = ("85", b"CPV01"), write([Element("4F", b"12345")])


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (CONSUMER_WRONG, ("emvco.ber", "61", "934F07")),
        ("", ("emvco.base64", None, 0)),
        ("最", ("emvco.base64", None, 1)),
        (CONSUMER_TRACK2.rstrip("="), ("emvco.base64", None, 47)),
        (CONSUMER_TRACK2 + "\n", ("emvco.base64", None, 49)),
        (CONSUMER_TRACK2[:-2] + "9=", ("emvco.base64", None, 48)),  # a stray bit
        ("A" * 513, ("emvco.too_long", None, 513)),
        (text_of(("61", AID), FORMAT), ("emvco.order", "85", "61")),
        (text_of(("85", b"CPV02"), ("61", AID)), ("emvco.value", "85", "CPV02")),
        (text_of(FORMAT), ("emvco.missing", "61", None)),
        (text_of(FORMAT, ("61", b"")), ("emvco.missing", "61-4F", None)),
        (text_of(FORMAT, ("61", AID), FORMAT), ("emvco.duplicate", "85", "5 B")),
        (text_of(FORMAT, ("61", AID), ("62", b""), ("62", b"")), ("emvco.duplicate", "62", "0 B")),
        (text_of(FORMAT, ("61", AID + AID)), ("emvco.duplicate", "61-4F", "5 B")),
        (text_of(FORMAT, ("61", b"\x4f\x041234")), ("emvco.element", "61-4F", "31323334")),
        (text_of(FORMAT, ("61", AID + b"\x50\x01\xe9")), ("emvco.element", "61-50", "E9")),
        (text_of(FORMAT, ("61", AID + b"\x5f\x2d\x03zhe")), ("emvco.element", "61-5F2D", "7A6865")),
        (text_of(FORMAT, ("61", AID + b"\x63\x04\x9f\x36\x02\x00")), ("emvco.ber", "61-63-9F36", "2 > 1")),
        (text_of(FORMAT, ("61", AID + b"\x63\x04\x9f\x36\x01\x00")), ("emvco.element", "61-63-9F36", "00")),
        (text_of(FORMAT, ("61", AID + b"\x9f\x19\x06" + b"\x11" * 6)), ("emvco.element", "61-9F19", "111111111111")),
        # Of a number no more than the last four digits.
        (text_of(FORMAT, ("61", AID + b"\x5a\x04\x12\x34\x5a\x78")), ("emvco.element", "61-5A", "…5a78")),
        (text_of(FORMAT, ("61", AID + b"\x57\x08" + b"\x12" * 8)), ("emvco.element", "61-57", "…1212")),
    ],
)
def test_what_is_wrong_is_named(text: str, refused: tuple[str, str | None, Any]) -> None:
    assert refusal(text) == refused


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aid": b"1234"}, "emvco.element"),
        ({"aid": b""}, "emvco.missing"),
        ({"label": "外滩"}, "emvco.element"),
        ({"label": "x" * 17}, "emvco.element"),
        ({"token": "123"}, "emvco.element"),
        ({"token": "١٢٣٤٥٦٧٨"}, "emvco.element"),
        ({"languages": "zhe"}, "emvco.element"),
        ({"last_digits": "123"}, "emvco.element"),
        ({"track2": Track2(TOKEN, "2913", "201")}, "emvco.element"),
        ({"track2": Track2(TOKEN, "2912", "20")}, "emvco.element"),
        ({"track2": Track2(TOKEN, "2912", "201", "0" * 30)}, "emvco.element"),
        ({"for_issuer": ForIssuer(counter=65_536)}, "emvco.element"),
        ({"for_issuer": ForIssuer(cryptogram=b"short")}, "emvco.element"),
        ({"for_issuer": ForIssuer(other=(Element("82", b"xx"),))}, "emvco.place"),
        ({"other": (Element("63", b""),)}, "emvco.place"),
        ({"other": (Element("4F", b"12345"),)}, "emvco.duplicate"),
        ({"other": (Element("C1", b"x" * 400),)}, "emvco.too_long"),
    ],
)
def test_what_is_not_written(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        encode(ConsumerCode(applications=(replace(Data(aid=b"12345"), **changes),)))
    assert refused.value.code == code
    assert TOKEN not in str(refused.value)


def test_a_token_is_not_for_logs() -> None:
    code = replace(WALLET, common=Data(token=TOKEN))
    assert TOKEN not in repr(code)
    assert "…5641" in repr(code)


@given(st.sampled_from(list(CONSUMERS.values())), st.data())
def test_any_bytes_are_read_or_refused(text: str, data: st.DataObject) -> None:
    changed = bytearray(base64.b64decode(text))
    for _change in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + 1] = data.draw(st.binary(max_size=2))
    text = base64.b64encode(changed).decode()
    try:
        code = decode(text)
    except Invalid as wrong:
        seen = wrong.code.startswith("emvco.") and bool(str(wrong))
    else:
        seen = encode(code) == text
    assert seen


@given(st.text(max_size=60))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(text)
    assert refused.value.code.startswith("emvco.")
