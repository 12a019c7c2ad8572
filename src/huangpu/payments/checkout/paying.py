"""The pages of a payer: what is to be paid, by which bank or wallet, how it went; and the code that a wallet shows. Made for a
phone; with the link nobody needs an account."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds.queries import wallet
from huangpu.parties.models import Organisation
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may
from huangpu.payments.gateway.provider import hosted, payable, title
from huangpu.payments.operations.models import Operation
from huangpu.payments.standards.emvco.drawing import svg

from . import acts, qr, queries
from .models import Checkout

CODE_SECONDS = 10  # a new pay code so often


def address(marketplace: str, made: Checkout) -> str:
    """The path of a checkout's link."""
    return reverse("checkout:pay", args=[marketplace, made.token])


@require_GET
def pay(request: PartyRequest, marketplace: str, token: str) -> HttpResponse:
    """What is to be paid and to whom; then how it went."""
    return _show(request, token)


def _show(request: PartyRequest, token: str, error: HuangpuError | None = None) -> HttpResponse:
    market = request.marketplace
    made = queries.by_token(market.pk, token)
    now = clock.now()
    found, asked = queries.state(made, now), queries.under_way(made)
    context: dict[str, Any] = {
        "made": made, "payee": Organisation.objects.get(pk=made.payee_id).name, "state": found, "error": error,
        "banks": [(name, title(name)) for name in payable()] if made.channel != "phone" else [],
        "seen": queries.watched(made, asked, now), **progress(request, made, asked, found),
    }  # fmt: skip
    if found == "open" and may(request.actor, "checkout.pay") and request.actor.organisation_id != made.payee_id:
        own = request.actor.organisation_id
        assert own is not None
        context["wallet"] = wallet(market.pk, own, made.currency)
        context["payer"] = Organisation.objects.get(pk=own).name
    return render(request, "checkout/pay.html", context, status=error.status if error else 200)


def progress(request: PartyRequest, made: Checkout, asked: Operation | None, found: str) -> dict[str, Any]:
    """The bank that is asked, where its page is, and why the last one declined."""
    if asked is None:
        return {}
    told: dict[str, Any] = {"asked": asked, "bank": title(asked.provider)}
    if found == "paying" and asked.state in ("pending", "unknown"):
        told["bank_page"] = _bank_page(request, made, asked)
    if found == "open" and asked.state == "declined":
        told["declined"] = asked.reason
    return told


def _bank_page(request: PartyRequest, made: Checkout, asked: Operation) -> str:
    if asked.provider not in payable() or made.channel == "phone":
        return ""
    back = request.build_absolute_uri(address(request.marketplace.slug, made))
    return hosted(asked.provider).page(asked.pk, back)


@require_GET
def state(request: PartyRequest, marketplace: str, token: str) -> HttpResponse:
    """For the page that waits: nothing while nothing has changed, then the bank's page or this one anew."""
    made = queries.by_token(request.marketplace.pk, token)
    now = clock.now()
    asked = queries.under_way(made)
    seen = queries.watched(made, asked, now)
    if seen == request.GET.get("seen"):
        return HttpResponse()
    page = progress(request, made, asked, queries.state(made, now)).get("bank_page")
    if request.GET.get("go") and page:
        return HttpResponse(headers={"HX-Redirect": page})
    return HttpResponse(headers={"HX-Redirect": address(marketplace, made)})


@require_POST
def choose(request: PartyRequest, marketplace: str, token: str) -> HttpResponse:
    """The payer has chosen a bank."""
    made = queries.by_token(request.marketplace.pk, token)
    try:
        acts.choose(actor=request.actor, checkout_id=made.pk, provider=request.POST.get("bank", ""), operation_id=uuid7(),
                    now=clock.now())  # fmt: skip
    except HuangpuError as refused:
        return _show(request, token, refused)
    return redirect(f"{address(marketplace, made)}?go=1")


@require_POST
def other_way(request: PartyRequest, marketplace: str, token: str) -> HttpResponse:
    """The payer has not agreed at the bank, and wants to choose again."""
    made = queries.by_token(request.marketplace.pk, token)
    try:
        acts.change_mind(actor=request.actor, checkout_id=made.pk, now=clock.now())
    except HuangpuError as refused:
        return _show(request, token, refused)
    return redirect(address(marketplace, made))


@require_POST
def from_wallet(request: PartyRequest, marketplace: str, token: str) -> HttpResponse:
    """The payer pays from the wallet of the organisation that they act for."""
    made = queries.by_token(request.marketplace.pk, token)
    try:
        acts.pay_from_wallet(actor=request.actor, checkout_id=made.pk, operation_id=uuid7(), now=clock.now())
    except HuangpuError as refused:
        return _show(request, token, refused)
    return redirect(address(marketplace, made))


@require_http_methods(["GET", "POST"])
def scan(request: PartyRequest, marketplace: str) -> HttpResponse:
    """A merchant's code as text, as a scanner gives it: on to what it asks for."""
    error = None
    if request.method == "POST":
        try:
            market, token = qr.read(request.POST.get("code", ""))
            return redirect("checkout:pay", market, token)
        except HuangpuError as refused:
            error = refused
    context = {"error": error, "typed": request.POST.get("code", "")}
    return render(request, "checkout/scan.html", context, status=error.status if error else 200)


@require_GET
def my_code(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The one-time code of the wallet, as a picture and as digits; a new one every ten seconds."""
    code = acts.show_code(actor=request.actor, marketplace_id=request.marketplace.pk, now=clock.now())
    own = request.actor.organisation_id
    assert own is not None
    groups = " ".join(code[start : start + 4] for start in range(0, len(code), 4))
    context = {
        "code": groups, "picture": svg(code, title=groups), "seconds": CODE_SECONDS, "currency": request.marketplace.currency,
        "wallet": wallet(request.marketplace.pk, own, request.marketplace.currency),
    }  # fmt: skip
    part = "checkout/my_code_part.html" if request.headers.get("HX-Request") else "checkout/my_code.html"
    return render(request, part, context)
