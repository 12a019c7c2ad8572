"""The list of error codes: complete, current, one status each, in both languages; and where `type` leads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from huangpu.channels.api.errors import CODE, catalogue, page

DOCS = Path(__file__).parents[3] / "docs" / "reference"
PACKAGE = Path(__file__).parents[3] / "src" / "huangpu"


def test_the_documented_list_is_up_to_date() -> None:
    assert (DOCS / "errors.md").read_text() == page(), "run: huangpu errors > docs/reference/errors.md"


def test_every_code_that_is_raised_is_in_the_list() -> None:
    raised = set()
    for source in PACKAGE.rglob("*.py"):
        text = source.read_text()
        raised |= set(
            re.findall(r"\b(?:Invalid|Refused|NotFound|Conflict|NotSignedIn|MissingKey)\(\s*\"([^\"]+)\"", text)
        )
    assert raised - catalogue().keys() == set()
    assert all(CODE.fullmatch(code) for code in raised)


def test_a_code_has_one_status_or_says_that_a_thing_named_in_address_or_body_is_not_there() -> None:
    several = {code: entry.statuses for code, entry in catalogue().items() if len(entry.statuses) > 1}
    assert {code: statuses for code, statuses in several.items() if statuses != {404, 422}} == {}


@pytest.mark.django_db
def test_the_type_of_a_problem_leads_to_its_meaning(client: Client) -> None:
    english = client.get("/problems/idempotency.key_reused").content.decode()
    assert "was already used for another request" in english
    chinese = client.get("/problems/idempotency.key_reused", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "已用于另一请求" in chinese
    assert client.get("/problems/no.such").status_code == 404


def test_a_sentence_names_no_parameter_that_is_not_in_its_translation() -> None:
    with translation.override("zh-hans"):
        for entry in catalogue().values():
            for sentence in entry.sentences:
                names = set(re.findall(r"%\((\w+)\)s", sentence))
                assert set(re.findall(r"%\((\w+)\)s", translation.gettext(sentence))) <= names, sentence
