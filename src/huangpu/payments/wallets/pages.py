"""The page of money from wallet to wallet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.money import Money, parse_money
from huangpu.core.web.templatetags.huangpu import money
from huangpu.flows.funds.queries import wallet
from huangpu.parties.models import Organisation
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may, require_own

from . import acts, queries
from .models import Sending

ROWS = 30


@require_http_methods(["GET", "POST"])
def sendings(request: PartyRequest, marketplace: str) -> HttpResponse:
    """What waits for an answer, what was sent and received, and a form to send."""
    market = request.marketplace
    require_own(request.actor, "wallets.send" if request.method == "POST" else "wallets.see")
    if request.method == "GET":
        return _show(request, None)
    posted = request.POST
    try:
        amount = parse_money(posted.get("amount", ""), market.currency)
        acts.send(
            actor=request.actor, marketplace_id=market.pk, receiver_id=queries.receiver(posted.get("receiver", "")),
            amount=amount.minor, currency=market.currency, note=posted.get("note", "").strip(), now=clock.now(),
        )  # fmt: skip
    except HuangpuError as refused:
        return _show(request, refused)
    messages.success(
        request, _("%(amount)s is on its way; it is accepted within a day, or comes back.") % {"amount": money(amount)}
    )
    return redirect("wallets:sendings", marketplace)


def _show(request: PartyRequest, error: HuangpuError | None) -> HttpResponse:
    market, own = request.marketplace, require_own(request.actor, "wallets.see")
    page = queries.sendings(market.pk, own, request.GET.get("cursor"), ROWS)
    waiting = queries.incoming(market.pk, own)
    others = {one.sender_id for one in waiting} | {_other(one, own) for one in page.items}
    names = Organisation.objects.in_bulk(others)

    def shown(one: Sending) -> tuple[Sending, bool, Any, Money]:
        return one, one.sender_id == own, names[_other(one, own)].name, Money(one.amount, one.currency)

    context: dict[str, Any] = {
        "page": page, "rows": [shown(one) for one in page.items], "incoming": [shown(one) for one in waiting],
        "wallet": wallet(market.pk, own, market.currency), "currency": market.currency, "error": error,
        "errors": {error.field: error} if error else {}, "typed": request.POST,
        "may_send": may(request.actor, "wallets.send"), "may_receive": may(request.actor, "wallets.receive"),
    }  # fmt: skip
    return render(request, "wallets/sendings.html", context, status=error.status if error else 200)


def _other(one: Sending, own: UUID) -> UUID:
    return one.receiver_id if one.sender_id == own else one.sender_id


@require_POST
def answer(request: PartyRequest, marketplace: str, sending: UUID, what: str) -> HttpResponse:
    """Accepts, declines or takes back."""
    call = {"accept": acts.accept, "decline": acts.decline, "withdraw": acts.withdraw}[what]
    try:
        call(actor=request.actor, sending_id=sending, now=clock.now())
    except HuangpuError as refused:
        if refused.status in (401, 403, 404):
            raise
        return _show(request, refused)
    return redirect("wallets:sendings", marketplace)


app_name = "wallets"
_AT = "m/<slug:marketplace>/sendings/"
urlpatterns = [
    path(_AT, sendings, name="sendings"),
    *(
        path(f"{_AT}<uuid:sending>/{what}/", answer, {"what": what}, name=what)
        for what in ("accept", "decline", "withdraw")
    ),
]
