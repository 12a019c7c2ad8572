"""The pages of payments, for payees: what was taken, a new request, one payment with all that happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.money import parse_money
from huangpu.parties.models import Organisation
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may, require_own
from huangpu.payments.gateway.provider import payable, title
from huangpu.payments.standards.emvco.drawing import svg

from . import acts, chart, paying, phone, qr, queries
from .models import Checkout

ROWS, DAYS = 30, 14
CHANNELS: dict[str, Any] = {
    "web": pgettext_lazy("channel", "Link"),
    "qr": pgettext_lazy("channel", "QR code"),
    "phone": pgettext_lazy("channel", "Phone"),
    "pos": pgettext_lazy("channel", "Card terminal"),
    "api": pgettext_lazy("channel", "API"),
}
WAYS: dict[str, Any] = {
    "web": (_("A link"), _("Send it by mail or message; the payer chooses a bank.")),
    "qr": (_("A QR code to show"), _("The payer scans it with a phone.")),
    "code": (_("The payer's own code"), _("Scan or type what the payer's wallet shows.")),
    "phone": (_("An order by phone"), _("The bank sends the payer a code; no card number is told.")),
}
VERBS: dict[str, Any] = {
    "authorise": pgettext_lazy("operation", "Authorise"),
    "purchase": pgettext_lazy("operation", "Pay"),
    "capture": pgettext_lazy("operation", "Capture"),
    "void": pgettext_lazy("operation", "Release"),
    "refund": pgettext_lazy("operation", "Pay back"),
    "payout": pgettext_lazy("operation", "Pay out"),
    "top_up": pgettext_lazy("operation", "Top up"),
}


@require_GET
def takings(request: PartyRequest, marketplace: str) -> HttpResponse:
    """Today's takings and those of the days before, and the latest requests and payments."""
    payee, market = require_own(request.actor, "checkout.see"), request.marketplace
    zone, now = ZoneInfo(market.zone), clock.now()
    today = now.astimezone(zone).date()
    days = queries.takings(
        marketplace_id=market.pk, payee_id=payee, currency=market.currency,
        first=today - timedelta(days=DAYS - 1), last=today, zone=zone,
    )  # fmt: skip
    page = queries.checkouts(market.pk, payee, request.GET.get("cursor"), ROWS)
    others = queries.elsewhere(market.pk, payee, ROWS)
    context = {
        "today": days[-1], "before": days[-2], "bars": chart.bars(days), "days": days, "currency": market.currency,
        "page": page, "rows": [(one, queries.state(one, now), CHANNELS[one.channel]) for one in page.items],
        "others": [(one, CHANNELS[one.channel], title(one.provider)) for one in others],
        "may_open": may(request.actor, "checkout.open"),
    }  # fmt: skip
    return render(request, "checkout/takings.html", context)


@require_http_methods(["GET", "POST"])
def new(request: PartyRequest, marketplace: str, way: str) -> HttpResponse:
    """A new request for money, in one of four ways."""
    require_own(request.actor, "checkout.open")
    error: HuangpuError | None = None
    if request.method == "POST":
        try:
            made = _made(request, way)
            return redirect("checkout:request", request.marketplace.slug, made.pk)
        except HuangpuError as refused:
            error = refused
    context = {
        "ways": [(code, *words) for code, words in WAYS.items()], "way": way, "error": error,
        "errors": {error.field: error} if error else {}, "banks": _banks(), "currency": request.marketplace.currency,
        "typed": request.POST,
    }  # fmt: skip
    return render(request, "checkout/new.html", context, status=error.status if error else 200)


def _made(request: PartyRequest, way: str) -> Checkout:
    market, now, posted = request.marketplace, clock.now(), request.POST
    amount = parse_money(posted.get("amount", ""), market.currency)
    asked = acts.Asked(
        title=posted.get("title", "").strip(), amount=amount.minor, currency=market.currency,
        reference=posted.get("reference", "").strip(), channel="qr" if way == "code" else way,
    )  # fmt: skip
    common: dict[str, Any] = {"actor": request.actor, "marketplace_id": market.pk, "asked": asked, "now": now}
    if way == "code":
        return acts.charge_code(code=posted.get("code", ""), operation_id=uuid7(), **common)
    if way == "phone":
        return phone.order(
            phone=posted.get("phone", ""), provider=posted.get("bank", ""), operation_id=uuid7(), **common
        )
    return acts.open_checkout(**common)


@require_GET
def shown(request: PartyRequest, marketplace: str, checkout_id: UUID) -> HttpResponse:
    """One request: how to pay it, its state, what happened, what can be done."""
    return _show(request, checkout_id)


def _show(request: PartyRequest, checkout_id: UUID, error: HuangpuError | None = None) -> HttpResponse:
    market, payee = request.marketplace, require_own(request.actor, "checkout.see")
    made = queries.own_checkout(market.pk, payee, checkout_id)
    now = clock.now()
    state = queries.state(made, now)
    under_way = queries.under_way(made)
    context = {
        "made": made, "payment": made.payment, "state": state, "channel": CHANNELS[made.channel], "error": error,
        "link": request.build_absolute_uri(paying.address(market.slug, made)),
        "may_act": may(request.actor, "checkout.open"),
        "asks_code": made.channel == "phone" and under_way is not None and state == "paying",
        "said": queries.last_reason(under_way),
        "watch": state in ("open", "paying"), "seen": queries.watched(made, under_way, now),
        **_happened(made.payment, request),
    }  # fmt: skip
    if made.channel == "qr" and state == "open":
        name = Organisation.objects.get(pk=payee).name
        context |= {"link_code": svg(context["link"], title=made.title)}
        context |= {"emv": qr.payload(made, name, market.slug)}
    return render(request, "checkout/request.html", context, status=error.status if error else 200)


@require_GET
def state(request: PartyRequest, marketplace: str, checkout_id: UUID) -> HttpResponse:
    """Empty while nothing has changed for who watches a request; then the page is loaded anew."""
    made = queries.own_checkout(request.marketplace.pk, require_own(request.actor, "checkout.see"), checkout_id)
    found = queries.watched(made, queries.under_way(made), clock.now())
    if found == request.GET.get("seen"):
        return HttpResponse()
    return HttpResponse(headers={"HX-Refresh": "true"})


@require_GET
def payment(request: PartyRequest, marketplace: str, payment_id: UUID) -> HttpResponse:
    """A payment that came without a checkout: by a terminal or by the API."""
    payee = require_own(request.actor, "checkout.see")
    found = queries.own_payment(request.marketplace.pk, payee, payment_id)
    context = {"payment": found, "channel": CHANNELS[found.channel], "may_act": False, **_happened(found, request)}
    return render(request, "checkout/payment.html", context)


@require_POST
def cancel(request: PartyRequest, marketplace: str, checkout_id: UUID) -> HttpResponse:
    """The request is withdrawn."""
    try:
        acts.cancel_checkout(actor=request.actor, checkout_id=checkout_id, now=clock.now())
    except HuangpuError as refused:
        return _show(request, checkout_id, refused)
    return redirect("checkout:request", request.marketplace.slug, checkout_id)


@require_POST
def code(request: PartyRequest, marketplace: str, checkout_id: UUID) -> HttpResponse:
    """The code that the payer told by phone."""
    try:
        phone.told(actor=request.actor, checkout_id=checkout_id, code=request.POST.get("code", ""), now=clock.now())
    except HuangpuError as refused:
        return _show(request, checkout_id, refused)
    return redirect("checkout:request", request.marketplace.slug, checkout_id)


@require_POST
def refund(request: PartyRequest, marketplace: str, payment_id: UUID) -> HttpResponse:
    """Some of a payment, or all of it, goes back to who paid."""
    market, payee = request.marketplace, require_own(request.actor, "checkout.see")
    found = queries.own_payment(market.pk, payee, payment_id)
    try:
        amount = parse_money(request.POST.get("amount", ""), found.currency)
        acts.pay_back(
            actor=request.actor, marketplace_id=market.pk, payment_id=found.pk, amount=amount.minor, now=clock.now()
        )
    except HuangpuError as refused:
        made = Checkout.objects.filter(payment=found).first()
        if made is None:
            raise
        return _show(request, made.pk, refused)
    made = Checkout.objects.filter(payment=found).first()
    return redirect(reverse("checkout:request", args=[market.slug, made.pk]) if made else
                    reverse("checkout:payment", args=[market.slug, found.pk]))  # fmt: skip


def _happened(found: Any, request: PartyRequest) -> dict[str, Any]:
    """What was asked on a payment and what of it can be paid back."""
    asked = queries.operations(found.pk) if found else []
    came = queries.refundable(found) if found else None
    left = found.captured - found.refunding - found.refunded - found.charged_back if found else 0
    return {
        "operations": [(one, VERBS[one.verb], title(one.provider)) for one in asked],
        "left": left if came else 0,
        "may_refund": came is not None and may(request.actor, "payments.refund"),
    }


def _banks() -> list[tuple[str, Any]]:
    return [(name, title(name)) for name in payable()]


app_name = "checkout"
_AT = "m/<slug:marketplace>/takings/"
_PAY = "m/<slug:marketplace>/pay/"
urlpatterns = [
    path(_AT, takings, name="takings"),
    *(path(f"{_AT}new/{way}/", new, {"way": way}, name=f"new_{way}") for way in WAYS),
    path(f"{_AT}requests/<uuid:checkout_id>/", shown, name="request"),
    path(f"{_AT}requests/<uuid:checkout_id>/state/", state, name="state"),
    path(f"{_AT}requests/<uuid:checkout_id>/cancel/", cancel, name="cancel"),
    path(f"{_AT}requests/<uuid:checkout_id>/code/", code, name="code"),
    path(f"{_AT}payments/<uuid:payment_id>/", payment, name="payment"),
    path(f"{_AT}payments/<uuid:payment_id>/refund/", refund, name="refund"),
    path(f"{_PAY}scan/", paying.scan, name="scan"),
    path(f"{_PAY}my-code/", paying.my_code, name="my_code"),
    path(f"{_PAY}<str:token>/", paying.pay, name="pay"),
    path(f"{_PAY}<str:token>/state/", paying.state, name="pay_state"),
    path(f"{_PAY}<str:token>/choose/", paying.choose, name="choose"),
    path(f"{_PAY}<str:token>/other-way/", paying.other_way, name="other_way"),
    path(f"{_PAY}<str:token>/wallet/", paying.from_wallet, name="from_wallet"),
]
