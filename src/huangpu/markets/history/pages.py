"""The pages of imported history: the list with its search, and one procedure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from huangpu.core.web.paging import page_of
from huangpu.core.web.status import state_of
from huangpu.parties.request import PartyRequest

from . import queries
from .doors import offers
from .words import METHODS, ROLES

ROWS = 30
STATUSES = ("active", "complete", "unsuccessful", "cancelled")


@require_GET
def history_list(request: PartyRequest, marketplace: str) -> HttpResponse:
    """Imported procedures, newest first, searched and filtered."""
    asked = {name: request.GET.get(name, "").strip()[:200] for name in ("q", "status", "country")}
    market = request.marketplace
    found = queries.listing(market.id, text=asked["q"], status=asked["status"], country=asked["country"])
    context = {
        "page": page_of(found, request.GET.get("cursor"), ROWS),
        "asked": asked,
        "filtered": any(asked.values()),
        "statuses": [(code, state_of(code, "history").word) for code in STATUSES],
        "countries": queries.countries(market.id),
        "marketplace": marketplace,
    }
    return render(request, "history/list.html", context)


@require_GET
def history_page(request: PartyRequest, marketplace: str, procedure: UUID) -> HttpResponse:
    """One procedure as its publisher told it."""
    found = queries.find(request.marketplace.id, procedure)
    parts = queries.parts_of(found)
    awarded = {award.local_id: award for award in parts.awards}
    context: dict[str, Any] = {
        "procedure": found,
        "parts": parts,
        "parties": [(party, [ROLES.get(role, role) for role in party.roles]) for party in parts.parties],
        "bids": [(bid, parts.names(bid.tenderers)) for bid in parts.bids],
        "awards": [(award, parts.names(award.suppliers)) for award in parts.awards],
        "contracts": [(each, awarded.get(each.award)) for each in parts.contracts],
        "method": METHODS.get(found.method, found.method_said),
        "offers": [(each, each.address(marketplace, found.pk)) for each in offers(request.actor)],
        "marketplace": marketplace,
    }
    return render(request, "history/procedure.html", context)


app_name = "history"
urlpatterns = [
    path("m/<slug:marketplace>/history/", history_list, name="list"),
    path("m/<slug:marketplace>/history/<uuid:procedure>/", history_page, name="procedure"),
]
