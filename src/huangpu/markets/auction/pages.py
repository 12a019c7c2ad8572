"""The pages of auctions: the list, and the room in which one is watched and bid in.

The room is complete without a script: a form, and a page that reloads itself. The script makes it live.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError, Invalid
from huangpu.core.money import Money, exponent, parse_money
from huangpu.core.web.paging import page_of
from huangpu.core.words import locale, spell
from huangpu.parties.rights import may

from . import acts, frames, queries, words
from . import rules as r
from .api import received_at
from .models import Auction

LOG_LINES = 50


@require_GET
@cache_control(private=True, no_cache=True)  # not no-store: the answer to a bid is kept, to be given again
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """The auctions of a marketplace, newest first."""
    actor, market = request.actor, request.marketplace  # type: ignore[attr-defined]
    page = page_of(queries.visible(actor, market.id).select_related("buyer"), request.GET.get("cursor"), 30)
    now = clock.now()
    found = [{"auction": one, "phase": r.phase(queries.state_of(one), now)} for one in page.items]
    context = {"found": found, "next_cursor": page.next_cursor, "crumbs": _crumbs(market)}
    return render(request, "auction/list.html", context)


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_cache=True)  # not no-store: the answer to a bid is kept, to be given again
def room(request: HttpRequest, slug: str, auction: UUID) -> HttpResponse:
    """The room. A POST is a bid; it is answered with a redirect, or with JSON where a script asks for it."""
    actor, market = request.actor, request.marketplace  # type: ignore[attr-defined]
    found = queries.auction_for(actor, market.id, auction)
    if request.method == "POST":
        return _bid(request, found)
    return render(request, "auction/room.html", _context(request, found))


def _bid(request: HttpRequest, auction: Auction) -> HttpResponse:
    wants_json = "application/json" in request.headers.get("Accept", "")
    try:
        amount = parse_money(request.POST.get("amount", ""), auction.currency)
        actor = request.actor  # type: ignore[attr-defined]
        answer = acts.bid(actor=actor, auction_id=auction.id, amount=amount.minor, received_at=received_at(request))
    except HuangpuError as error:
        if wants_json:
            return JsonResponse({"code": error.code, "detail": str(error)}, status=error.status)
        if not isinstance(error, Invalid):
            raise
        return render(request, "auction/room.html", {**_context(request, auction), "wrong": error}, status=error.status)
    if wants_json:
        return JsonResponse({**asdict(answer), "at": frames.ms(answer.at), "closes_at": frames.ms(answer.closes_at)})
    told = {
        "sequence": answer.sequence,
        "amount": Money(answer.amount_minor, auction.currency).text(locale()),
        "time": spell(answer.at, "second"),
        "rank": answer.rank,
        "reason": words.REASONS[answer.reason],
    }
    if answer.accepted:
        messages.success(request, words.for_script()["accepted"].format(**told))
    else:
        messages.error(request, words.for_script()["refused"].format(**told))
    return HttpResponseRedirect(request.path)


@require_POST
def change(request: HttpRequest, slug: str, auction: UUID, what: str) -> HttpResponse:
    """Pause, resume or cancel."""
    actor, market = request.actor, request.marketplace  # type: ignore[attr-defined]
    found = queries.auction_for(actor, market.id, auction)
    now = clock.now()
    if what == "pause":
        acts.pause(actor=actor, auction_id=found.id, now=now)
    elif what == "resume":
        acts.resume(actor=actor, auction_id=found.id, now=now)
    else:
        acts.cancel(actor=actor, auction_id=found.id, reason=request.POST.get("reason", ""), now=now)
    return HttpResponseRedirect(reverse("auction:room", args=[slug, auction]))


def _context(request: HttpRequest, auction: Auction) -> dict[str, Any]:
    actor, market = request.actor, request.marketplace  # type: ignore[attr-defined]
    now, state, rules = clock.now(), queries.state_of(auction), r.AuctionRules.of(auction.rules)
    bidder, full = queries.own_bidder(actor, auction), queries.sees_standings(actor, auction)
    phase = r.phase(state, now)
    own = frames.own(rules, state, bidder.number) if bidder else None
    office = {"organisation_id": auction.buyer_id, "marketplace_id": auction.marketplace_id}
    return {
        "auction": auction,
        "rules": rules,
        "phase": phase,
        "phase_ends": state.opens_at if phase == "scheduled" else state.closes_at,
        "ticking": phase in ("scheduled", "running"),
        "now": now,
        "bidders": len(state.standings),
        "own": own,
        "label": bidder.label if bidder else "",
        "next": Money(own["highest_next"], auction.currency).major if own and own["highest_next"] > 0 else "",
        "may_bid": bidder is not None and may(actor, "auction.bid") and phase in ("scheduled", "running", "paused"),
        "standings": queries.standings_shown(auction) if full else None,
        "savings": savings(auction, state) if full else None,
        "log": list(reversed(queries.log_lines(actor, auction, after=max(0, state.last_sequence - LOG_LINES)))),
        "reasons": words.REASONS,
        "kinds": words.KINDS,
        "may_pause": may(actor, "auction.pause", **office) and phase in ("scheduled", "running", "paused"),
        "may_cancel": may(actor, "auction.cancel", **office) and phase not in ("closed", "cancelled"),
        "crumbs": [*_crumbs(market), (_("Auctions"), reverse("auction:list", args=[market.slug]))],
        "data": _data(request, auction, own, bidder.label if bidder else "", state),
    }


def _data(
    request: HttpRequest, auction: Auction, own: dict[str, Any] | None, label: str, state: r.State
) -> dict[str, Any]:
    """What the script begins with."""
    market = request.marketplace  # type: ignore[attr-defined]
    start = queries.start_of(auction, auction.bidders.all())
    return {
        "pass": f"/api/v1/m/{market.slug}/auctions/{auction.id}/stream-pass",
        "currency": auction.currency,
        "exponent": exponent(auction.currency),
        "locale": locale().replace("_", "-").replace("zh-Hans-CN", "zh-CN"),
        "zone": market.zone,
        "start": start.lead.amount,
        "budget": auction.budget_minor,
        "own": own,
        "label": label,
        "sequence": state.last_sequence,
        "opens_at": frames.ms(state.opens_at),
        "closes_at": frames.ms(state.closes_at),
        "words": words.for_script(),
    }


def savings(auction: Auction, state: r.State) -> dict[str, Any]:
    """What the buyer saves by now: against the best opening price, and against the budget where there is one. Exact shares."""
    opening = queries.start_of(auction, auction.bidders.all()).lead.amount
    found = {"start": opening - state.lead.amount, "start_share": (opening - state.lead.amount) / opening}
    if auction.budget_minor:
        found["budget"] = auction.budget_minor - state.lead.amount
        found["budget_share"] = found["budget"] / auction.budget_minor
    return found


def _crumbs(market: Any) -> list[tuple[str, str]]:
    from huangpu.core.names import in_language

    return [(in_language(market.name), f"/m/{market.slug}/")]


app_name = "auction"
urlpatterns = [
    path("m/<slug:slug>/auctions/", index, name="list"),
    path("m/<slug:slug>/auctions/<uuid:auction>/", room, name="room"),
    path("m/<slug:slug>/auctions/<uuid:auction>/pause/", change, {"what": "pause"}, name="pause"),
    path("m/<slug:slug>/auctions/<uuid:auction>/resume/", change, {"what": "resume"}, name="resume"),
    path("m/<slug:slug>/auctions/<uuid:auction>/cancel/", change, {"what": "cancel"}, name="cancel"),
]
