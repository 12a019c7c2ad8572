"""The pages of money: an organisation's wallet with its statement; a marketplace's books, and its days as they were signed."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.money import exponent, parse_money
from huangpu.core.web.paging import Page
from huangpu.core.web.templatetags.huangpu import money
from huangpu.flows.information import references
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may, require, require_own

from . import acts, keys, queries, trial
from .models import Account
from .rights import ledger_of
from .rules import account_id

ROWS = 30
SIDES = (("in", "top-up"), ("out", "withdraw"))  # the two forms, and what each does
KINDS: dict[str, Any] = {  # what a line of the statement is called
    "top_up": gettext_lazy("Paid in from the bank"),
    "withdrawal": gettext_lazy("Paid out to the bank"),
    "escrow": gettext_lazy("Set aside in escrow"),
    "release": gettext_lazy("Payment released"),
    "charge": gettext_lazy("Marketplace fee"),
    "refund": gettext_lazy("Freed from escrow"),
    "penalty": gettext_lazy("Penalty for late delivery"),
    "bid_bond": gettext_lazy("Bid bond held"),
    "bond_return": gettext_lazy("Bid bond given back"),
    "bond_forfeit": gettext_lazy("Bid bond forfeited"),
    "payment": gettext_lazy("Payment"),
    "purchase": gettext_lazy("Customer's payment"),
    "capture": gettext_lazy("Customer's payment"),
    "payment_fee": gettext_lazy("Payment fee"),
    "wallet_payment": gettext_lazy("Paid from the wallet"),
    "transfer": gettext_lazy("From wallet to wallet"),
    "chargeback": gettext_lazy("Taken back by the payer's bank"),
    "owed": gettext_lazy("Owed to the marketplace"),
    "chargeback_won": gettext_lazy("Dispute won"),
    "payout": gettext_lazy("Paid out to the bank"),
    "expiry": gettext_lazy("Freed: the time ran out"),
}
BOOKS: dict[str, Any] = {
    "wallet": pgettext_lazy("book", "Wallets"),
    "escrow": pgettext_lazy("book", "Escrow"),
    "fees": pgettext_lazy("book", "Fees"),
    "bank": pgettext_lazy("book", "Bank"),
    "penalty": pgettext_lazy("book", "Penalties"),
    "suspense": pgettext_lazy("book", "Suspense"),
    "receivable": pgettext_lazy("book", "Receivables"),
    "settlement": pgettext_lazy("book", "Settlement"),
}


@require_GET
def wallet(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The balance and the statement in one currency, by default the marketplace's."""
    require(request.actor, "funds.see")
    return _show(request, {})


@require_POST
def move(request: PartyRequest, marketplace: str, currency: str, what: str) -> HttpResponse:
    """Money from the organisation's bank (`top-up`) or to it (`withdraw`); a refusal is shown beside its field."""
    call, done = {
        "top-up": (acts.top_up, _("%(amount)s came in from your bank.")),
        "withdraw": (acts.withdraw, _("%(amount)s is on its way to your bank.")),
    }[what]
    own = _own(request, "funds.top_up" if what == "top-up" else "funds.withdraw")
    market = request.marketplace
    try:
        amount = parse_money(request.POST.get("amount", ""), currency)
        call(
            actor=request.actor,
            marketplace_id=market.pk,
            organisation_id=own,
            amount=amount.minor,
            currency=currency,
            now=clock.now(),
        )
    except HuangpuError as error:
        return _show(request, {what: error}, currency, status=error.status)
    messages.success(request, done % {"amount": money(amount)})
    return redirect("funds:currency", market.slug, currency)


@require_GET
def wallet_in(request: PartyRequest, marketplace: str, currency: str) -> HttpResponse:
    """The wallet in another currency than the marketplace's."""
    require(request.actor, "funds.see")
    return _show(request, {}, currency)


def _show(
    request: PartyRequest, errors: dict[str, HuangpuError], currency: str | None = None, status: int = 200
) -> HttpResponse:
    market, own = request.marketplace, _own(request, "funds.see")
    currency = currency or market.currency
    exponent(currency)  # refuses what is no currency
    account = account_id(market.pk, "wallet", own, currency)
    balance = queries.balances([account]).get(account)
    lines: Page[Any] = (
        queries.statement(account, request.GET.get("cursor"), ROWS) if balance else Page[Any].model_construct(items=[])
    )
    origins = references.addresses(line.reference_id for line in lines.items)
    known = Account.objects.filter(marketplace_id=market.pk, book="wallet", holder_id=own).order_by("currency")
    currencies = sorted({market.currency, currency, *known.values_list("currency", flat=True)})
    context = {
        "currency": currency,
        "currencies": currencies if len(currencies) > 1 else [],
        "balance": balance,
        "page": lines,
        "rows": [(line, KINDS.get(line.kind, line.kind), origins.get(line.reference_id)) for line in lines.items],
        **{f"{side}_error": errors.get(what) for side, what in SIDES},
        **{f"{side}_typed": request.POST.get("amount", "") if what in errors else "" for side, what in SIDES},
        "may_top_up": may(request.actor, "funds.top_up"),
        "may_withdraw": may(request.actor, "funds.withdraw") and balance is not None and balance.available > 0,
    }
    return render(request, "funds/wallet.html", context, status=status)


@require_GET
def books(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The trial balance of a marketplace, for its operator and the regulator."""
    require(request.actor, "funds.see_books", marketplace_id=request.marketplace.pk)
    found = queries.trial_balance(request.marketplace.pk)
    totals = [(BOOKS.get(total.book, total.book), total) for total in found]
    return render(request, "funds/books.html", {"totals": totals, "sums": queries.sums_by_currency(found)})


@require_GET
def ledger(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The signed trial balances of a marketplace, for its operator and its auditors."""
    market = ledger_of(request)
    page = queries.closed_days(market, cursor=request.GET.get("cursor"), limit=ROWS)
    lines = [(one, told, trial.together(told.books)) for one in page.items for told in [one.told]]
    return render(request, "funds/ledger.html", {"rows": lines, "page": page})


@require_GET
def ledger_day(request: PartyRequest, marketplace: str, day: str, currency: str) -> HttpResponse:
    """A signed day: its totals, its signature, and how to check it without this house."""
    closed = queries.closed_day(ledger_of(request), _date(day), currency)
    told = closed.told
    context = {
        "closed": closed,
        "told": told,
        "totals": [(BOOKS.get(book, book), sums) for book, sums in told.books.items()],
        "sum": trial.together(told.books),
        "file": _file_of(closed.day, currency),
        "digest": bytes(closed.digest).hex(),
        "before": told.before.hex() if told.before else "",
        "signature": keys.base64_of(bytes(closed.signature)),
        "pem": keys.pem(bytes(closed.public_key)),
    }
    return render(request, "funds/ledger_day.html", context)


@require_GET
def ledger_statement(request: PartyRequest, marketplace: str, day: str, currency: str) -> HttpResponse:
    """The very bytes that were signed, as a file."""
    closed = queries.closed_day(ledger_of(request), _date(day), currency)
    name = _file_of(closed.day, currency)
    return HttpResponse(
        closed.text,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _file_of(day: date, currency: str) -> str:
    return f"trial-balance-{day.isoformat()}-{currency}.json"


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise Http404(text) from wrong


def _own(request: PartyRequest, act: str) -> UUID:
    return require_own(request.actor, act)


app_name = "funds"
_AT = "m/<slug:marketplace>/wallet/"
_LEDGER = "m/<slug:marketplace>/ledger/"
urlpatterns = [
    path("m/<slug:marketplace>/books/", books, name="books"),
    path(_LEDGER, ledger, name="ledger"),
    path(f"{_LEDGER}<str:day>/<str:currency>/", ledger_day, name="ledger_day"),
    path(f"{_LEDGER}<str:day>/<str:currency>/statement/", ledger_statement, name="ledger_statement"),
    path(_AT, wallet, name="wallet"),
    path(f"{_AT}<str:currency>/", wallet_in, name="currency"),
    path(f"{_AT}<str:currency>/top-up/", move, {"what": "top-up"}, name="top_up"),
    path(f"{_AT}<str:currency>/withdraw/", move, {"what": "withdraw"}, name="withdraw"),
]
