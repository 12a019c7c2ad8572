"""Every operation of every room, from the schema itself: this file grows with the rooms by itself.

Schemathesis makes requests that fit the schema and requests that do not, from a fixed seed; the application answers in this
process. Whatever comes: no 5xx, problem details for every refusal, and what was promised for every success.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import Client as WsgiClient

from huangpu.channels.api.urls import api
from huangpu.core.ids import uuid7
from huangpu.core.models import IdempotentAnswer
from huangpu.core.web.idempotency import SAFE
from huangpu.core.web.problems import MEDIA_TYPE

EXAMPLES = 4
MARKET = {"slug", "marketplace"}  # how the rooms call a marketplace in their addresses
SCHEMA = api.get_openapi_schema()
OPERATIONS = [(method.upper(), path) for path, item in SCHEMA["paths"].items() for method in item]
CHANGING = [(method, path) for method, path in OPERATIONS if method not in SAFE]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def assert_problem(status: int, content_type: str, body: dict[str, Any]) -> None:
    assert status < 500, body
    assert content_type == MEDIA_TYPE
    assert body["status"] == status
    assert body["type"] == f"/problems/{body['code']}"
    assert {"title", "detail", "instance"} <= body.keys()


@cache
def loaded() -> Any:
    found = schemathesis.openapi.from_dict(json.loads(json.dumps(SCHEMA, default=str)))
    found.app = get_wsgi_application()
    return found


@pytest.fixture
def schema() -> Iterator[Any]:
    for signal in (
        request_started,
        request_finished,
    ):  # they would close the connection that the test's transaction is on
        signal.disconnect(close_old_connections)
    yield loaded()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def ids(operations: list[tuple[str, str]]) -> list[str]:
    return [f"{method} {path}" for method, path in operations]


@pytest.mark.django_db
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fit", "unfit"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=ids(OPERATIONS))
def test_nothing_breaks_it(schema: Any, token: str, method: str, path: str, mode: GenerationMode) -> None:
    operation = schema[path][method]
    cases = operation.as_strategy(generation_mode=mode)

    @seed(20261123)
    @BOUNDED
    @given(case=cases, here=st.booleans())
    def one(case: Any, here: bool) -> None:
        for name in MARKET.intersection(case.path_parameters or {}) if here else ():
            case.path_parameters[name] = "harbour"
        with transaction.atomic():
            response = case.call(headers={"Authorization": f"Bearer {token}"})
            transaction.set_rollback(True)
        if response.status_code >= 400:
            assert_problem(response.status_code, response.headers["content-type"][0], response.json())
        case.validate_response(response, checks=CHECKS)

    try:
        one()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
        pytest.skip("this operation takes nothing that could be wrong")


def filled(path: str) -> str:
    """An address of the operation whose ids name nothing."""
    return re.sub(r"\{(\w+)\}", lambda name: "harbour" if name[1] in MARKET else str(uuid7()), path)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), CHANGING, ids=ids(CHANGING))
def test_every_changing_operation_asks_for_its_key(token: str, method: str, path: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {token}"})
    answer = client.generic(method, filled(path), b"{}", "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.key_missing")
    parameters = SCHEMA["paths"][path][method.lower()]["parameters"]
    assert any(one["name"] == "Idempotency-Key" and one["required"] for one in parameters)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), CHANGING, ids=ids(CHANGING))
def test_every_changing_operation_acts_once(schema: Any, token: str, method: str, path: str) -> None:
    """Requests that fit the schema, each sent twice with one key: either both are refused in the same way and nothing is
    kept, or the second is the first's answer; then the key is refused to another body."""
    known = {name: "harbour" for name in MARKET if f"{{{name}}}" in path} or None
    cases = schema[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE, path_parameters=known)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "twice"}

    @seed(20261123)
    @BOUNDED
    @given(case=cases)
    def one(case: Any) -> None:
        case.headers = {
            name: value for name, value in (case.headers or {}).items() if name.lower() != "idempotency-key"
        }
        with transaction.atomic():
            first, second = case.call(headers=headers), case.call(headers=headers)
            if first.status_code < 400:
                kept = IdempotentAnswer.objects.get()
                if kept.body is None:
                    assert second.json()["code"] == "idempotency.answer_not_kept"
                else:
                    assert (second.status_code, second.content) == (first.status_code, first.content)
                    assert second.headers["idempotent-replayed"] == ["true"]
                other = WsgiClient(schema.app).open(
                    case.formatted_path,
                    method=method,
                    headers=headers,
                    data=b'{"other": 1}',
                    content_type="application/json",
                )
                assert other.get_json(force=True)["code"] == "idempotency.key_reused"
            else:
                assert second.status_code == first.status_code
                assert not IdempotentAnswer.objects.exists()
            transaction.set_rollback(True)

    one()
