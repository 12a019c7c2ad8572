"""The doors of the API: a machine's token, the browser's session with its CSRF token, or a visitor who only reads.

    api = NinjaAPI(auth=AUTH)

`ActorMiddleware` has read the token already, so that what runs before an endpoint (idempotency, limits) knows who asks;
these classes say whether the endpoint may be entered. What may be done inside, the acts ask the table of rights.
"""

from __future__ import annotations

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from .actor import Actor
from .middleware import acting

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenAuth(HttpBearer):
    """Authorization: Bearer hp_…; an unknown token is 401 `token.unknown`, one of another marketplace 403."""

    def __call__(self, request: HttpRequest) -> Actor | None:
        who = acting(request)
        if who.refusal is not None:
            raise who.refusal
        return who.actor if who.token_id is not None else None

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:  # noqa: ARG002
        return self(request)


class SessionAuth(APIKeyCookie):
    """The session of the browser. What changes something needs the header X-CSRFToken, else it is 403."""

    param_name = "sessionid"

    def __call__(self, request: HttpRequest) -> Actor | None:
        who = acting(request)
        if who.actor.person_id is None or who.token_id is not None:
            return None
        if check_csrf(request):
            raise HttpError(403, "the CSRF token is missing or not the session's")
        return who.actor

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:  # noqa: ARG002
        return self(request)


class Visitor(AuthBase):
    """Nobody in particular: may read what everybody may."""

    openapi_type = "http"
    openapi_scheme = "none"

    def __call__(self, request: HttpRequest) -> Actor | None:
        return acting(request).actor if request.method in SAFE else None


AUTH = [TokenAuth(), SessionAuth(), Visitor()]
