"""Once, however often it is sent: every changing API call and every form of a page carries a key.

The key's row is written first and the answer last, in the act's own transaction: they exist exactly when the act does.
A second request with the same key waits at the unique row; when the first has committed, it gets the same answer; when
the first has failed, it acts itself. (IETF draft-ietf-httpapi-idempotency-key-header-07.)
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from .. import clock
from ..db import acts_done, execute, one_act, row
from ..errors import Conflict, HuangpuError, Invalid
from . import problems

HEADER = "Idempotency-Key"
FIELD = "idempotency_key"
KEY_LENGTH_MAX = 255
KEPT_DAYS = 30
NOBODY = UUID(int=0)
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
KEPT_HEADERS = ("Content-Type", "Location", "Content-Disposition", "ETag", "HX-Redirect", "HX-Trigger", "HX-Refresh")
BODY_BYTES_MAX = 1_000_000
CHUNK_BYTES = 1 << 20

CLAIM = """
INSERT INTO core_idempotentanswer (organisation_id, route, key, payload_hash, headers, created_at)
VALUES (%s, %s, %s, %s, '{}', %s) ON CONFLICT (organisation_id, route, key) DO NOTHING
"""
FIND = """
SELECT payload_hash, status, headers, body FROM core_idempotentanswer
WHERE organisation_id = %s AND route = %s AND key = %s
"""
KEEP = """
UPDATE core_idempotentanswer SET status = %s, headers = %s, body = %s
WHERE organisation_id = %s AND route = %s AND key = %s
"""


class MissingKey(HuangpuError):
    """A changing call without its key."""


def scope_of(request: HttpRequest) -> UUID:
    """In whose name keys are told apart: the organisation's, else the person's, else the session's, else nobody's."""
    actor = getattr(request, "actor", None)
    found = getattr(actor, "organisation_id", None) or getattr(actor, "person_id", None)
    if isinstance(found, UUID):
        return found
    session = getattr(getattr(request, "session", None), "session_key", None)
    return UUID(bytes=hashlib.sha256(session.encode()).digest()[:16]) if session else NOBODY


def payload_hash(request: HttpRequest) -> bytes:
    """HMAC-SHA256 over all that makes two requests the same: who sends it, method, address, media type and body.

    Keyed with the installation's secret: a plain hash of a short body, such as a sealed bid's price, could be guessed.
    """
    media = (request.content_type or "").lower()
    person = getattr(getattr(request, "actor", None), "person_id", None)
    digest = hmac.new(settings.SECRET_KEY.encode(), digestmod=hashlib.sha256)
    for text in (str(person), request.method or "", request.get_full_path(), media):
        digest.update(text.encode("utf-8", "surrogateescape") + b"\0")
    if media in ("multipart/form-data", "application/x-www-form-urlencoded"):
        _hash_form(digest, request)
    else:
        digest.update(request.body)
    return digest.digest()


def _hash_form(digest: Any, request: HttpRequest) -> None:
    for name in sorted(request.POST):
        if name not in (FIELD, "csrfmiddlewaretoken"):
            digest.update(repr((name, request.POST.getlist(name))).encode("utf-8", "surrogateescape"))
    for name in sorted(request.FILES):
        for file in request.FILES.getlist(name):
            digest.update(repr((name, file.name, file.size)).encode("utf-8", "surrogateescape"))
            for chunk in file.chunks(CHUNK_BYTES):
                digest.update(chunk)
            file.seek(0)


def check_key(key: str | None) -> str:
    """The key of a changing call; refused without one (`idempotency.key_missing`) or with an unfit one."""
    if not key:
        raise MissingKey(
            "idempotency.key_missing",
            _("A call that changes something carries the header %(field)s with a value of its own, such as a UUID."),
            field=HEADER,
        )
    if len(key) > KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise Invalid(
            "idempotency.key_unfit",
            _("%(field)s is up to %(most)s printable ASCII characters."),
            field=HEADER,
            value=key[:100],
            most=KEY_LENGTH_MAX,
        )
    return key


class Once:
    """One changing request and its key, within a transaction."""

    def __init__(self, request: HttpRequest, route: str, key: str, now: datetime) -> None:
        self.place = (scope_of(request), route[:200], key)
        self.hash = payload_hash(request)
        self.now = now

    def claim(self) -> HttpResponse | None:
        """Takes the key and returns None, or waits for who has it and returns the answer they got."""
        while True:
            if execute(CLAIM, [*self.place, self.hash, self.now]):
                return None
            found = row(FIND, self.place)
            if found is not None:  # else: removed by the clean-up between the two statements
                return self._replay(*found)

    def _replay(self, hashed: bytes, status: int | None, headers: Any, body: bytes | None) -> HttpResponse:
        if bytes(hashed) != self.hash:
            raise Invalid(
                "idempotency.key_reused",
                _("The key “%(value)s” was already used for another request; take a new one."),
                field=HEADER,
                value=self.place[2],
            )
        if status is None or body is None:
            raise Conflict(
                "idempotency.answer_not_kept",
                _("This was done before, and its answer held a secret or was too large to keep; read the result anew."),
                field=HEADER,
                value=self.place[2],
            )
        kept = _loaded(headers)
        response = HttpResponse(bytes(body), status=status, content_type=kept.pop("Content-Type", None))
        for name, value in kept.items():
            response[name] = value
        response["Idempotent-Replayed"] = "true"
        return response

    def keep(self, response: HttpResponseBase) -> None:
        """Stores the answer. A streamed one, a large one and one marked `no-store` (it shows a secret) leave only the
        fact that the act was done."""
        secret = "no-store" in response.get("Cache-Control", "")
        body = None if response.streaming or secret else getattr(response, "content", None)
        if body is not None and len(body) > BODY_BYTES_MAX:
            body = None
        headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        execute(KEEP, [response.status_code, Jsonb(headers), body, *self.place])


def _loaded(headers: Any) -> dict[str, str]:
    return dict(json.loads(headers) if isinstance(headers, str) else headers)


def call_once(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Wraps an API operation: a changing one runs in one transaction with its key, and leaves nothing if it fails."""

    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if request.method in SAFE:
            return run(request, **kwargs)
        try:
            key = check_key(request.headers.get(HEADER))
            route = f"{request.method} {request.resolver_match.route if request.resolver_match else request.path}"
            once = Once(request, route, key, clock.now())
            with one_act():
                replay = once.claim()
                if replay is not None:
                    return replay
                response = run(request, **kwargs)
                if response.status_code >= 400:
                    transaction.set_rollback(True)
                else:
                    once.keep(response)
            return response
        except HuangpuError as error:
            return problems.respond(request, error)
        except Exception as wrong:  # the last net of a door: it is logged and answered, never shown
            return problems.unexpected(request, wrong)

    return wrapped


class FormOnceMiddleware:
    """The same for the forms of pages, by the hidden field that `{% once %}` writes. The innermost middleware.

    A view may show its form again after a refusal (the act has its own savepoint), so an answer is kept only if an act
    was done and the answer is no error; else the key stays free. Forms without the field (sign-in, admin) pass.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or problems.is_api(request) or not request.POST.get(FIELD):
            return self.get_response(request)
        try:
            key = check_key(request.POST.get(FIELD))
            once = Once(request, f"form {request.path}", key, clock.now())
            with transaction.atomic():
                replay = once.claim()
                if replay is not None:
                    return replay
                before = acts_done()
                response = self.get_response(request)
                if response.status_code >= 400 or acts_done() == before:
                    transaction.set_rollback(True)
                else:
                    once.keep(response)
            return response
        except HuangpuError as error:
            return problems.respond(request, error)


def forget_old(now: datetime) -> int:
    """Removes the answers older than 30 days; returns how many. A job calls it once a day."""
    return execute("DELETE FROM core_idempotentanswer WHERE created_at < %s", [now - timedelta(days=KEPT_DAYS)])
