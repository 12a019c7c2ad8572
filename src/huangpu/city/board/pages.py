"""The front of a marketplace, with its figures and what is traded there now. The city's front is in channels/web."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from huangpu.core import clock
from huangpu.parties.pages import marketplace_facts
from huangpu.parties.request import PartyRequest

from .front import front


@require_GET
def marketplace(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The front of a marketplace: its figures, what closes soonest, who operates it, by which rules."""
    market, now = request.marketplace, clock.now()
    board = front(now=now, zone=ZoneInfo(market.zone), currency=market.currency, market=market)
    return render(request, "board/marketplace.html", {**marketplace_facts(request), "board": board, "now": now})


urlpatterns = [path("m/<slug:marketplace>/", marketplace, name="marketplace")]
