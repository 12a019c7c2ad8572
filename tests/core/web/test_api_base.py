"""Whatever is sent, the answer is a problem with a stable code: never a traceback, never a page, never a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.errors import Invalid
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event
from huangpu.core.log.record import NewEvent, record
from huangpu.core.web.limits import Buckets
from huangpu.core.web.paging import cursor_of, id_of
from huangpu.core.web.problems import MEDIA_TYPE, plain

pytestmark = [pytest.mark.urls("tests.core.web.sample")]
THINGS = "/api/v1/things"


def post(client: Client, body: bytes | str, content_type: str = "application/json", to: str = THINGS) -> Any:
    headers = {"Idempotency-Key": str(uuid7())}
    return client.generic("POST", to, body, content_type, headers=headers)


def assert_problem(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"] == f"/problems/{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/api/v1")
    if code:
        assert body["code"] == code
    return body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "api.invalid"),
        (b"{", 400, "api.malformed"),
        (b"\xff\xfe", 400, "api.malformed"),
        (b'{"name": "\xff"}', 400, "api.malformed"),
        (b'{"name": "a\\u0000b"}', 422, "api.text"),
        (b'{"name": "a\x00b"}', 400, "api.malformed"),
        (b'{"name": "\\ud800"}', 422, "api.text"),
        (b'{"name": "a", "count": NaN}', 422, "api.number"),
        (b'{"name": "a", "count": 1e400}', 422, "api.invalid"),
        (b'{"name": "a", "count": ' + b"9" * 5000 + b"}", 400, "api.malformed"),
        (b'{"name": "a", "parts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "api.malformed"),
        (b'{"name": "a", "parts": ' + b"[" * 40 + b"]" * 40 + b"}", 422, "api.too_deep"),
        (json.dumps({"name": "x" * 100}).encode(), 422, "api.unstorable"),
        (b"[1, 2]", 422, "api.invalid"),
        (b"null", 422, "api.invalid"),
        (b'{"name": 5, "day": "2026-13-45", "price": "ten"}', 422, "api.invalid"),
    ],
)
def test_bad_bodies_are_refused(client: Client, body: bytes, status: int, code: str) -> None:
    assert_problem(post(client, body), status, code)


@pytest.mark.django_db
def test_every_wrong_field_is_named(client: Client) -> None:
    body = assert_problem(post(client, b'{"count": "many", "day": "2026-13-45"}'), 422)
    flaws = {flaw["field"]: flaw for flaw in body["errors"]}
    assert flaws["thing.name"]["code"] == "api.missing"
    assert flaws["thing.count"] == {
        "code": "api.int_parsing",
        "detail": "Write a whole number.",
        "field": "thing.count",
        "value": "many",
    }
    many = assert_problem(post(client, b'{"name": "many"}'), 422, "sample.one")
    assert [flaw["code"] for flaw in many["errors"]] == ["sample.one", "sample.two"]
    assert many["errors"][0]["detail"] == "One: 1."


@pytest.mark.django_db
def test_other_refusals_are_problems_too(client: Client) -> None:
    assert_problem(post(client, b"name=a", "text/plain"), 415, "api.content_type")
    assert_problem(post(client, b"--x", "multipart/form-data; boundary=y"), 415, "api.content_type")
    assert_problem(post(client, b"x", "multipart/form-data"), 400)
    assert_problem(client.get("/api/v1/nothing"), 404, "api.not_found")
    assert_problem(client.get("/api/v1/%00%ff"), 404)
    missing = client.delete(THINGS)
    assert_problem(missing, 405, "api.method")
    assert missing["Allow"] == "POST"
    assert_problem(client.put(f"/api/v1/counts/{10**30}", headers={"Idempotency-Key": "a"}), 422, "api.unstorable")
    assert_problem(client.get("/api/v1/search?q=%00"), 422, "api.text")


@pytest.mark.django_db
def test_a_body_beyond_the_limit_is_refused(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert_problem(post(client, b'{"name": "%s"}' % (b"x" * 200)), 413, "api.too_large")


@pytest.mark.django_db
def test_who_asks_too_often_is_told_when_to_come_back(client: Client) -> None:
    answers = [client.get("/api/v1/search?q=a", REMOTE_ADDR="192.0.2.7") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_problem(answers[2], 429, "api.too_many")
    assert 1 <= int(answers[2]["Retry-After"]) <= 1000
    assert client.get("/api/v1/search?q=a", REMOTE_ADDR="192.0.2.8").status_code == 200


def test_a_bucket_refills_and_forgets_nobody_early() -> None:
    now = [0.0]
    buckets = Buckets(per_second=2, burst=3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0
    now[0] = 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") == 0.5


@pytest.mark.django_db
def test_the_problem_speaks_the_readers_language(client: Client) -> None:
    answer = client.get("/api/v1/nothing", headers={"Accept-Language": "zh-hans"})
    body = assert_problem(answer, 404, "api.not_found")
    assert body["detail"] == "此地址没有内容。"
    flawed = client.post(THINGS, {}, "application/json", headers={"Accept-Language": "zh-hans", "Idempotency-Key": "a"})
    assert flawed.json()["errors"][0]["detail"] == "此项必填。"


def written(number: int) -> list[NewEvent]:
    market = uuid7()
    from huangpu.core import clock

    new = [
        NewEvent(
            kind="test.happened",
            marketplace_id=market,
            subject_type="test",
            subject_id=market,
            occurred_at=clock.now(),
            payload={},
        )
        for _ in range(number)
    ]
    record(new)
    return new


@pytest.mark.django_db
def test_pages_follow_each_other_without_gap_or_double(client: Client) -> None:
    new = written(7)
    seen, address = [], "/api/v1/events?limit=3"
    while address:
        answer = client.get(address).json()
        seen += [item["id"] for item in answer["items"]]
        if len(seen) == 3:
            written(2)  # what comes meanwhile shifts nothing
        address = answer["next"]
    assert seen == [str(event.id) for event in reversed(new)]
    assert Event.objects.count() == 9


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "%F0%9F%98%80", "AAAA", "a" * 500, "=", "AgAAAAAAAAAAAAAAAAAAAAA"])
def test_a_broken_cursor_is_refused(client: Client, cursor: str) -> None:
    assert_problem(client.get(f"/api/v1/events?cursor={cursor}"), 422, "paging.cursor")


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [0, -1, 201, 10**12])
def test_a_limit_beyond_the_limits_is_refused(client: Client, limit: int) -> None:
    assert_problem(client.get(f"/api/v1/events?limit={limit}"), 422, "paging.limit")


@given(st.uuids())
def test_a_cursor_tells_its_row(id: Any) -> None:
    assert id_of(cursor_of(id)) == id


@given(st.text(max_size=60))
def test_no_text_is_more_than_a_refused_cursor(text: str) -> None:
    try:
        found = id_of(text)
    except Invalid as refused:
        found = None
        code = refused.code
    assert code == "paging.cursor" if found is None else id_of(cursor_of(found)) == found


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.floats(), st.lists, max_leaves=30))
def test_every_value_can_be_repeated_in_a_problem(value: Any) -> None:
    assert len(json.dumps(plain(value), allow_nan=False)) < 2_000_000


def test_the_schema_is_complete() -> None:
    from tests.core.web.sample import api

    schema = api.get_openapi_schema()
    assert schema["openapi"].startswith("3.1")
    operation = schema["paths"]["/api/v1/things"]["post"]
    assert any(one["name"] == "Idempotency-Key" and one["required"] for one in operation["parameters"])
    assert "Problem" in schema["components"]["schemas"]
    assert MEDIA_TYPE in operation["responses"]["4XX"]["content"]
