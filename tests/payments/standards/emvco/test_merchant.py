"""A merchant's code: other people's codes, ours, wrong ones, damaged ones."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.errors import Invalid
from huangpu.payments.standards.currencies import NUMBERS
from huangpu.payments.standards.emvco.merchant import CAPACITY, PERSON, MerchantCode, decode, encode
from huangpu.payments.standards.emvco.parts import ASK, AdditionalData, LocalName, Template, Tip, UnionPay
from huangpu.payments.standards.emvco.tlv import Object, checksum

from .vectors import MERCHANTS, PERSONS, SINGAPORE_MANY, SPECIFICATION, WRONG

SHOP = MerchantCode(
    accounts=(
        Template.of("26", "org.example.pay", [("01", "wallet-7")]),
        UnionPay("26470344", "26470344", "1" * 15).object(),
    ),
    currency="CNY",
    country="CN",
    mcc="5411",
    name="BUND GROCERY",
    city="SHANGHAI",
    amount=1_250,
    dynamic=True,
    postal_code="200002",
    additional=AdditionalData(bill_number="2026-000123", terminal="T1", customer=ASK, request="M"),
    local=LocalName(language="ZH", name="外滩杂货店", city="上海"),
)


def sealed(text: str) -> str:
    """The text with the checksum it would need: what lies behind the checksum is tried, too."""
    return text[:-4] + checksum(text[:-4])


def refusal(text: str, **options: Any) -> tuple[str, str | None, Any]:
    with pytest.raises(Invalid) as refused:
        decode(text, **options)
    assert str(refused.value)
    return refused.value.code, refused.value.field, refused.value.value


# Other people's codes


@pytest.mark.parametrize("text", MERCHANTS.values(), ids=MERCHANTS)
def test_a_code_of_others_is_read_and_written_again_as_it_was(text: str) -> None:
    assert encode(decode(text), bytes_max=CAPACITY) == text


@pytest.mark.parametrize("text", PERSONS.values(), ids=PERSONS)
def test_a_code_between_persons_lacks_what_its_scheme_leaves_out(text: str) -> None:
    assert encode(decode(text, may_lack=PERSON), may_lack=PERSON) == text
    assert refusal(text)[:2] == ("emvco.missing", "52")


@pytest.mark.parametrize(("code", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_code_of_others_is_refused(code: str, text: str) -> None:
    assert refusal(text, may_lack=PERSON)[0] == code


def test_the_specifications_sample_says_what_the_specification_says() -> None:
    code = decode(SPECIFICATION)
    assert code == MerchantCode(
        accounts=(
            Template.of("29", "D15600000000", [("05", "A93FO3230Q")]),
            Template.of("31", "D15600000001", [("03", "12345678")]),
        ),
        currency="CNY",
        country="CN",
        mcc="4111",
        name="BEST TRANSPORT",
        city="BEIJING",
        amount=2_372,
        dynamic=True,
        tip=Tip(),
        additional=AdditionalData(store="1234", customer=ASK, terminal="A6008667", request="ME"),
        local=LocalName(language="ZH", name="最佳运输", city="北京"),
        templates=(Template.of("91", "A011223344998877", [("07", "12345678")]),),
    )


def test_what_schemes_say() -> None:
    pix = decode(MERCHANTS["Pix, manual of the Banco Central do Brasil"])
    assert (pix.dynamic, pix.amount, pix.currency) == (None, None, "BRL")
    account = pix.account("BR.GOV.BCB.PIX")
    assert account is not None
    assert account.value("01") == "123e4567-e12b-12d1-a456-426655440000"
    assert pix.account("org.example.pay") is None
    bharat = decode(MERCHANTS["Bharat QR with UPI, dynamic"])
    assert (bharat.amount, bharat.currency, bharat.accounts[0]) == (110, "INR", Object("02", "4392630000000085"))
    bill = decode(MERCHANTS["QR Ph, a bill with two templates"])
    assert bill.amount == 39_080  # written 390.8
    assert bill.additional is not None
    assert bill.additional.templates[0].guid == "com.paymaya.billspay"
    assert decode(PERSONS["VietQR"], may_lack=PERSON).amount == 120_000  # the dong has no smaller unit


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("SGQR, many", UnionPay("25000344", "00010344", "500034453110001")),
        ("FPS with UnionPay", UnionPay("47980344", "47980344", "598034493990063")),
        ("BC Card, Korea, with UnionPay", UnionPay("26000410", "26000410", "711958120000000")),
        ("Lao QR", UnionPay("27380418", "00520446", "mch19B73F61B9E0")),
    ],
)
def test_unionpays_accounts(name: str, account: UnionPay) -> None:
    [one] = [one for one in decode(MERCHANTS[name]).accounts if one.id == "15"]
    assert isinstance(one, Object)
    assert UnionPay.read(one) == account
    assert account.object() == one


def test_no_account_of_unionpay() -> None:
    assert UnionPay.read(Object("15", "0116372101160123456789ABCDE3721")) == UnionPay(
        "01163721", "01160123", "456789ABCDE3721"
    )
    assert UnionPay.read(Object("15", "5".rjust(30, "0"))) is None
    assert UnionPay.read(Object("04", "0" * 31)) is None
    for wrong, id in [(UnionPay("1234567", "12345678", "1" * 15), "15"), (UnionPay("1" * 8, "1" * 8, "1" * 15), "17")]:
        with pytest.raises(Invalid) as refused:
            wrong.object(id)
        assert refused.value.code == "emvco.union_pay"


# Ours


def test_our_own_code() -> None:
    text = encode(SHOP)
    assert text == (
        "000201010212"
        "26310015org.example.pay0108wallet-7"
        "1531" + "26470344" * 2 + "1" * 15 + "520454115303156540512.505802CN5912BUND GROCERY6008SHANGHAI6106200002"
        "62330111" + "2026-0001230603***0702T10901M"
        "64210002ZH0105外滩杂货店0202上海"
        "6304" + checksum(text[:-4])
    )
    assert decode(text) == SHOP


def test_a_changed_value_takes_the_place_of_the_old_one() -> None:
    code = decode(SPECIFICATION)
    assert encode(replace(code, amount=2_373)) == sealed(SPECIFICATION.replace("540523.72", "540523.73"))
    assert encode(replace(code, tip=None, amount=None)) == sealed(
        SPECIFICATION.replace("540523.72", "").replace("550201", "")
    )
    pix = MERCHANTS["Pix, manual of the Banco Central do Brasil"]
    assert encode(replace(decode(pix), amount=1_000, postal_code="70074")) == sealed(
        pix.replace("6304", "540510.006105700746304")
    )
    assert code.additional is not None
    changed = replace(code.additional, store="12345", reference="R1")
    assert encode(replace(code, additional=changed)) == sealed(
        SPECIFICATION.replace("6233030412340603***0708A60086670902ME", "62400305123450603***0708A60086670902ME0502R1")
    )


@pytest.mark.parametrize(
    ("spelled", "currency", "minor"),
    [
        ("98.73", "156", 9_873),
        ("98", "156", 9_800),
        ("98.", "156", 9_800),
        ("0098.70", "156", 9_870),
        ("1500", "392", 1_500),
        ("1.234", "414", 1_234),
        ("9999999999.98", "156", 999_999_999_998),
    ],
)
def test_amounts_are_kept_as_they_were_spelled(spelled: str, currency: str, minor: int) -> None:
    text = encode(SHOP).replace("5303156", f"5303{currency}").replace("540512.50", f"54{len(spelled):02}{spelled}")
    code = decode(sealed(text))
    assert code.amount == minor
    assert encode(code) == sealed(text)
    assert decode(encode(replace(code, amount=minor + 1))).amount == minor + 1


def test_what_comes_on_top() -> None:
    for tip, written in [
        (Tip(), "550201"),
        (Tip(fixed=150), "550202" + "56041.50"),
        (Tip(percent=Decimal("3.5")), "550203" + "57033.5"),
    ]:
        text = encode(replace(SHOP, tip=tip))
        assert written in text
        assert decode(text).tip == tip


TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=10)
ANY = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=10)
IDS = st.lists(st.integers(1, 99).map(lambda id: f"{id:02}"), max_size=2, unique=True)


def templates(low: int, high: int, values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Template, ...]]:
    one = st.builds(
        lambda id, guid, inside: Template.of(f"{id}", guid, inside),
        st.integers(low, high),
        TEXT,
        st.lists(st.tuples(st.integers(1, 99).map("{:02}".format), values), max_size=2, unique_by=lambda pair: pair[0]),
    )
    return st.lists(one, max_size=2, unique_by=lambda one: one.id).map(
        lambda them: tuple(sorted(them, key=lambda one: one.id))
    )


def reserved(low: int, high: int) -> st.SearchStrategy[tuple[Object, ...]]:
    one = st.builds(lambda id, value: Object(f"{id:02}", value), st.integers(low, high), ANY)
    return st.lists(one, max_size=1).map(tuple)


OPTIONAL = st.just("") | TEXT
ADDITIONAL = st.builds(
    AdditionalData,
    bill_number=TEXT,
    store=OPTIONAL,
    reference=OPTIONAL,
    purpose=OPTIONAL,
    request=st.sampled_from(["", "A", "ME", "EMA"]),
    channel=st.sampled_from(["", "521"]),
    templates=templates(50, 50, st.just("x")),
    reserved=reserved(12, 49),
)
CODES = st.builds(
    MerchantCode,
    accounts=st.builds(lambda first, more: (Object("04", first), *more), TEXT, templates(26, 51, TEXT)),
    currency=st.sampled_from(sorted(NUMBERS)),
    country=st.sampled_from(["CN", "SG", "DE"]),
    mcc=st.integers(0, 9_999).map("{:04}".format),
    name=TEXT,
    city=TEXT,
    amount=st.none() | st.integers(1, 10**9),
    dynamic=st.sampled_from([None, True, False]),
    tip=st.none()
    | st.just(Tip())
    | st.builds(Tip, fixed=st.integers(1, 10**6))
    | st.builds(Tip, percent=st.integers(1, 9_999).map(lambda hundredths: Decimal(hundredths) / 100)),
    postal_code=OPTIONAL,
    additional=st.none() | ADDITIONAL,
    local=st.none()
    | st.builds(LocalName, language=st.just("ZH"), name=ANY, city=st.just("") | ANY, reserved=reserved(3, 99)),
    templates=templates(80, 99, ANY),
    reserved=reserved(65, 79),
)


@given(CODES)
def test_every_code_that_is_written_is_read_as_it_was(code: MerchantCode) -> None:
    text = encode(code, bytes_max=CAPACITY)
    assert decode(text) == code
    assert encode(decode(text), bytes_max=CAPACITY) == text


# Wrong ones


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ("000201", "000202", ("emvco.value", "00", "02")),
        ("010212", "010213", ("emvco.value", "01", "13")),
        ("010212", "0102x2", ("emvco.format", "01", "x2")),
        ("52045411", "5203541", ("emvco.format", "52", "541")),
        ("52045411", "", ("emvco.missing", "52", None)),
        ("5303156", "", ("emvco.missing", "53", None)),
        ("5303156", "5303155", ("emvco.currency", "53", "155")),
        ("5303156", "5303CNY", ("emvco.format", "53", "CNY")),
        ("540512.50", "540598,73", ("emvco.amount", "54", "98,73")),
        ("540512.50", "54053 705", ("emvco.amount", "54", "3 705")),
        ("540512.50", "54050.001", ("emvco.amount", "54", "0.001")),
        ("540512.50", "54040.00", ("emvco.amount", "54", "0.00")),
        ("540512.50", "5403.50", ("emvco.amount", "54", ".50")),
        ("540512.50", "5405-1.50", ("emvco.amount", "54", "-1.50")),
        ("540512.50", "54041e3 ", ("emvco.amount", "54", "1e3 ")),
        ("540512.50", "5403NaN", ("emvco.amount", "54", "NaN")),
        ("540512.50", "541400000000000001", ("emvco.format", "54", "00000000000001")),
        ("5802CN", "5802cn", ("emvco.country", "58", "cn")),
        ("5802CN", "5802CN5502045802CN"[:12], ("emvco.value", "55", "04")),
        ("5802CN", "5802CN550202", ("emvco.tip", "56", "02")),
        ("5802CN", "5802CN550203", ("emvco.tip", "57", "03")),
        ("5802CN", "5802CN56011", ("emvco.tip", "56", "")),
        ("5802CN", "5802CN55020156011", ("emvco.tip", "56", "01")),
        ("5802CN", "5802CN55020256010", ("emvco.amount", "56", "0")),
        ("5802CN", "5802CN550203570500.00", ("emvco.percent", "57", "00.00")),
        ("5802CN", "5802CN5502035703100", ("emvco.percent", "57", "100")),
        ("5802CN", "5802CN55020357025%", ("emvco.percent", "57", "5%")),
        ("5802CN", "5802CN55020357051.234", ("emvco.percent", "57", "1.234")),
        ("5912BUND GROCERY", "5906外滩杂货店1", ("emvco.format", "59", "外滩杂货店1")),
        ("5912BUND GROCERY", "59" + "26" + "B" * 26, ("emvco.format", "59", "B" * 26)),
        ("0901M", "0901X", ("emvco.request", "62-09", "X")),
        ("0702T10901M", "0702T10902MM"[:11] + "0901M"[:0], ("emvco.length", "62-09", "02")),
        ("0002ZH", "0002Z1", ("emvco.language", "64-00", "Z1")),
        ("0105外滩杂货店", "0105外滩\x00货店", ("emvco.format", "64", "0002ZH0105外滩\ufffd货店0202上海")),
        (
            "0015org.example.pay",
            "0115org.example.pay"[:2] + "15org.example.pay",
            ("emvco.duplicate", "26-01", "wallet-7"),
        ),
        ("6304", "6504", ("emvco.missing", "63", None)),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, refused: tuple[str, str, str]) -> None:
    text = encode(SHOP)
    assert text.count(old) == 1
    assert refusal(sealed(text.replace(old, new))) == refused


def test_places_that_are_fixed() -> None:
    text = encode(SHOP)
    assert refusal(text[6:] + text[:6])[0] == "emvco.order"
    assert refusal(text + "6503abc")[:2] == ("emvco.order", "00")
    assert refusal(text[6:])[:2] == ("emvco.missing", "00")
    assert refusal("")[:2] == ("emvco.missing", "00")
    assert refusal(encode(SHOP)[:-4] + checksum(text[:-4]).lower())[0] == "emvco.crc"


def test_no_account_no_code() -> None:
    text = "00020152045411530315658" + "02CN5901B6001S6304"
    assert refusal(text + checksum(text))[:2] == ("emvco.missing", "26")


def test_lengths() -> None:
    with pytest.raises(Invalid) as refused:
        encode(decode(SINGAPORE_MANY))
    assert (refused.value.code, refused.value.value) == ("emvco.too_long", len(SINGAPORE_MANY))
    assert refusal("0" * (CAPACITY + 1)) == ("emvco.too_long", None, CAPACITY + 1)
    assert refusal("\ud800") == ("emvco.text", None, "U+D800")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "cny"}, "emvco.currency"),
        ({"currency": "XXX"}, "emvco.currency"),
        ({"amount": 0}, "emvco.amount"),
        ({"amount": -5}, "emvco.amount"),
        ({"amount": 10**13}, "emvco.format"),
        ({"amount": 10**30}, "emvco.amount"),
        ({"tip": Tip(fixed=0)}, "emvco.amount"),
        ({"tip": Tip(percent=Decimal("NaN"))}, "emvco.percent"),
        ({"tip": Tip(percent=Decimal("-1"))}, "emvco.percent"),
        ({"tip": Tip(percent=Decimal("1E+5"))}, "emvco.format"),
        ({"tip": Tip(fixed=1, percent=Decimal(1))}, "emvco.tip"),
        ({"name": ""}, "emvco.missing"),
        ({"name": "外滩"}, "emvco.format"),
        ({"accounts": ()}, "emvco.missing"),
        ({"accounts": (Object("04", ""),)}, "emvco.length"),
        ({"accounts": (Template("26", (Object("01", "7"),)),)}, "emvco.missing"),
        ({"accounts": (Template.of("26", "x" * 33),)}, "emvco.format"),
        ({"accounts": (Template.of("26", "g", [("1", "x")]),)}, "emvco.id"),
        ({"accounts": (Template.of("26", "g", [("01", "x" * 96)]),)}, "emvco.length"),
        ({"reserved": (Object("61", "x"),)}, "emvco.duplicate"),
        ({"reserved": (Object("85", "0001x"),)}, "emvco.place"),
        ({"templates": (Template.of("30", "g"),)}, "emvco.place"),
        ({"additional": AdditionalData()}, "emvco.length"),
        ({"additional": AdditionalData(store="x", templates=(Template.of("20", "g"),))}, "emvco.place"),
        ({"local": LocalName(language="ZH", name="")}, "emvco.missing"),
        ({"local": LocalName(language="ZH", name="\ud800")}, "emvco.text"),
    ],
)
def test_what_is_not_written(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        encode(replace(SHOP, **changes))
    assert refused.value.code == code
    assert str(refused.value)


# Damaged ones


@pytest.mark.parametrize("text", [SPECIFICATION, encode(SHOP)], ids=["specification", "ours"])
def test_every_change_of_a_character_is_refused(text: str) -> None:
    """Each character for each printable one of ASCII: by what it does to the structure, or by the checksum."""
    accepted = []
    for at, right in enumerate(text):
        for wrong in map(chr, range(0x20, 0x7F)):
            if wrong != right:
                try:
                    decode(text[:at] + wrong + text[at + 1 :])
                except Invalid:
                    continue
                accepted.append((at, wrong))
    assert accepted == []


@given(st.sampled_from(list(MERCHANTS.values())), st.data())
def test_two_characters_exchanged_or_one_lost_are_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 2))
    lost = text[:at] + text[at + 1 :]
    exchanged = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    for damaged in {lost, exchanged} - {text}:
        with pytest.raises(Invalid):
            decode(damaged)


# Hostile ones


@given(st.sampled_from([*MERCHANTS.values(), *PERSONS.values(), encode(SHOP)]), st.data())
def test_behind_the_right_checksum_anything_is_read_or_refused(text: str, data: st.DataObject) -> None:
    for _change in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 5))
        text = text[:at] + data.draw(st.text(max_size=3) | st.sampled_from("0123456789.")) + text[at + 1 :]
    with suppress(UnicodeEncodeError):
        text = sealed(text)
    try:
        code = decode(text, may_lack=PERSON)
    except Invalid as wrong:
        seen = (wrong.code.split(".")[0], bool(str(wrong)))
    else:
        seen = ("emvco", encode(code, may_lack=PERSON, bytes_max=CAPACITY) == text)
    assert seen == ("emvco", True)


@given(st.text(max_size=60))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(text)
    assert refused.value.code.startswith("emvco.")
