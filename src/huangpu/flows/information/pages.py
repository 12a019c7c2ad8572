"""Pages: one's notices; the webhooks of one's organisation with their log; documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError, Invalid, NotFound
from huangpu.core.names import in_language
from huangpu.core.web.paging import page_of
from huangpu.parties.rights import may

from . import acts, queries, rules, webhooks
from .models import Notice
from .sentences import sentence
from .serving import serve

ROWS = 30


@require_GET
def notices(request: Any) -> HttpResponse:
    """One's own notices, newest first; with ?unread only those not read."""
    found = queries.notices(actor=request.actor)
    if "unread" in request.GET:
        found = found.filter(read_at=None)
    page = page_of(found, request.GET.get("cursor"), ROWS)
    context = {
        "page": page,
        "notices": [(notice, sentence(notice.kind, notice.params)) for notice in page.items],
        "tabs": [
            {"label": _("All"), "href": "/notices/", "here": "unread" not in request.GET},
            {"label": _("Unread"), "href": "/notices/?unread", "here": "unread" in request.GET},
        ],
    }
    return render(request, "information/notices.html", context)


@require_POST
def mark(request: Any) -> HttpResponse:
    """Marks the notice that the form names, or all, and goes on to where the notice leads."""
    ids = [_uuid(text) for text in request.POST.getlist("id")]
    acts.mark_notices(actor=request.actor, ids=ids or None, read="unread" not in request.POST, now=clock.now())
    target = "/notices/"
    if "open" in request.POST and ids:
        notice = Notice.objects.filter(pk=ids[0], person_id=request.actor.person_id).first()
        target = notice.link if notice and notice.link else target
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if ours else "/notices/")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("api.not_found", _("There is nothing at this address."), value=text) from None


@require_http_methods(["GET", "POST"])
def webhook_list(request: Any, slug: str) -> HttpResponse:
    """The webhooks of one's organisation, and the form for a new one."""
    errors: dict[str, HuangpuError] = {}
    made: tuple[Any, str] | None = None
    if request.method == "POST":
        try:
            made = webhooks.register_endpoint(
                actor=request.actor,
                marketplace_id=request.marketplace.pk,
                url=request.POST.get("url", "").strip(),
                kinds=request.POST.get("kinds", "").replace(",", " ").split(),
                now=clock.now(),
            )
        except Invalid as error:
            errors = {error.field or "": error}
    context = {
        "endpoints": queries.endpoints(actor=request.actor, marketplace_id=request.marketplace.pk).order_by("-pk"),
        "may_manage": may(request.actor, "information.manage_webhooks", marketplace_id=request.marketplace.pk),
        "errors": errors,
        "entered": request.POST if errors else {},
        "made": made,
        "crumbs": _crumbs(request),
    }
    response = render(request, "information/webhooks.html", context, status=422 if errors else 200)
    response["Cache-Control"] = "no-store"  # it may show a secret
    return response


def _crumbs(request: Any) -> list[tuple[str, str]]:
    return [(in_language(request.marketplace.name), f"/m/{request.marketplace.slug}/")]


@require_GET
def webhook(request: Any, slug: str, endpoint_id: UUID) -> HttpResponse:
    """One webhook with the log of its deliveries."""
    market = request.marketplace
    endpoint = queries.endpoint_of(actor=request.actor, marketplace_id=market.pk, endpoint_id=endpoint_id)
    found = queries.deliveries(actor=request.actor, marketplace_id=market.pk, endpoint_id=endpoint_id)
    page = page_of(found, request.GET.get("cursor"), ROWS)
    context = {
        "endpoint": endpoint,
        "page": page,
        "deliveries": [(one, rules.FAILURES.get(one.last_error, "")) for one in page.items],
        "may_manage": may(request.actor, "information.manage_webhooks", marketplace_id=market.pk),
        "crumbs": [*_crumbs(request), (_("Webhooks"), f"/m/{slug}/webhooks/")],
    }
    return render(request, "information/webhook.html", context)


@require_POST
def change_webhook(request: Any, slug: str, endpoint_id: UUID) -> HttpResponse:
    """Rotates the secret, disables, or replays, as the button says."""
    whose = {"actor": request.actor, "marketplace_id": request.marketplace.pk, "now": clock.now()}
    back = f"/m/{slug}/webhooks/{endpoint_id}/"
    match request.POST.get("act"):
        case "rotate":
            endpoint, secret = webhooks.rotate_secret(endpoint_id=endpoint_id, **whose)
            context = {"endpoint": endpoint, "secret": secret, "crumbs": _crumbs(request)}
            response = render(request, "information/secret.html", context)
            response["Cache-Control"] = "no-store"
            return response
        case "disable":
            webhooks.disable_endpoint(endpoint_id=endpoint_id, **whose)
            return HttpResponseRedirect(f"/m/{slug}/webhooks/")
        case "replay":
            webhooks.replay_from(endpoint_id=endpoint_id, position=_position(request), **whose)
        case "again":
            webhooks.replay_delivery(delivery_id=_uuid(request.POST.get("delivery", "")), **whose)
    return HttpResponseRedirect(back)


def _position(request: HttpRequest) -> int:
    text = request.POST.get("after", "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(
            "information.position",
            _("“%(value)s” is no position in the log; write a whole number from 0."),
            field="after",
            value=text[:50],
        )
    return int(text)


@require_GET
def document(request: Any, document_id: UUID) -> HttpResponse:
    """A document, to whom it is for."""
    return serve(queries.document_of(actor=request.actor, document_id=document_id))


app_name = "information"
urlpatterns = [
    path("notices/", notices, name="notices"),
    path("notices/mark/", mark, name="mark"),
    path("documents/<uuid:document_id>/", document, name="document"),
    path("m/<slug:slug>/webhooks/", webhook_list, name="webhooks"),
    path("m/<slug:slug>/webhooks/<uuid:endpoint_id>/", webhook, name="webhook"),
    path("m/<slug:slug>/webhooks/<uuid:endpoint_id>/change/", change_webhook, name="change_webhook"),
]
