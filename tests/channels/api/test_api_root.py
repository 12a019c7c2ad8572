"""The API of the whole installation: its documentation is our own, and every room's operations are in it."""

from __future__ import annotations

import re

import pytest
from django.test import Client


@pytest.mark.django_db
def test_the_documentation_needs_no_other_host_and_no_inline_script(client: Client) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
    assert all("src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "style=" not in text
    assert "onclick" not in text


@pytest.mark.django_db
def test_the_schema_is_openapi_3_1_and_versioned(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert schema["info"]["version"].startswith("1.")
    assert all(path.startswith("/api/v1/") for path in schema["paths"])


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/", "/api/v1/nothing", "/api/v1/m/none/nothing"])
def test_what_is_not_there_is_a_problem(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "api.not_found"
