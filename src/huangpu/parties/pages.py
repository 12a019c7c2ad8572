"""The pages of parties: organisations, joining and registering one, switching, marketplaces."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.names import in_language
from huangpu.core.web.paging import page_of

from . import acts, queries, rules, words
from .acts.members import person_named
from .forms import (
    code_of,
    described,
    errors_of,
    fact_choices,
    facts_of,
    fields_of_settings,
    settings_choices,
    settings_of,
    shown_members,
    uuids,
)
from .middleware import SESSION_KEY
from .models import Marketplace
from .request import PartyRequest
from .rights import MARKETPLACE_ROLES, ROLE_NAMES, may, require
from .settings_page import settings


@require_GET
def organisations(request: PartyRequest) -> HttpResponse:
    """Find organisations by name or code."""
    text = request.GET.get("q", "")[:200]
    page = page_of(queries.search_organisations(text), request.GET.get("cursor"), 30)
    shown = [(one, code_of(one), words.word(words.DISTRICTS, one.district)) for one in page.items]
    context = {"q": text, "shown": shown, "next_cursor": page.next_cursor, "levels": words.LEVELS}
    return render(request, "parties/organisations.html", context)


@require_http_methods(["GET", "POST"])
def organisation(request: PartyRequest, organisation_id: UUID, marketplace: str = "") -> HttpResponse:
    """What everybody may know of an organisation; its members for its members; verification for operators."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            acts.verify_organisation(
                actor=request.actor,
                organisation_id=organisation_id,
                level=int(request.POST.get("level", "0")) if request.POST.get("level", "0").isdecimal() else -1,
                identifier_ids=uuids(request.POST.getlist("identifiers")),
                note=request.POST.get("note", ""),
                now=clock.now(),
            )
            messages.success(request, _("The verification is written down."))
            return redirect(request.path)
        except HuangpuError as error:
            errors = errors_of(error)
    found = queries.organisation(organisation_id)
    market_id = request.actor.marketplace_id
    context = {
        "organisation": found,
        "identifiers": [described(one) for one in found.identifiers.all()],
        "level_word": words.LEVELS[found.verification],
        "level_state": words.LEVEL_STATES[found.verification],
        "levels": list(words.LEVELS.items()),
        "district": words.word(words.DISTRICTS, found.district),
        "industry": words.word(words.INDUSTRIES, found.industry),
        "operated": Marketplace.objects.filter(operator=found),
        "is_own": request.actor.organisation_id == organisation_id,
        "may_verify": may(request.actor, "parties.verify_organisation", marketplace_id=market_id)
        and request.actor.organisation_id != organisation_id,
        "members": shown_members(found.pk)
        if may(request.actor, "parties.see_members", organisation_id=found.pk)
        else None,
        "errors": errors,
    }
    return render(request, "parties/organisation.html", context, status=422 if errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def register(request: PartyRequest) -> HttpResponse:
    """A person registers an organisation, and acts for it from then on."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        code = (request.POST.get("scheme", "CN-USCC"), request.POST.get("value", ""))
        try:
            made = acts.register_organisation(
                actor=request.actor,
                facts=facts_of(request.POST, (code,) if code[1].strip() else ()),
                now=clock.now(),
            )
            request.session[SESSION_KEY] = str(made.pk)
            messages.success(
                request, _("%(name)s is registered. You are its owner.") % {"name": in_language(made.name)}
            )
            return redirect("organisation_settings", made.pk)
        except HuangpuError as error:
            errors = errors_of(error)
    context = {"errors": errors, "given": request.POST, **fact_choices()}
    return render(request, "parties/register.html", context, status=422 if errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def join(request: PartyRequest, secret: str) -> HttpResponse:
    """Accepts an invitation: shows who invites to what, and asks."""
    now = clock.now()
    if request.method == "POST":
        made = acts.join(actor=request.actor, secret=secret, now=now)
        request.session[SESSION_KEY] = str(made.organisation_id)
        messages.success(request, _("Welcome. You act for this organisation now."))
        return redirect("organisation", made.organisation_id)
    invitation = queries.invitation_by(secret, now=now)
    role_names = [ROLE_NAMES[role] for role in invitation.roles if role in ROLE_NAMES] if invitation else []
    context = {"invitation": invitation, "role_names": role_names}
    answer = render(request, "parties/join.html", context, status=200 if invitation else 404)
    answer["Referrer-Policy"] = "same-origin"  # the address is a secret; "no-referrer" would hide the form's origin too
    return answer


@login_required
@require_POST
def act_for(request: PartyRequest) -> HttpResponse:
    """Switches to another organisation of one's own; back to the page it came from."""
    chosen = uuids([request.POST.get("organisation", "")])
    if chosen:
        acts.switch_organisation(actor=request.actor, organisation_id=chosen[0], now=clock.now())
        request.session[SESSION_KEY] = str(chosen[0])
        name = in_language(queries.organisation(chosen[0]).name)
        messages.success(request, _("You act for %(name)s now.") % {"name": name})
    target = request.POST.get("next", "/")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if ours else "/")


@require_GET
def marketplaces(request: PartyRequest) -> HttpResponse:
    """The marketplaces of the city."""
    page = page_of(queries.marketplaces(), request.GET.get("cursor"), 60)
    shown = [(one, [words.word(words.SECTORS, code) for code in one.sectors]) for one in page.items]
    may_open = may(request.actor, "parties.open_marketplace")
    context = {"shown": shown, "next_cursor": page.next_cursor, "may_open": may_open}
    return render(request, "parties/marketplaces.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def open_marketplace(request: PartyRequest) -> HttpResponse:
    """The operator of the city opens a marketplace."""
    require(request.actor, "parties.open_marketplace")
    errors: dict[str, str] = {}
    if request.method == "POST":
        operator = uuids([request.POST.get("operator", "")])
        try:
            made = acts.open_marketplace(
                actor=request.actor,
                slug=request.POST.get("slug", ""),
                operator_id=operator[0] if operator else UUID(int=0),
                settings=settings_of(request.POST),
                now=clock.now(),
            )
            return redirect("marketplace_operator", made.slug)
        except HuangpuError as error:
            errors = errors_of(error)
    given = request.POST if errors else fields_of_settings(None)
    context = {"given": given, "errors": errors, "is_new": True, **settings_choices(given)}
    return render(request, "parties/operator.html", context, status=422 if errors else 200)


def _change_marketplace(request: PartyRequest) -> None:
    """The forms of the operator's page: settings, an office given, an office ended."""
    market, do = request.marketplace, request.POST.get("do", "")
    if do == "settings":
        acts.configure_marketplace(
            actor=request.actor, marketplace_id=market.pk, settings=settings_of(request.POST), now=clock.now()
        )
    elif do == "grant":
        person, role = person_named(request.POST.get("username", "")), request.POST.get("role", "")
        acts.grant_marketplace_role(
            actor=request.actor, marketplace_id=market.pk, person_id=person.pk, role=role, now=clock.now()
        )
    elif do == "revoke" and request.POST.get("role") in MARKETPLACE_ROLES:
        for id in uuids([request.POST.get("person", "")]):
            role = request.POST.get("role", "")
            acts.revoke_marketplace_role(
                actor=request.actor, marketplace_id=market.pk, person_id=id, role=role, now=clock.now()
            )


@login_required
@require_http_methods(["GET", "POST"])
def operator(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The operator's page of a marketplace: its settings and its offices."""
    market = request.marketplace
    require(request.actor, "parties.configure_marketplace", marketplace_id=market.pk)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            _change_marketplace(request)
            messages.success(request, _("The change is made."))
            return redirect("marketplace_operator", marketplace)
        except HuangpuError as error:
            errors = errors_of(error, has_fields=request.POST.get("do") != "revoke")
    refused_settings = errors and request.POST.get("do") == "settings"
    given = request.POST if refused_settings else fields_of_settings(market)
    context = {
        "given": given,
        "errors": errors,
        "offices": [(one, ROLE_NAMES[one.role]) for one in queries.offices(market.pk)],
        "office_choices": [(role, ROLE_NAMES[role]) for role in ("operator", "arbiter")],
        **settings_choices(given),
    }
    return render(request, "parties/operator.html", context, status=422 if errors else 200)


def marketplace_facts(request: PartyRequest) -> dict[str, Any]:
    """What the front of a marketplace says of it: what is traded there, by which rules. `parties/marketplace.html` shows
    it; the page itself is the city board's, which knows the figures."""
    market = request.marketplace
    return {
        "sectors_here": [words.word(words.SECTORS, code) for code in market.sectors],
        "markets_here": [words.word(words.MARKETS, code) for code in market.profile.get("markets", [])],
        "fee": rules.percent_of_fee(market.fee_ppm),
        "may_configure": may(request.actor, "parties.configure_marketplace", marketplace_id=market.pk),
    }


urlpatterns = [
    path("organisations/", organisations, name="organisations"),
    path("organisations/new/", register, name="register_organisation"),
    path("o/<uuid:organisation_id>/", organisation, name="organisation"),
    path("o/<uuid:organisation_id>/settings/", settings, name="organisation_settings"),
    path("join/<str:secret>/", join, name="join"),
    path("act-for/", act_for, name="act_for"),
    path("marketplaces/", marketplaces, name="marketplaces"),
    path("marketplaces/new/", open_marketplace, name="open_marketplace"),
    path("m/<slug:marketplace>/operator/", operator, name="marketplace_operator"),
    path("m/<slug:marketplace>/o/<uuid:organisation_id>/", organisation, name="organisation_here"),
]
