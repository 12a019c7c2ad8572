"""Identifiers: the standards' own examples and real codes pass, and what the standards promise to catch is caught."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.errors import Invalid
from huangpu.parties import gb11643, gb32100
from huangpu.parties.identifiers import SCHEMES, check, is_good

TODAY = date(2026, 11, 23)
REAL = [
    "91350100M000100Y43",  # the standard's own example
    "91110000600037341L",
    "9144030071526726XG",
    "91330100799655058B",
    "914403001922038216",
    "91100000100003962T",
    "911000001000013428",
    "91110000802100433B",
    "91370200163562681G",
]
codes = st.integers().map(lambda seed: gb32100.make(Random(seed)))
citizens = st.integers().map(lambda seed: gb11643.make(Random(seed)))


def refusal(code: str) -> Invalid:
    with pytest.raises(Invalid) as refused:
        gb32100.parse(code)
    return refused.value


def citizen_refusal(number: str) -> Invalid:
    with pytest.raises(Invalid) as refused:
        gb11643.parse(number, today=TODAY)
    return refused.value


@pytest.mark.parametrize("code", REAL)
def test_real_codes_pass(code: str) -> None:
    assert gb32100.parse(code).code == code


def test_the_parts_of_a_code() -> None:
    body = gb32100.parse("9144030071526726XG")
    assert (body.authority, body.category, body.division, body.organisation_code) == ("9", "1", "440300", "71526726X")
    with override("en"):
        assert (str(body.authority_name), str(body.category_name)) == ("market regulation (工商)", "enterprise")


@given(codes)
def test_what_is_made_is_valid_and_has_both_check_characters(code: str) -> None:
    body = gb32100.parse(code)
    assert gb32100.organisation_check_character(body.organisation_code[:8]) == body.organisation_code[8]


@given(codes, st.integers(0, 17), st.sampled_from(gb32100.ALPHABET))
def test_any_change_of_one_character_is_caught(code: str, place: int, other: str) -> None:
    changed = code[:place] + other + code[place + 1 :]
    assert is_good("CN-USCC", changed) is (changed == code)


@given(codes, st.integers(0, 16))
def test_any_swap_of_two_neighbours_is_caught(code: str, place: int) -> None:
    changed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert is_good("CN-USCC", changed) is (changed == code)


@given(codes, st.sampled_from("0123456789X"))
def test_a_broken_organisation_code_inside_is_caught_though_the_last_character_fits(code: str, other: str) -> None:
    first = code[:16] + other
    forged = first + gb32100.check_character(first)
    if other == code[16]:
        assert gb32100.parse(forged).code == code
    else:
        wrong = refusal(forged)
        assert (wrong.code, wrong.params["position"]) == ("identifier.organisation_check", 17)
        assert (wrong.params["found"], wrong.params["wanted"]) == (other, code[16])


@pytest.mark.parametrize(
    ("code", "error", "position", "wanted"),
    [
        ("91350100M000100Y44", "identifier.check", 18, "3"),
        ("91350100MO00100Y43", "identifier.character", 10, "0"),
        ("91350100M0001I0Y43", "identifier.character", 14, "1"),
        ("9135O100M000100Y43", "identifier.character", 5, "0"),
        ("9135A100M000100Y43", "identifier.character", 5, "0-9"),
        ("91350100M0001é0Y43", "identifier.character", 14, gb32100.ALPHABET),
        ("B1350100M000100Y43", "identifier.authority", 1, "1 2 3 4 5 6 7 8 9 A N Y"),
        ("99350100M000100Y43", "identifier.category", 2, "1 2 3"),
        ("91990100M000100Y43", "identifier.division", 3, "GB/T 2260"),
        ("91310015M000100Y43", "identifier.division", 3, "GB/T 2260"),
    ],
)
def test_an_error_names_the_place_and_what_would_be_right(code: str, error: str, position: int, wanted: str) -> None:
    wrong = refusal(code)
    assert (wrong.code, wrong.params["position"], wrong.params["wanted"]) == (error, position, wanted)
    assert (wrong.field, wrong.value) == ("value", code)
    with override("en"):
        assert code in str(wrong)
        assert "%(" not in str(wrong)


@pytest.mark.parametrize("code", ["", "9", "91350100M000100Y4", "91350100M000100Y433"])
def test_the_length_is_told(code: str) -> None:
    assert (refusal(code).code, refusal(code).params["length"]) == ("identifier.length", len(code))


@given(st.text(max_size=20))
def test_no_text_breaks_the_check(text: str) -> None:
    for scheme in (*SCHEMES, "XX-ANY"):
        is_good(scheme, text)
    assert citizen_refusal(text).code.startswith("identifier.")


def test_made_codes_are_the_same_for_the_same_seed() -> None:
    assert [gb32100.make(Random(7)) for _ in range(2)] == [gb32100.make(Random(7))] * 2
    assert gb11643.make(Random(7)) == gb11643.make(Random(7))
    assert len({gb32100.make(random) for random in [Random(7)] for _ in range(200)}) == 200


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [("11010519491231002X", date(1949, 12, 31), "female"), ("440524188001010014", date(1880, 1, 1), "male")],
)
def test_the_standards_examples_of_citizens_pass(number: str, born: date, sex: str) -> None:
    citizen = gb11643.parse(number, today=TODAY)
    assert (citizen.born, citizen.sex) == (born, sex)


@given(citizens)
def test_made_citizens_are_valid(number: str) -> None:
    assert gb11643.parse(number, today=TODAY).number == number


@given(citizens, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_change_of_one_character_of_a_citizens_number_is_caught(number: str, place: int, other: str) -> None:
    changed = number[:place] + other + number[place + 1 :]
    if changed == number:
        assert gb11643.parse(changed, today=TODAY).number == number
    else:
        assert citizen_refusal(changed).code in ("identifier.check", "identifier.date", "identifier.character")


@given(citizens, st.integers(0, 16))
def test_any_swap_of_two_neighbours_in_a_citizens_number_is_caught(number: str, place: int) -> None:
    changed = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if changed == number:
        assert gb11643.parse(changed, today=TODAY).number == number
    else:
        assert citizen_refusal(changed).code.startswith("identifier.")


def test_a_place_is_only_a_warning() -> None:
    def with_place(division: str, born: date = date(1985, 6, 1)) -> gb11643.Citizen:
        return gb11643.parse(gb11643.make(Random(1), division=division, born=born), today=TODAY)

    assert with_place("110105").warnings == ()
    assert len(with_place("990101").warnings) == 1
    assert len(with_place("310199").warnings) == 1
    assert len(with_place("310115", date(1949, 1, 1)).warnings) == 1  # Pudong became a district in 1992


@pytest.mark.parametrize("day", ["20270101", "20260230", "19001301", "00000101"])
def test_a_date_that_is_none_or_lies_ahead_is_refused(day: str) -> None:
    first = f"310115{day}001"
    assert citizen_refusal(first + gb11643.check_character(first)).code == "identifier.date"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_schemes_example_passes_and_its_last_digit_counts(scheme: str) -> None:
    example = SCHEMES[scheme].example
    assert check(scheme, example).known
    last = "1" if example[-1] != "1" else "2"
    with pytest.raises(Invalid) as refused:
        check(scheme, example[:-1] + last)
    assert refused.value.code == "identifier.check"


@pytest.mark.parametrize(
    ("scheme", "value", "error"),
    [
        ("UA-EDR", "3285596", "identifier.length"),
        ("UA-EDR", "3285596A", "identifier.character"),
        ("UA-EDR", "1759013777", "identifier.check"),
        ("MD-IDNO", "100860003841", "identifier.length"),
        ("GLN", "69012345678923", "identifier.length"),
        ("LEI", "213800KUD8LAJWSQ9D1", "identifier.length"),
        ("LEI", "213800KUD8LAJWSQ9DX5", "identifier.character"),
        ("", "1", "identifier.scheme"),
        ("A B", "1", "identifier.scheme"),
        ("XX", "  ", "identifier.empty"),
        ("XX", "1" * 65, "identifier.too_long"),
    ],
)
def test_what_a_scheme_refuses(scheme: str, value: str, error: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(scheme, value)
    assert refused.value.code == error
    with override("en"):
        assert "%(" not in str(refused.value)


def test_codes_are_brought_into_one_form() -> None:
    assert check("cn-uscc", "９１35 0100-m000100y43 ").value == "91350100M000100Y43"
    assert check("XI-LEI", "213800kud8lajwsq9d15").scheme == "LEI"
    unknown = check("xm-eori", " nl 12-b ")
    assert (unknown.scheme, unknown.value, unknown.known) == ("XM-EORI", "nl 12-b", False)
