"""The page of documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from huangpu.payments.standards.iso8583 import reference

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "reference" / "iso8583.md").read_text()
SOURCES = ROOT / "src" / "huangpu" / "payments" / "standards" / "iso8583"


@pytest.mark.parametrize("part", ["elements", "messages", "transactions", "codes"])
def test_the_tables_are_those_of_the_code(part: str) -> None:
    table = getattr(reference, part)()
    assert table in PAGE, f"docs/reference/iso8583.md is older than the code; its table of {part} is:\n{table}"


def test_every_error_code_is_told() -> None:
    made = {code for source in SOURCES.glob("*.py") for code in re.findall(r'"(iso8583\.[a-z_]+)"', source.read_text())}
    told = set(re.findall(r"`(iso8583\.[a-z_]+)`", PAGE))
    assert made == told
