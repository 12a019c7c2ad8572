"""Amendments on the trade page: what is proposed and signed, the form that proposes, and the buttons beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError, Invalid
from huangpu.core.money import exponent, line_total, parse_money
from huangpu.core.quantity import UNITS, parse_decimal, plain, unit_name
from huangpu.core.words import language
from huangpu.flows.commerce.models import Agreement
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may

from . import amending, amendments, queries
from .amending import Change
from .models import Amendment
from .rules import Promise, Trade


@dataclass(frozen=True, slots=True)
class Line:
    """A changed line in words: before and after, empty where nothing is there."""

    name: Mapping[str, str]
    is_new: bool
    unit: str
    before: Decimal | None
    after: Decimal | None
    amount_before: int | None
    amount: int | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class View:
    """An amendment as the trade page shows it."""

    amendment: Amendment
    lines: list[Line]
    may_sign: bool
    may_decline: bool
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery that can be amended, as the form shows it."""

    promise: Promise
    rest: str
    price: str  # of one unit, in whole currency units
    due: str


def context_of(request: PartyRequest, agreement: Agreement, trade: Trade) -> dict[str, Any]:
    """What the trade page needs: the amendments, and the rows of the form where the reader may propose one."""
    mine = request.actor.organisation_id
    signs = mine in amending.parties_of(trade) and may(request.actor, "process.amend", organisation_id=mine)
    found = queries.amendments(agreement.id)
    proposes = signs and trade.state == "open" and not any(one.state == "open" for one in found)
    zone = ZoneInfo(request.marketplace.zone)
    rows = [_row(trade, item, zone) for item in amending.open_rest(trade)] if proposes else []
    return {
        "amendments": [_view(trade, one, mine, signs) for one in found],
        "amend_rows": rows,
        "amend_units": [(code, f"{code} · {unit_name(code)}") for code in UNITS],
    }


def _row(trade: Trade, item: Promise, zone: ZoneInfo) -> Row:
    rest = (item.quantity or Decimal(0)) - item.done_quantity
    price = Decimal(item.amount or 0).scaleb(-exponent(trade.currency)) / (item.quantity or Decimal(1))
    due = item.due_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if item.due_at else ""
    return Row(item, plain(rest), plain(round(price, 6)), due)


def _view(trade: Trade, amendment: Amendment, mine: UUID | None, signs: bool) -> View:
    is_open = amendment.state == "open"
    signed = {signature.organisation_id for signature in amendment.signatures.all()}
    changes = [Change.of(data) for data in amendment.changes]
    return View(
        amendment, [_line(trade, one) for one in changes], may_sign=signs and is_open and mine not in signed,
        may_decline=signs and is_open, is_mine=amendment.proposed_by_id == mine,
    )  # fmt: skip


def _line(trade: Trade, change: Change) -> Line:
    if change.ordinal is None:
        return Line(change.name, True, change.unit, None, change.quantity, None, change.amount, change.due_at)
    delivery = trade.promise(change.ordinal)
    agreed, amount = delivery.agreed or (Decimal(0), 0)
    before = agreed - (change.delivered or Decimal(0))
    worth = int(amount * before / agreed) if agreed else 0
    after = before if change.quantity is None else change.quantity
    return Line(delivery.name, False, delivery.unit, before, after, worth, change.amount, change.due_at)


@login_required
@require_POST
def propose(request: PartyRequest, marketplace: str, number: str) -> HttpResponse:
    """Proposes and signs what was typed: the rows that differ from what is agreed, and a new line if one was written."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    try:
        amendments.propose_amendment(
            actor=request.actor, agreement_id=agreement.id, changes=_changes(request, agreement),
            note=request.POST.get("note", ""), now=clock.now(),
        )  # fmt: skip
    except HuangpuError as error:
        return _refused(request, agreement, error)
    messages.success(request, _("The amendment is proposed and signed by your organisation."))
    return redirect("process:trade", marketplace, number)


@login_required
@require_POST
def decide(request: PartyRequest, marketplace: str, number: str, amendment: int) -> HttpResponse:
    """Signs or declines."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    try:
        found = queries.amendment(agreement.id, amendment)
        if request.POST.get("answer") == "sign":
            done = amendments.sign_amendment(actor=request.actor, amendment_id=found.id, now=clock.now())
            words = _("Signed by all: the amendment applies.") if done.state == "signed" else _("Signed.")
        else:
            amendments.decline_amendment(
                actor=request.actor, amendment_id=found.id, reason=request.POST.get("reason", ""), now=clock.now()
            )
            words = _("The amendment is off; everything stays as it was.")
    except HuangpuError as error:
        return _refused(request, agreement, error)
    messages.success(request, words)
    return redirect("process:trade", marketplace, number)


def _refused(request: PartyRequest, agreement: Agreement, error: HuangpuError) -> HttpResponse:
    from .pages import refused  # the page that this is a part of

    return refused(request, agreement, error)


def _changes(request: PartyRequest, agreement: Agreement) -> list[Change]:
    trade, zone = queries.trade_of(agreement), ZoneInfo(request.marketplace.zone)
    changes = []
    for item in amending.open_rest(trade):
        row = _row(trade, item, zone)
        typed = {
            name: request.POST.get(f"{name}-{item.ordinal}", was).strip()
            for name, was in (("rest", row.rest), ("price", row.price), ("due", row.due))
        }
        if (typed["rest"], typed["price"], typed["due"]) == (row.rest, row.price, row.due):
            continue
        quantity = parse_decimal(typed["rest"], field=f"rest-{item.ordinal}", zero=True)
        priced = typed["price"] != row.price
        amount = _amount(quantity, typed["price"], agreement.currency, f"price-{item.ordinal}") if priced else None
        due = _instant(typed["due"], zone, f"due-{item.ordinal}") if typed["due"] != row.due else None
        changes.append(Change(item.ordinal, quantity if typed["rest"] != row.rest else None, amount, due))
    name = request.POST.get("new-name", "").strip()
    if name:
        quantity = parse_decimal(request.POST.get("new-quantity", ""), field="new-quantity")
        amount = _amount(quantity, request.POST.get("new-price", ""), agreement.currency, "new-price")
        text = request.POST.get("new-due", "").strip()
        due = _instant(text, zone, "new-due") if text else None
        unit = request.POST.get("new-unit", "").strip().upper()
        changes.append(Change(None, quantity, amount, due, {language(): name}, unit))
    return changes


def _amount(quantity: Decimal, price: str, currency: str, field: str) -> int:
    """Quantity times a price of one unit (at most six decimals), in minor units."""
    total = line_total(quantity, parse_decimal(price, field=field, zero=True), currency)
    return parse_money(Decimal(total).scaleb(-exponent(currency)), currency, field=field).minor


def _instant(text: str, zone: ZoneInfo, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise Invalid("amendment.due_at", _("The new time must lie in the future."), field=field, value=text) from None
