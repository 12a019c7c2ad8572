"""Once, however often it is sent: replay, reuse, failure, and two at the same time on connections of their own."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from tests.core.web import sample

from huangpu.core.log.models import Cursor
from huangpu.core.models import IdempotentAnswer
from huangpu.core.web.idempotency import KEPT_DAYS, forget_old

pytestmark = [pytest.mark.urls("tests.core.web.sample")]
THINGS = "/api/v1/things"


def send(client: Client, body: dict[str, Any], key: str | None = "k1", to: str = THINGS) -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(to, body, content_type="application/json", headers=headers)


@pytest.mark.django_db
def test_a_repeated_call_gets_the_first_answer_and_changes_nothing(client: Client) -> None:
    first, second = send(client, {"name": "a"}), send(client, {"name": "a"})
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert first["Content-Type"] == second["Content-Type"]
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Cursor.objects.count() == 1
    assert send(client, {"name": "a"}, key="k2").content != first.content


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    send(client, {"name": "a"})
    reused = send(client, {"name": "b"})
    assert reused.status_code == 422
    assert reused.json()["code"] == "idempotency.key_reused"
    assert Cursor.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 400, "idempotency.key_missing"),
        ("", 400, "idempotency.key_missing"),
        ("x" * 256, 422, "idempotency.key_unfit"),
        ("ключ", 422, "idempotency.key_unfit"),
    ],
)
def test_a_call_without_a_fit_key_is_refused(client: Client, key: str | None, status: int, code: str) -> None:
    answer = send(client, {"name": "a"}, key=key)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Cursor.objects.exists()


@pytest.mark.django_db
def test_a_refused_act_leaves_nothing_and_the_key_free(client: Client) -> None:
    for _ in range(2):
        answer = send(client, {"name": "refused"})
        assert (answer.status_code, answer.json()["code"]) == (403, "sample.refused")
    assert not Cursor.objects.exists()
    assert not IdempotentAnswer.objects.exists()
    assert send(client, {"name": "fine"}).status_code == 200


@pytest.mark.django_db
def test_an_unexpected_error_leaves_nothing_and_tells_nothing(client: Client) -> None:
    client.raise_request_exception = False
    answer = send(client, {"name": "broken"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "api.unexpected"
    assert "secret" not in answer.content.decode()
    assert not Cursor.objects.exists()
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.django_db
def test_an_answer_that_shows_a_secret_is_not_kept(client: Client) -> None:
    first = send(client, {"name": "a"}, to="/api/v1/tokens")
    again = send(client, {"name": "a"}, to="/api/v1/tokens")
    assert first.status_code == 200
    assert (again.status_code, again.json()["code"]) == (409, "idempotency.answer_not_kept")
    kept = IdempotentAnswer.objects.get()
    assert kept.body is None
    assert Cursor.objects.count() == 1


@pytest.mark.django_db
def test_uploads_are_compared_by_their_content(client: Client) -> None:
    def upload(content: bytes) -> Any:
        file = SimpleUploadedFile("a.txt", content)
        return client.post("/api/v1/files", {"file": file}, headers={"Idempotency-Key": "u"})

    assert upload(b"one").json() == {"size": 3}
    assert upload(b"one")["Idempotent-Replayed"] == "true"
    assert upload(b"two").json()["code"] == "idempotency.key_reused"


@pytest.mark.django_db
def test_an_empty_answer_is_replayed_too(client: Client) -> None:
    for _ in range(2):
        answer = client.put("/api/v1/counts/7", headers={"Idempotency-Key": "k"})
        assert answer.status_code == 204
    assert Cursor.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False])
def test_of_two_at_once_one_acts_and_the_other_waits_for_its_answer(same: bool) -> None:
    sample.inside.clear()
    sample.go_on.clear()
    answers: dict[str, Any] = {}

    def call(who: str, body: dict[str, Any]) -> None:
        answers[who] = send(Client(), body)
        connection.close()

    first = threading.Thread(target=call, args=("first", {"name": "slow"}))
    first.start()
    assert sample.inside.wait(20)
    second = threading.Thread(target=call, args=("second", {"name": "slow" if same else "quick"}))
    second.start()
    wait_until_blocked()
    sample.go_on.set()
    first.join(20)
    second.join(20)
    assert answers["first"].status_code == 200
    if same:
        assert answers["second"].content == answers["first"].content
        assert answers["second"]["Idempotent-Replayed"] == "true"
    else:
        assert answers["second"].json()["code"] == "idempotency.key_reused"
    assert Cursor.objects.count() == 1


def wait_until_blocked() -> None:
    """Returns when a connection of this database waits for another's row."""
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while datetime.now(UTC) < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_act_once() -> None:
    start = threading.Barrier(6)
    contents: list[bytes] = []

    def call() -> None:
        start.wait(20)
        contents.append(send(Client(), {"name": "a"}).content)
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(contents) == 6
    assert len(set(contents)) == 1
    assert Cursor.objects.count() == 1


@pytest.mark.django_db
def test_a_form_sent_twice_redirects_to_the_same_place(client: Client) -> None:
    first = client.post("/form/", {"name": "a", "idempotency_key": "f1"})
    second = client.post("/form/", {"name": "a", "idempotency_key": "f1", "csrfmiddlewaretoken": "new"})
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert Cursor.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/form/", "/form/?strict"])
def test_a_form_shown_again_leaves_nothing_and_its_key_free(client: Client, address: str) -> None:
    shown = client.post(address, {"name": "wrong", "idempotency_key": "f1"})
    assert shown.content == b"Wrong: wrong."
    assert not Cursor.objects.exists()
    assert client.post(address, {"name": "right", "idempotency_key": "f1"}).status_code == 302


@pytest.mark.django_db
def test_a_page_that_fails_after_its_act_takes_the_act_with_it(client: Client) -> None:
    answer = client.post("/form/", {"name": "late", "idempotency_key": "f1"})
    assert answer.status_code == 409
    assert not Cursor.objects.exists()


@pytest.mark.django_db
def test_answers_are_forgotten_after_their_days(client: Client) -> None:
    send(client, {"name": "a"})
    now = datetime.now(UTC)
    assert forget_old(now) == 0
    assert forget_old(now + timedelta(days=KEPT_DAYS, minutes=1)) == 1
