"""The pages of the installation itself: its front, one's account, the design language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from huangpu.channels.web.examples import six, sixty
from huangpu.channels.web.signin import demo_signin
from huangpu.city.board.front import city_front
from huangpu.core import clock
from huangpu.core.web.status import BASE
from huangpu.parties import queries
from huangpu.parties.models import Marketplace
from huangpu.parties.rights import ROLE_NAMES


@require_GET
def design(request: HttpRequest) -> HttpResponse:
    """Every component on one page, for those who build pages. Shown in demo mode only."""
    if not (settings.HUANGPU.demo or settings.HUANGPU.debug):
        raise Http404
    now = clock.now()
    context: dict[str, Any] = {
        "crumbs": [(_("City front page"), "/")],
        "states": list(BASE),
        "until": now + timedelta(hours=26, minutes=14),
        "soon": now + timedelta(minutes=4),
        "tiles": [
            {"label": _("Turnover"), "figure": "¥24,100,000,000", "note": _("this year")},
            {"label": _("Bought by tender"), "figure": "¥3,100,000,000", "note": "12.9%"},
            {"label": _("Saving"), "figure": "¥177,000,000", "note": "5.7%"},
        ],
        "steps": [
            {"label": pgettext("state", "Published"), "state": "done"},
            {"label": _("Bids"), "state": "done"},
            {"label": _("Opening"), "state": "now"},
            {"label": _("Evaluation"), "state": "waiting"},
            {"label": _("Award"), "state": "waiting"},
        ],
        "rows": [
            ("Q345B 12 × 2000 mm", "120", "TNE", 51_240_000),
            ("Q235B 8 × 1500 mm", "86.5", "TNE", 33_120_550),
            ("20CrMnTi φ60", "12.25", "TNE", 6_889_000),
        ],
        "few": six(now),
        "many": sixty(now),
        "entries": [
            {"at": now - timedelta(hours=2), "text": _("Opening"), "who": _("Operator")},
            {"at": now - timedelta(days=3), "text": pgettext("state", "Published"), "who": _("Buyer")},
        ],
    }
    return render(request, "site/design.html", context)


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """The city's front page: its five flows, its figures, what is traded now, its marketplaces."""
    now = clock.now()
    city = request.marketplace or Marketplace()  # type: ignore[attr-defined]  # before the city is founded: its defaults
    board = city_front(now=now, zone=ZoneInfo(city.zone), currency=city.currency)
    context = {"board": board, "now": now, "demo": settings.HUANGPU.demo}
    return render(request, "site/front.html", context)


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """One's own account: who one is, for whom one may act and how, and how one signs in."""
    members = [
        (member.organisation, [str(ROLE_NAMES.get(role, role)) for role in member.roles])
        for member in queries.memberships_of(request.actor.person_id)  # type: ignore[attr-defined]
    ]
    kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    context = {"members": members, "has_app": "totp" in kinds, "has_passkey": "webauthn" in kinds}
    return render(request, "site/account.html", context)


app_name = "site"
urlpatterns = [
    path("", front, name="front"),
    path("accounts/", account, name="account"),
    path("accounts/demo/", demo_signin, name="demo_signin"),
    path("design/", design, name="design"),
]
