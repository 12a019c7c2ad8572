"""The papers of an act: the despatch that a delivery tells of, the invoice that a seller issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent
from huangpu.core.quantity import plain
from huangpu.flows.goods import acts as goods

from .performers import Effects
from .rules import Step, Trade

INVOICE_NUMBER_LENGTH_MAX = 40


def shipped(trade: Trade, event: NewEvent, effects: Effects, now: datetime) -> dict[str, Any] | None:
    """The despatch of an act's deliveries, where something is told of it (carrier, tracking, vehicle)."""
    if not effects.shipped or not effects.details:
        return None
    first = effects.shipped[0].promise
    return goods.despatch(
        marketplace_id=trade.marketplace_id, reference_id=trade.id, event_id=event.id, sender_id=first.provider_id,
        receiver_id=first.receiver_id, lines=[_line(step, effects) for step in effects.shipped], details=effects.details,
        now=now,
    )  # fmt: skip


def _line(step: Step, effects: Effects) -> dict[str, Any]:
    details = step.promise.details
    return {
        "commitment": step.promise.ordinal,
        "name": dict(step.promise.name), "quantity": plain(step.quantity or Decimal(0)), "unit": step.promise.unit,
        "item": details.get("item"), "lot": details.get("lot", ""),
        "lots": [lot.data() for lot in effects.named.get(step.promise.ordinal, ())],
    }  # fmt: skip


def invoices(trade: Trade, steps: Iterable[Step], details: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The invoice of an act, one a seller over all that it invoices, as the database's function `commerce_invoice` keeps it.
    Refused with `invoice.number`."""
    number = str(details.get("number", "")).strip()
    if not number or len(number) > INVOICE_NUMBER_LENGTH_MAX:
        raise Invalid("invoice.number", _("“%(value)s” is not an invoice number; write 1 to 40 characters."), field="number",
                      value=number)  # fmt: skip
    amounts: dict[UUID, int] = {}
    for step in steps:
        amounts[step.promise.provider_id] = amounts.get(step.promise.provider_id, 0) + (step.amount or 0)
    return [
        {
            "id": uuid7(), "marketplace_id": trade.marketplace_id, "agreement_id": trade.id, "seller_id": seller,
            "number": number, "currency": trade.currency, "amount": amount, "issued_at": now,
        }
        for seller, amount in amounts.items()
    ]  # fmt: skip


def invoice_refused(wrong: IntegrityError, details: Mapping[str, Any]) -> Conflict | None:
    """What it means that the database refused an invoice: `invoice.number_taken`; None when it was something else."""
    if "commerce_invoice_number_once" not in str(wrong):
        return None
    return Conflict("invoice.number_taken", _("You have already issued an invoice with the number “%(value)s”."),
                    field="number", value=str(details.get("number", "")).strip())  # fmt: skip
