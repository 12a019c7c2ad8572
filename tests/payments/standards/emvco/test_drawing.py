"""The picture of a code: read back module by module, and as a screen reader and a dark page have it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import segno

from huangpu.core.errors import Invalid
from huangpu.payments.standards.emvco.drawing import QUIET, svg

from .vectors import CONSUMER_TWO, SINGAPORE_MANY, SPECIFICATION

NAMESPACE = "{http://www.w3.org/2000/svg}"
FINDER = ["#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"]


def modules(picture: str) -> list[str]:
    """The picture's modules, row by row, from its path."""
    root = ElementTree.fromstring(picture)
    side = int(root.attrib["viewBox"].split()[2])
    rows = [[" "] * side for _row in range(side)]
    _white, dark = root.findall(f"{NAMESPACE}path")
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", dark.attrib["d"])
    assert "".join(f"M{x} {y}h{width}v1h-{back}z" for x, y, width, back in runs) == dark.attrib["d"]
    for x, y, width, back in runs:
        assert width == back
        for at in range(int(x), int(x) + int(width)):
            assert rows[int(y)][at] == " "
            rows[int(y)][at] = "#"
    return ["".join(row) for row in rows]


@pytest.mark.parametrize("payload", [SPECIFICATION, SINGAPORE_MANY, CONSUMER_TWO, "881234567812345678"])
def test_the_modules_are_those_of_the_code(payload: str) -> None:
    drawn = modules(svg(payload, title="Pay"))
    options = {} if payload.isascii() else {"mode": "byte", "encoding": "utf-8"}
    code = segno.make_qr(payload, error="m", boost_error=False, **options)
    inner = [row[QUIET:-QUIET] for row in drawn[QUIET:-QUIET]]
    assert inner == ["".join("#" if dark else " " for dark in row) for row in code.matrix]
    assert (
        [row[:7] for row in inner[:7]] == [row[-7:] for row in inner[:7]] == [row[:7] for row in inner[-7:]] == FINDER
    )


def test_the_quiet_zone_is_white_on_any_page() -> None:
    picture = svg(SPECIFICATION, title="Pay")
    drawn = modules(picture)
    blank = " " * len(drawn)
    assert drawn[:QUIET] == drawn[-QUIET:] == [blank] * QUIET
    assert {row[:QUIET] + row[-QUIET:] for row in drawn} == {" " * 2 * QUIET}
    white, dark = ElementTree.fromstring(picture).findall(f"{NAMESPACE}path")
    side = len(drawn)
    assert (white.attrib["fill"], white.attrib["d"]) == ("#fff", f"M0 0h{side}v{side}H0z")
    assert dark.attrib["fill"] == "#000"


def test_a_screen_reader_hears_the_title() -> None:
    title = 'Pay ¥12.50 to "Bund" & <Sons> · 付款给外滩杂货店'
    root = ElementTree.fromstring(svg(SPECIFICATION, title=title))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == title
    assert root[0].tag == f"{NAMESPACE}title"
    assert root[0].text == title


def test_nothing_in_it_needs_a_policys_leave() -> None:
    picture = svg(SPECIFICATION, title="Pay")
    assert not re.search(r"style|script|href|url\(|\bid=|\bon\w+=", picture)
    assert picture == svg(SPECIFICATION, title="Pay")


@pytest.mark.parametrize("title", ["", " ", "a\x00b", "\ud800"])
def test_a_picture_without_a_title_is_refused(title: str) -> None:
    with pytest.raises(Invalid) as refused:
        svg(SPECIFICATION, title=title)
    assert refused.value.code == "emvco.title"


@pytest.mark.parametrize(
    ("payload", "code", "value"),
    [
        ("", "emvco.text", 0),
        ("x\ud800", "emvco.text", 2),
        ("x" * 2_332, "emvco.too_long", 2_332),
        ("最" * 900, "emvco.too_long", 2_700),
    ],
)
def test_what_cannot_be_drawn(payload: str, code: str, value: int) -> None:
    with pytest.raises(Invalid) as refused:
        svg(payload, title="Pay")
    assert (refused.value.code, refused.value.value) == (code, value)
    assert str(refused.value)
