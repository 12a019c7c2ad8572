"""Pairs of characters: what is stored is found, by any part of it of one character or more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.db import row
from huangpu.core.search import bigrams, query


def found(text: str, asked: str) -> bool:
    answer = row("SELECT to_tsvector('simple', %s) @@ to_tsquery('simple', %s)", [bigrams(text), query(asked)])
    return bool(answer and answer[0])


def test_pairs_and_the_last_character() -> None:
    assert bigrams("上海钢材") == "上海 海钢 钢材 材"
    assert bigrams("ＡＢＢ 电机 M12") == "abb 电机 机 m12"
    assert query("上海钢材") == "'上海' & '海钢' & '钢材'"
    assert query("材 bolt") == "'材':* & 'bolt':*"


def test_nothing_to_ask_is_empty() -> None:
    assert query("  ,;'& | ! ") == ""
    assert bigrams("。、") == ""


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["钢", "材", "钢材", "上海钢", "HRB400", "hrb", "螺纹钢 上海", "об'єкт", "12,5"])
def test_what_is_stored_is_found(asked: str) -> None:
    assert found("上海钢材 HRB400 螺纹钢，12,5 мм, об'єкт", asked)


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["海上", "铜材", "hrb500", "钢材 铜"])
def test_what_is_not_stored_is_not_found(asked: str) -> None:
    assert not found("上海钢材 HRB400", asked)


@pytest.mark.django_db
def test_any_part_of_any_text_is_found() -> None:
    @given(st.text(alphabet="上海钢材浦江aбZ9-'& |!:*()\\", min_size=1, max_size=20), st.data())
    def part_is_found(text: str, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(text) - 1))
        asked = text[start:]
        if text[:start] and (text[start - 1].isalnum() and text[start].isascii() | (text[start] == "б")):
            return  # the middle of a word of letters is not asked for: only its beginning
        if query(asked):
            assert found(text, asked)

    part_is_found()


@pytest.mark.django_db
@given(st.text(max_size=80))
def test_no_question_breaks_the_search(asked: str) -> None:
    assert query(asked) == "" or row("SELECT to_tsquery('simple', %s)", [query(asked)]) is not None
