"""Who is acting, and where: set on every request before anything else looks at it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse

from huangpu.core.errors import HuangpuError

from .actor import ANONYMOUS, Actor
from .models import Marketplace
from .queries import actor_for, actor_for_token, marketplace_by_slug

SESSION_KEY = "acting_for"  # the organisation that the person has switched to
_MARKETPLACE = re.compile(r"^/(?:api/v1/)?m/([^/]+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Acting:
    """What the middleware found out: who acts, by which token if by one, where; or why a token is not good."""

    actor: Actor = ANONYMOUS
    marketplace: Marketplace | None = None
    token_id: UUID | None = None
    refusal: HuangpuError | None = None


def acting(request: HttpRequest) -> Acting:
    """What the middleware found out about a request. ANONYMOUS where the middleware did not run."""
    found = getattr(request, "acting", None)
    return found if isinstance(found, Acting) else Acting()


class ActorMiddleware:
    """Sets `request.actor`, `request.marketplace` and `request.acting`, from the address, the session or a token.

    A marketplace that does not exist is 404. Under /api/ a request with an Authorization header is judged by that header
    alone: the session beside it is not looked at. A bad token leaves ANONYMOUS here; `TokenAuth` refuses it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = _find(request)
        request.acting = found  # type: ignore[attr-defined]
        request.actor = found.actor  # type: ignore[attr-defined]
        request.marketplace = found.marketplace  # type: ignore[attr-defined]
        return self.get_response(request)


def _find(request: HttpRequest) -> Acting:
    marketplace = None
    named = _MARKETPLACE.match(request.path_info)
    if named:
        marketplace = marketplace_by_slug(named.group(1))
        if marketplace is None:
            raise Http404(named.group(1))
    market_id = marketplace.pk if marketplace else None
    header = request.headers.get("Authorization", "")
    if request.path_info.startswith("/api/") and header:
        scheme, _, secret = header.partition(" ")
        try:
            by_token = actor_for_token(secret.strip() if scheme.lower() == "bearer" else "", marketplace_id=market_id)
        except HuangpuError as refusal:
            return Acting(Actor(None, None, market_id), marketplace, refusal=refusal)
        return Acting(by_token.actor, marketplace, by_token.token_id)
    if not request.user.is_authenticated:
        return Acting(Actor(None, None, market_id), marketplace)
    actor = actor_for(
        person_id=request.user.pk, organisation_id=_chosen(request.session.get(SESSION_KEY)), marketplace_id=market_id
    )
    return Acting(actor, marketplace)


def _chosen(stored: object) -> UUID | None:
    try:
        return UUID(str(stored)) if stored else None
    except ValueError:
        return None
