"""Data objects and their checksum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.errors import Invalid
from huangpu.payments.standards.emvco.place import in_place
from huangpu.payments.standards.emvco.tlv import Object, checksum, read, write

from .vectors import SPECIFICATION

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=99)
OBJECTS = st.dictionaries(st.integers(0, 99).map(lambda id: f"{id:02}"), TEXT, max_size=8).map(
    lambda found: tuple(Object(id, value) for id, value in found.items())
)


def bitwise(data: bytes) -> int:
    """The checksum as ISO/IEC 13239 describes it, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _bit in range(8):
            register = (register << 1 ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    return register


def test_the_checksums_check_value() -> None:
    assert checksum("123456789") == "29B1"
    assert checksum("") == "FFFF"


@given(TEXT)
def test_the_checksum_is_that_of_the_standard(text: str) -> None:
    assert checksum(text) == f"{bitwise(text.encode()):04X}"


def test_what_the_checksum_cannot_see() -> None:
    """Of all characters of three bytes, one can stand for 最 unseen; the documentation says so."""
    head, tail = SPECIFICATION[:-4].split("最")
    unseen = [
        chr(point)
        for point in [*range(0x0800, 0xD800), *range(0xE000, 0x10000)]
        if checksum(head + chr(point) + tail) == "A13A"
    ]
    assert unseen == ["最", "猡"]


def test_a_length_counts_characters() -> None:
    assert read("0104最佳运输0202北京") == (Object("01", "最佳运输"), Object("02", "北京"))
    assert write([Object("01", "最佳运输"), Object("02", "北京")]) == "0104最佳运输0202北京"


@given(OBJECTS)
def test_what_is_written_is_read(objects: tuple[Object, ...]) -> None:
    assert read(write(objects)) == objects


@given(st.text(st.sampled_from("0012345x最 "), max_size=40))
def test_whatever_is_read_is_written_again_or_refused(text: str) -> None:
    try:
        objects = read(text)
    except Invalid as wrong:
        seen = wrong.code in {"emvco.id", "emvco.length", "emvco.duplicate"} and bool(str(wrong))
    else:
        seen = write(objects) == text
    assert seen


@pytest.mark.parametrize(
    ("text", "code", "field", "value"),
    [
        ("0", "emvco.id", None, "0"),
        ("0x0211", "emvco.id", None, "0x"),
        ("٠١0211", "emvco.id", None, "٠١"),  # digits, but not ours
        ("0102115", "emvco.id", None, "5"),
        ("01", "emvco.length", "01", ""),
        ("010", "emvco.length", "01", "0"),
        ("01xx11", "emvco.length", "01", "xx"),
        ("01٠٢11", "emvco.length", "01", "٠٢"),
        ("0100", "emvco.length", "01", "00"),
        ("01021", "emvco.length", "01", "02"),
        ("010211010212", "emvco.duplicate", "01", "12"),
    ],
)
def test_refusals_name_the_object_and_the_value(text: str, code: str, field: str | None, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert (refused.value.code, refused.value.field, refused.value.value) == (code, field, value)


@pytest.mark.parametrize(("one", "code"), [(Object("1", "x"), "emvco.id"), (Object("01", ""), "emvco.length")])
def test_what_cannot_be_written(one: Object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        write([one])
    assert refused.value.code == code


def test_things_stay_in_their_places() -> None:
    def first(text: str) -> str:
        return text[0]

    assert in_place(["b1", "a1", "c1"], ["a2", "b2", "c2"], first) == ["b2", "a2", "c2"]
    assert in_place(["b1", "a1"], ["a2", "n2"], first) == ["a2", "n2"]
    assert in_place(["a1", "b1", "a3"], ["a4", "a5", "b6", "a7"], first) == ["a4", "b6", "a5", "a7"]
