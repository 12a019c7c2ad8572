"""A merchant's terminals, and a card terminal on the screen: it speaks with the listener as one of iron does."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from huangpu.channels.simulators.banks import BANKS
from huangpu.core import clock
from huangpu.core.errors import Conflict, HuangpuError
from huangpu.core.money import parse_money
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may, require_own
from huangpu.payments.checkout.rules import WALLET
from huangpu.payments.gateway.provider import known, payable, title
from huangpu.payments.standards.iso8583.terminal import Setup
from huangpu.payments.standards.iso8583.values import Kind, ResponseCode
from huangpu.payments.terminals import acts, keys, queries
from huangpu.payments.terminals.models import Terminal

from .terminal import Device

CARDS = (  # test numbers of nobody's
    ("6222020000000000075", BANKS["pujiang"]),
    ("6225880000000000143", BANKS["waitan"]),
)
KINDS: dict[str, Any] = {
    "SALE": pgettext_lazy("terminal", "Sale"),
    "VOID": pgettext_lazy("terminal", "Void"),
    "REFUND": pgettext_lazy("terminal", "Refund"),
}


@require_http_methods(["GET", "POST"])
def terminals(request: PartyRequest, marketplace: str) -> HttpResponse:
    """One's terminals with their batches; a new one is enrolled here."""
    market = request.marketplace
    own = require_own(request.actor, "terminals.see")
    error: HuangpuError | None = None
    if request.method == "POST":
        try:
            made = acts.enrol(
                actor=request.actor, marketplace_id=market.pk, name=request.POST.get("name", ""),
                provider=request.POST.get("provider", ""), currency=market.currency, now=clock.now(),
            )  # fmt: skip
            return redirect("pos:terminal", market.slug, made.identity)
        except HuangpuError as refused:
            error = refused
    context = {
        "rows": [(one, title(one.provider), queries.batches(one, None, 5).items) for one in queries.terminals(market.pk, own)],
        "acquirers": [(name, title(name)) for name in known() if name not in payable() and name != WALLET],
        "may_enrol": may(request.actor, "terminals.enrol"), "may_sell": may(request.actor, "terminals.sell"),
        "error": error, "typed": request.POST.get("name", ""),
    }  # fmt: skip
    return render(request, "pos/terminals.html", context, status=error.status if error else 200)


@require_POST
def block(request: PartyRequest, marketplace: str, identity: str) -> HttpResponse:
    """Blocks a terminal, or takes the block away."""
    found = queries.own_terminal(request.marketplace.pk, require_own(request.actor, "terminals.enrol"), identity)
    acts.block(actor=request.actor, terminal_id=found.pk, blocked=request.POST.get("blocked") == "yes", now=clock.now())
    return redirect("pos:terminals", marketplace)


@require_http_methods(["GET", "POST"])
def terminal(request: PartyRequest, marketplace: str, identity: str) -> HttpResponse:
    """The terminal at work. Its form carries the trace number that comes next, so that it does what it says once."""
    own = require_own(request.actor, "terminals.sell")
    found = queries.own_terminal(request.marketplace.pk, own, identity)
    error: HuangpuError | None = None
    device = _device(found)
    try:
        with device.at_work():
            if request.method == "POST":
                messages.info(request, _done(request, found, device))
                return redirect("pos:terminal", marketplace, identity)
            return _shown(request, found, device, None)
    except HuangpuError as refused:
        error = refused
    return _shown(request, found, device, error)


def _done(request: PartyRequest, found: Terminal, device: Device) -> str:
    """Does what a cashier pressed; returns what the terminal says."""
    posted, state = request.POST, device.now_state
    if posted.get("next") != str(state.next_stan):
        raise Conflict("terminal.went_on", _("The terminal has gone on meanwhile; look at its list."), field="next")
    do = posted.get("do", "")
    if do == "settle":
        return _("The day is settled.") if device.settle() else _("The host could not settle now; try again.")
    if do.startswith("void "):
        return _words(device.void(int(do.removeprefix("void "))))
    amount = parse_money(posted.get("amount", ""), found.currency)
    card = posted.get("card", "")
    return _words(device.sale(card if card in dict(CARDS) else CARDS[0][0], amount.minor))


def _words(answer: ResponseCode | None) -> str:
    if answer is None:
        return _("No answer came. Nothing was taken; try again.")
    return _("Approved.") if answer.approved else _("Declined: %(why)s") % {"why": answer.meaning}


def _shown(request: PartyRequest, found: Terminal, device: Device, error: HuangpuError | None) -> HttpResponse:
    state, totals = device.now_state, device.now_totals
    followed = {record.about.stan for record in state.records if record.about is not None}
    records = [
        (
            record,
            KINDS.get(record.kind.name, record.kind.name),
            record.kind is Kind.SALE and record.stan not in followed,
        )
        for record in reversed(state.records)
    ]
    context = {
        "terminal": found, "records": records, "totals": totals, "state": state, "cards": CARDS, "error": error,
        "next": state.next_stan, "last": records[0] if records else None, "typed": request.POST.get("amount", ""),
        "keys": ("7", "8", "9", "4", "5", "6", "1", "2", "3", "00", "0", "."),
    }  # fmt: skip
    return render(request, "pos/terminal.html", context, status=error.status if error else 200)


def _device(found: Terminal) -> Device:
    setup = Setup(found.identity, found.merchant_code, found.currency, keys.master(found))
    env = settings.HUANGPU
    return Device(setup, (env.pos_host, env.pos_port), env.data / "pos" / f"{found.identity}.journal")


app_name = "pos"
urlpatterns = [
    path("m/<slug:marketplace>/pos/", terminals, name="terminals"),
    path("m/<slug:marketplace>/pos/<str:identity>/", terminal, name="terminal"),
    path("m/<slug:marketplace>/pos/<str:identity>/block/", block, name="block"),
]
