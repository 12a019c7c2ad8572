"""Messages to bytes and back: every kind, published messages, what is refused and that nothing else comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huangpu.core.errors import Invalid
from huangpu.core.money import Money, exponent
from huangpu.payments.standards.iso8583 import wire
from huangpu.payments.standards.iso8583.codec import claimed_terminal, decode, encode
from huangpu.payments.standards.iso8583.currencies import LETTERS, letters_of, number_of
from huangpu.payments.standards.iso8583.elements import SPECIFICATION
from huangpu.payments.standards.iso8583.macs import MacKey
from huangpu.payments.standards.iso8583.messages import Message, NetworkReply, NetworkRequest, Request
from huangpu.payments.standards.iso8583.values import (
    MEANINGS,
    Kind,
    LocalTime,
    NetworkKind,
    ResponseCode,
    Totals,
    check_pan,
    masked,
)

from .samples import (
    AES_KEY,
    LOCAL,
    ORIGINAL,
    PAN,
    PAN_19,
    TDES_KEY,
    WHO,
    card,
    others,
    requests,
    tokenise,
)

EVERY: list[Message] = [*requests(), *others()]
SALE = requests()[0]


def pan_of(message: Message) -> str | None:
    return PAN if isinstance(message, Request) and message.card else None


def refused(data: bytes, key: MacKey | None = TDES_KEY) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        decode(data, key, tokenise=tokenise)
    assert refusal.value.code.startswith("iso8583.")
    assert str(refusal.value)
    return refusal.value


def sealed(mti: str, elements: dict[int, str], key: MacKey = TDES_KEY) -> bytes:
    """Elements sealed as `encode` would, whatever they are."""
    place = 128 if max(elements) > 64 else 64
    data = wire.pack(mti, dict(sorted({**elements, place: "00" * 8}.items())))[:-8]
    return data + key.mac(data)


def elements_of(message: Message) -> dict[int, str]:
    elements = wire.unpack(encode(message, TDES_KEY, pan=pan_of(message)))[1]
    return {number: text for number, text in elements.items() if number not in (64, 128)}


# There and back


@pytest.mark.parametrize("key", [TDES_KEY, AES_KEY], ids=["X9.19", "CMAC"])
@pytest.mark.parametrize("message", EVERY, ids=lambda message: f"{type(message).__name__}-{message.stan}")
def test_a_message_comes_back_as_it_went(message: Message, key: MacKey) -> None:
    data = encode(message, key, pan=pan_of(message))
    assert decode(data, key, tokenise=tokenise) == message
    assert claimed_terminal(data) == (WHO["terminal"], WHO["merchant"])


@pytest.mark.parametrize("pan", [PAN, PAN_19, "4222222222222"])
def test_a_card_number_of_odd_and_even_length(pan: str) -> None:
    message = replace(SALE, card=card(pan))
    assert decode(encode(message, TDES_KEY, pan=pan), TDES_KEY, tokenise=tokenise) == message


def test_a_sale_byte_by_byte() -> None:
    """Written out by hand from the table: type, bitmap, elements in BCD and ASCII; the MAC is over all of it."""
    expected = bytes.fromhex(
        "0200"
        "7038048000C08011"  # 2 3 4 11 12 13 22 25 41 42 49 60 64
        "166200000000000005"
        "000000"
        "000000012345"
        "000100"
        "235958"
        "0229"
        "0510"  # three digits, filled up at the right
        "00"
        "5430303030303031"
        "333130303030303438313430303031"
        "313536"
        "0011220000070000"  # eleven digits: 22 000007 000
    )
    data = encode(SALE, TDES_KEY, pan=PAN)
    assert data[:-8] == expected
    assert data[-8:] == TDES_KEY.mac(expected)


def test_published_sign_on_messages() -> None:
    """Sign-ons of UnionPay terminals as published: the example in the README of the npm package jspos, and one of a
    collection of 8583 samples. They are read, and written the same."""
    jspos = "08000020000000C00012000105303030303037363438343831303030353831323630303200110000000100300003303031"
    message = decode(bytes.fromhex(jspos), None, tokenise=tokenise)
    assert message == NetworkRequest(
        kind=NetworkKind.SIGN_ON,
        stan=105,
        terminal="00000764",
        merchant="848100058126002",
        batch=1,
        operator="001",
    )
    assert encode(message, None).hex().upper() == jspos

    other = "08000020000000C000120012473538443031313135383837353844303438313635353535001100000001003000023031"
    message = decode(bytes.fromhex(other), None, tokenise=tokenise)
    assert isinstance(message, NetworkRequest)
    assert (message.stan, message.terminal, message.operator) == (1247, "58D01115", "01")
    assert encode(message, None).hex().upper() == other


def test_a_published_answer_to_a_sign_on() -> None:
    """0810 with the acquirer in DE 32 and three keys in DE 62: the elements are read; of the messages it is none of ours."""
    published = bytes.fromhex(
        "0810003800010AC00014000086132805041808000945003138303431383133323830353030333239303132343033323930313234303030"
        "3030303031001100000001005001045065A84226DD429258F81675C5E9D77239F98870683517B8F96E2D87B5BCB3386662CED50EC5CD14"
        "680EC351F93428F39A283A3F42962FC81050CC3D25F27069D7AF252B6AD444FCBBA9CC0E8B95DF0C85DBCD9526931E6A96C040C794988D"
        "9BCC57E773B05AD52B"
    )
    mti, elements = wire.unpack(published)
    assert mti == "0810"
    assert {number: elements[number] for number in (11, 12, 13, 32, 37, 39, 41, 42, 60)} == {
        11: "000086", 12: "132805", 13: "0418", 32: "00094500", 37: "180418132805", 39: "00", 41: "32901240",
        42: "329012400000001", 60: "00000001005",
    }  # fmt: skip
    assert len(elements[62]) == 2 * 104
    assert wire.pack(mti, elements) == published
    assert (refused(published).code, refused(published).field) == ("iso8583.element_unexpected", "DE 32")


def test_the_library_reads_our_specification() -> None:
    """`pyiso8583` alone finds the same in our bytes."""
    decoded, encoded = iso8583.decode(encode(SALE, TDES_KEY, pan=PAN), SPECIFICATION)
    assert (decoded["2"], decoded["22"], decoded["60"], decoded["49"]) == (PAN, "051", "22000007000", "156")
    assert encoded["2"] == {"len": b"\x16", "data": bytes.fromhex(PAN)}


# The card


def test_the_number_of_a_card_stays_nowhere() -> None:
    seen: list[str] = []

    def once(pan: str) -> str:
        seen.append(pan)
        return "token"

    message = decode(encode(SALE, TDES_KEY, pan=PAN), TDES_KEY, tokenise=once)
    assert seen == [PAN]
    assert isinstance(message, Request)
    assert message.card is not None
    assert (message.card.token, message.card.masked) == ("token", "620000******0005")
    assert PAN not in repr(message)


def test_the_number_is_not_told_to_the_tokeniser_before_the_mac_is_right() -> None:
    data = encode(SALE, TDES_KEY, pan=PAN)
    with pytest.raises(Invalid) as refusal:
        decode(data, AES_KEY, tokenise=lambda pan: pytest.fail(pan))
    assert refusal.value.code == "iso8583.mac"


@pytest.mark.parametrize("pan", ["6200000000000006", "620000000000", "4111111111111112"])
def test_a_number_that_does_not_prove_itself(pan: str) -> None:
    error = refused(sealed("0200", elements_of(SALE) | {2: pan}))
    assert (error.code, error.field) == ("iso8583.pan", "DE 2")
    chain: BaseException | None = error
    while chain is not None:
        assert pan not in f"{chain!r} {chain} {vars(chain)}"
        chain = chain.__cause__ or chain.__context__


def test_a_broken_number_is_not_shown() -> None:
    data = encode(SALE, TDES_KEY, pan=PAN).replace(bytes.fromhex(PAN), bytes.fromhex(PAN[:-4] + "000F"))[:-8]
    error = refused(data + TDES_KEY.mac(data))
    assert (error.code, error.field, error.value) == ("iso8583.element_format", "DE 2", None)
    assert error.__context__ is None


@given(st.from_regex(r"[0-9]{12,18}", fullmatch=True), st.integers(0, 17), st.integers(1, 9))
def test_luhn_finds_every_single_wrong_digit(body: str, place: int, by: int) -> None:
    good = next(body + str(last) for last in range(10) if _passes(body + str(last)))
    place %= len(good)
    wrong = good[:place] + str((int(good[place]) + by) % 10) + good[place + 1 :]
    assert not _passes(wrong)
    assert masked(good)[6:-4] == "*" * (len(good) - 10)


def _passes(pan: str) -> bool:
    try:
        check_pan(pan)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("pan", [None, "6200000000000006", PAN_19])
def test_encoding_needs_the_number_of_that_card(pan: str | None) -> None:
    with pytest.raises(Invalid) as refusal:
        encode(SALE, TDES_KEY, pan=pan)
    assert refusal.value.field == "DE 2"
    with pytest.raises(Invalid):
        encode(replace(SALE, kind=Kind.VOID, card=None, original=ORIGINAL), TDES_KEY, pan=PAN)


# The MAC


@pytest.mark.parametrize("key", [TDES_KEY, AES_KEY], ids=["X9.19", "CMAC"])
def test_no_bit_can_be_changed(key: MacKey) -> None:
    data = encode(SALE, key, pan=PAN)
    for place in range(8 * len(data)):
        changed = bytearray(data)
        changed[place // 8] ^= 128 >> place % 8
        assert refused(bytes(changed), key).code.startswith("iso8583.")
        if place >= 80:  # behind the bitmap it is always the MAC that refuses
            assert refused(bytes(changed), key).code == "iso8583.mac"


def test_a_message_without_a_mac_is_refused() -> None:
    for message in EVERY:
        if isinstance(message, NetworkRequest | NetworkReply):
            continue
        mti, elements = wire.unpack(encode(message, TDES_KEY, pan=pan_of(message)))
        bare = wire.pack(mti, {number: text for number, text in elements.items() if number not in (64, 128)})
        assert refused(bare).code == "iso8583.mac_missing"


def test_only_a_sign_on_has_no_mac() -> None:
    for kind in NetworkKind:
        message = NetworkRequest(**WHO, kind=kind, stan=1, batch=0)
        if kind is NetworkKind.SIGN_ON:
            data = encode(message, None)
            assert decode(data, TDES_KEY, tokenise=tokenise) == message
            assert refused(sealed(*wire.unpack(data))).code == "iso8583.mac_missing"
        else:
            with pytest.raises(Invalid) as refusal:
                encode(message, None)
            assert refusal.value.code == "iso8583.mac_key_missing"
            data = encode(message, TDES_KEY)
            assert refused(data, None).code == "iso8583.mac_key_missing"
            mti, elements = wire.unpack(data)
            del elements[64]
            assert refused(wire.pack(mti, elements)).code == "iso8583.mac_missing"


def test_the_mac_stands_at_the_end_and_once() -> None:
    reversal = next(message for message in EVERY if type(message).__name__ == "Reversal")
    elements = elements_of(reversal)
    error = refused(sealed("0400", elements | {64: "00" * 8}))
    assert (error.code, error.field) == ("iso8583.element_unexpected", "DE 64")
    del elements[90]
    assert refused(sealed("0400", elements)).code == "iso8583.mac_missing"  # DE 64 is not where a reversal has it


# What is refused


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({4: "000000000000"}, "iso8583.amount", "DE 4"),
        ({11: "000000"}, "iso8583.stan", "DE 11"),
        ({12: "240000"}, "iso8583.time", "DE 12"),
        ({13: "0230"}, "iso8583.time", "DE 12"),
        ({49: "999"}, "iso8583.currency", "DE 49"),
        ({49: "104"}, "iso8583.currency", "DE 49"),  # MMK: two decimals in ISO 4217, none in CLDR
        ({3: "999999"}, "iso8583.transaction", "DE 3"),
        ({25: "06"}, "iso8583.transaction", "DE 3"),
        ({60: "23000007000"}, "iso8583.transaction", "DE 3"),
        ({60: "220000070"}, "iso8583.network_code", "DE 60"),
        ({60: "22000007001"}, "iso8583.network_code", "DE 60"),
        ({37: "601500000001"}, "iso8583.element_unexpected", "DE 37"),
        ({39: "00"}, "iso8583.element_unexpected", "DE 39"),
        ({35: "6200000000000005D2512"}, "iso8583.element_unexpected", "DE 35"),
        ({52: "0011223344556677"}, "iso8583.element_unexpected", "DE 52"),
        ({2: None}, "iso8583.card_missing", "DE 2"),
        *(({number: None}, "iso8583.element_missing", f"DE {number}") for number in (3, 4, 11, 12, 13, 22, 25, 41, 60)),
    ],
)
def test_a_sale_that_is_wrong(changes: dict[int, str | None], code: str, field: str) -> None:
    elements = {number: text for number, text in (elements_of(SALE) | changes).items() if text is not None}
    error = refused(sealed("0200", elements))
    assert (error.code, error.field) == (code, field)


def test_other_messages_that_are_wrong() -> None:
    by_name = {type(message).__name__: message for message in reversed(EVERY)}
    cases: list[tuple[str, str, dict[int, str | None], str, str]] = [
        ("Reply", "0210", {39: "zz"}, "iso8583.code_unknown", "DE 39"),
        ("Reversal", "0400", {90: "0220" + "0" * 38}, "iso8583.transaction", "DE 3"),
        ("Reversal", "0400", {90: "0200000001" + "0101000000" + "1" * 22}, "iso8583.original", "DE 90"),
        ("Reversal", "0400", {90: "0200000000" + "0101000000" + "0" * 22}, "iso8583.stan", "DE 90"),
        ("Reversal", "0400", {39: "00"}, "iso8583.code_unknown", "DE 39"),
        ("Settlement", "0500", {48: "0" * 30 + "1"}, "iso8583.totals", "DE 48"),
        ("Settlement", "0500", {48: "0" * 30}, "iso8583.totals", "DE 48"),
        ("SettlementReply", "0510", {48: "0" * 31}, "iso8583.totals", "DE 48"),
        ("SettlementReply", "0510", {48: "0" * 30 + "7"}, "iso8583.code_unknown", "DE 48"),
        ("BatchUploadEnd", "0320", {48: "12"}, "iso8583.totals", "DE 48"),
        ("BatchUploadEnd", "0320", {48: "9999"}, "iso8583.totals", "DE 48"),
        ("BatchUploadEnd", "0320", {4: "000000000001"}, "iso8583.element_unexpected", "DE 4"),
        ("BatchUpload", "0320", {61: "0000080000411231"}, "iso8583.original", "DE 61"),
        ("BatchUpload", "0320", {61: "0000070000411332"}, "iso8583.time", "DE 12"),
        ("BatchUpload", "0320", {61: None}, "iso8583.element_missing", "DE 61"),
        ("BatchUploadReply", "0330", {60: "22000007201"}, "iso8583.network_code", "DE 60"),
    ]
    for name, mti, changes, code, field in cases:
        elements = {n: text for n, text in (elements_of(by_name[name]) | changes).items() if text is not None}
        error = refused(sealed(mti, elements))
        assert (error.code, error.field) == (code, field), (name, changes)


def test_a_void_names_its_original() -> None:
    void = replace(SALE, kind=Kind.VOID, card=None, original=ORIGINAL)
    for number in (37, 61):
        elements = elements_of(void)
        del elements[number]
        assert refused(sealed("0200", elements)).field == f"DE {number}"
    with pytest.raises(Invalid):
        replace(void, original=None)
    with pytest.raises(Invalid):
        replace(SALE, original=ORIGINAL)


def test_the_key_has_its_place() -> None:
    reply = next(one for one in others() if isinstance(one, NetworkReply) and one.kind is NetworkKind.ECHO)
    data = encode(reply, TDES_KEY)
    mti, elements = wire.unpack(data)
    del elements[64]
    assert refused(sealed(mti, elements | {62: "00" * 24})).code == "iso8583.key_place"
    with pytest.raises(Invalid):
        replace(reply, wrapped_key=b"1")
    with pytest.raises(Invalid):
        replace(reply, kind=NetworkKind.SIGN_ON)


@pytest.mark.parametrize(
    "message",
    [
        lambda: replace(SALE, stan=0),
        lambda: replace(SALE, stan=1_000_000),
        lambda: replace(SALE, batch=-1),
        lambda: replace(SALE, batch=1_000_000),
        lambda: replace(SALE, amount=Money(0, "CNY")),
        lambda: replace(SALE, amount=Money(10**12, "CNY")),
        lambda: replace(SALE, amount=Money(1, "XAU")),
        lambda: replace(SALE, terminal="short"),
        lambda: replace(SALE, merchant="黄浦黄浦黄浦黄浦黄浦黄浦黄浦黄"),
        lambda: replace(SALE, entry="5"),
        lambda: replace(SALE, entry="０５１"),
        lambda: replace(requests()[1], original=replace(ORIGINAL, rrn="1")),
        lambda: replace(requests()[1], original=replace(ORIGINAL, month=13)),
        lambda: replace(requests()[1], original=replace(ORIGINAL, stan=10**6)),
        lambda: NetworkRequest(**WHO, kind=NetworkKind.SIGN_ON, stan=1, batch=1, operator=""),
    ],
)
def test_what_cannot_be_written_is_refused(message: object) -> None:
    assert callable(message)

    def made_and_written() -> None:
        made = message()
        encode(made, TDES_KEY, pan=pan_of(made))

    with pytest.raises(Invalid) as refusal:
        made_and_written()
    assert refusal.value.code.startswith("iso8583.")


def test_totals_have_room_for_three_digits() -> None:
    for wrong in ({"debit_count": 1000}, {"credit_count": -1}, {"debit_amount": 10**12}):
        with pytest.raises(Invalid) as refusal:
            Totals("CNY", **wrong)
        assert refusal.value.code == "iso8583.totals"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "iso8583.length"),
        ("020000000000000000", "iso8583.length"),
        ("02" * 2049, "iso8583.length"),
        ("02F00000000000000000", "iso8583.message_type"),
        ("99990000000000000000", "iso8583.message_type"),
        ("02008000000000000000", "iso8583.bitmap"),
        ("020080000000000000000000000000000000", "iso8583.bitmap"),
        ("02000800000000000001" + "00" * 20, "iso8583.element_unknown"),
        ("0200800000000000000180000000000000000000000000000000", "iso8583.element_unknown"),  # a third bitmap
    ],
)
def test_no_messages_at_all(data: str, code: str) -> None:
    assert refused(bytes.fromhex(data)).code == code


def test_a_truncated_message() -> None:
    data = encode(SALE, TDES_KEY, pan=PAN)
    for length in range(len(data)):
        assert refused(data[:length]).code in ("iso8583.length", "iso8583.mac")
        open_end = data[: max(length - 8, 10)]
        error = refused(open_end + TDES_KEY.mac(open_end))  # even by somebody who has the key
        assert error.code in ("iso8583.element_malformed", "iso8583.element_format")
    longer = data[:-8] + b"\0"
    assert refused(longer + TDES_KEY.mac(longer)).code == "iso8583.element_malformed"


# Nothing else comes out


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_by_name(data: bytes) -> None:
    refused(data)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_sealed_nonsense_is_refused_or_is_a_message(data: st.DataObject) -> None:
    """Changed messages with a right MAC reach the elements: what is read is written again to the same bytes."""
    message = data.draw(st.sampled_from(EVERY))
    good = bytearray(encode(message, TDES_KEY, pan=pan_of(message)))
    for _change in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(good) - 1))
        how = data.draw(st.sampled_from(["byte", "bit", "cut", "grow"]))
        if how == "byte":
            good[place] = data.draw(st.integers(0, 255))
        elif how == "bit":
            good[place] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "cut" and len(good) > 20:
            del good[place : place + data.draw(st.integers(1, 3))]
        else:
            good[place:place] = data.draw(st.binary(max_size=3))
    open_end = bytes(good[:-8])
    changed = open_end + TDES_KEY.mac(open_end)
    pans: list[str] = []

    def noting(pan: str) -> str:
        pans.append(pan)
        return tokenise(pan)

    try:
        read = decode(changed, TDES_KEY, tokenise=noting)
    except Invalid as refusal:
        error: Invalid | None = refusal
    else:
        error = None
        assert encode(read, TDES_KEY, pan=pans[0] if pans else None) == changed
    if error is not None:
        assert error.code.startswith("iso8583.")
        assert str(error)
        assert error.field


# Values


def test_a_time_without_a_year_is_the_nearest() -> None:
    near = datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert LocalTime(12, 31, 23, 59, 59).instant(near) == datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC)
    assert LocalTime(1, 1, 12, 0, 0).instant(near) == datetime(2026, 1, 1, 4, tzinfo=UTC)
    assert LocalTime(1, 1, 0, 0, 0).instant(datetime(2025, 12, 31, tzinfo=UTC)) == datetime(
        2025, 12, 31, 16, tzinfo=UTC
    )
    assert LOCAL.instant(datetime(2024, 3, 1, tzinfo=UTC)) == datetime(2024, 2, 29, 15, 59, 58, tzinfo=UTC)
    with pytest.raises(Invalid):
        LOCAL.instant(datetime(2026, 3, 1, tzinfo=UTC))
    assert LocalTime.of(datetime(2025, 12, 31, 15, 59, 59, 999, tzinfo=UTC)) == LocalTime(12, 31, 23, 59, 59)


def test_every_response_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ResponseCode)
    assert len({str(meaning) for meaning in MEANINGS.values()}) == len(ResponseCode)
    assert [code for code in ResponseCode if code.approved] == [ResponseCode.APPROVED]


def test_currencies_count_minor_units_as_iso_4217() -> None:
    """Its exponents, where they are not 2, against those that money here is kept by."""
    none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
    decimals = {**dict.fromkeys(none.split(), 0), "CLF": 4, "UYW": 4}
    decimals |= dict.fromkeys(("BHD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    for number, letters in LETTERS.items():
        assert exponent(letters) == decimals.get(letters, 2), letters
        assert (letters_of(number), number_of(letters)) == (letters, number)
    assert (number_of("CNY"), number_of("USD"), number_of("JPY")) == ("156", "840", "392")
