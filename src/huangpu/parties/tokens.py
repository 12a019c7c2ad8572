"""The doors of the API: a machine's token, or the browser's session with its CSRF token.

    api = NinjaAPI(auth=AUTH)

`ActorMiddleware` has read the token already, so that what runs before an endpoint (idempotency, limits) knows who asks;
these classes say whether the endpoint may be entered.
"""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from .actor import Actor
from .middleware import acting


class TokenAuth(HttpBearer):
    """Authorization: Bearer hp_…; an unknown token is 401 `token.unknown`, one of another marketplace 403."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:  # noqa: ARG002
        who = acting(request)
        if who.refusal is not None:
            raise who.refusal
        return who.actor if who.token_id is not None else None


class SessionAuth(APIKeyCookie):
    """The session of the browser. What changes something needs the header X-CSRFToken."""

    param_name = "sessionid"

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:  # noqa: ARG002
        who = acting(request)
        return who.actor if who.actor.person_id is not None and who.token_id is None else None


AUTH = [TokenAuth(), SessionAuth()]
