"""The clearing room: windows with their positions, and what two operators do with them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.parties.models import Organisation
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import decide, require
from huangpu.payments.gateway.provider import title

from . import acts, queries

ROWS = 30
AGES: tuple[Any, ...] = (
    gettext_lazy("up to a day"), gettext_lazy("2 to 7 days"), gettext_lazy("8 to 30 days"), gettext_lazy("longer"),
)  # fmt: skip


@require_GET
def room(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The open window with its positions, those before it, and the breaks by age."""
    market = request.marketplace
    require(request.actor, "clearing.see", marketplace_id=market.pk)
    page, totals = queries.windows(market.pk, request.GET.get("cursor"), ROWS)
    now = next((one for one in page.items if one.state == "open"), None)
    context = {
        "page": page, "rows": [(one, *totals.get(one.pk, (0, 0))) for one in page.items], "window": now,
        "positions": _positions(now.pk) if now else [],
        "ages": list(zip(AGES, queries.ages(market.pk, market.currency, clock.now()), strict=True)),
        "currency": market.currency,
    }  # fmt: skip
    return render(request, "clearing/room.html", context)


@require_GET
def window(request: PartyRequest, marketplace: str, window_id: UUID) -> HttpResponse:
    """One window."""
    return _show(request, window_id)


def _show(request: PartyRequest, window_id: UUID, error: HuangpuError | None = None) -> HttpResponse:
    market = request.marketplace
    require(request.actor, "clearing.see", marketplace_id=market.pk)
    found = queries.window(market.pk, window_id)
    merchants = queries.merchants(found.pk)
    names = Organisation.objects.in_bulk([id for id, _amount, _count in merchants])
    may = decide(request.actor, "clearing.settle", marketplace_id=market.pk).allowed
    context = {
        "window": found, "positions": _positions(found.pk), "error": error, "may": may,
        "merchants": [(names[id].name if id in names else {"en": str(id), "zh-hans": str(id)}, amount, count)
                      for id, amount, count in merchants],
        "is_mine": found.confirmed_by is not None and found.confirmed_by == request.actor.person_id,
    }  # fmt: skip
    return render(request, "clearing/window.html", context, status=error.status if error else 200)


@require_POST
def do(request: PartyRequest, marketplace: str, window_id: UUID, what: str) -> HttpResponse:
    """Closes, confirms or settles a window."""
    queries.window(request.marketplace.pk, window_id)
    call = {"close": acts.close, "confirm": acts.confirm, "settle": acts.settle}[what]
    try:
        call(actor=request.actor, window_id=window_id, now=clock.now())
    except HuangpuError as refused:
        return _show(request, window_id, refused)
    messages.success(request, {
        "close": _("The window is closed."), "confirm": _("Confirmed. Somebody else settles it."),
        "settle": _("The window is settled."),
    }[what])  # fmt: skip
    return redirect("clearing:window", marketplace, window_id)


def _positions(window_id: UUID) -> list[tuple[queries.Position, Any]]:
    return [(one, title(one.name)) for one in queries.providers(window_id)]


app_name = "clearing"
_AT = "m/<slug:marketplace>/clearing/"
urlpatterns = [
    path(_AT, room, name="room"),
    path(f"{_AT}<uuid:window_id>/", window, name="window"),
    *(path(f"{_AT}<uuid:window_id>/{what}/", do, {"what": what}, name=what) for what in ("close", "confirm", "settle")),
]
