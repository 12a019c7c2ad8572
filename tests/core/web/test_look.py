"""A marketplace's colour is readable whatever the operator chose."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.web.look import NIGHT, PAPER, READABLE, contrast, readable_on, sheet

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@given(colours)
def test_any_colour_becomes_readable_on_paper_and_at_night(colour: str) -> None:
    assert contrast(PAPER, readable_on(PAPER, colour)) >= READABLE
    assert contrast(NIGHT, readable_on(NIGHT, colour)) >= READABLE


@given(colours)
def test_the_text_on_the_colour_can_be_read(colour: str) -> None:
    found = re.search(r"--hp-market-text:(#\w{6})", sheet(colour))
    assert found
    assert contrast(colour, found[1]) >= READABLE


def test_nothing_but_a_colour_is_written_into_a_style_sheet() -> None:
    with pytest.raises(ValueError):
        sheet("#fff}body{display:none")
