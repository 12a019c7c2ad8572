"""Talking to providers, outside of every transaction: what was asked is sent, what is unknown is asked for, what took too long
is cancelled. Every answer, and every silence, comes back through `acts.answer`."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from huangpu.payments.gateway.provider import Answer, Order, Provider, provider

from . import acts
from .models import Operation
from .rules import FINAL, State

log = logging.getLogger(__name__)


def attempt(operation_id: UUID, *, now: datetime) -> State:
    """Asks the provider of an operation once; returns what the operation is then. May be called at any time, as often as one
    likes, from several processes: an operation has one id with its provider."""
    operation = Operation.objects.get(pk=operation_id)
    if operation.state in FINAL:
        return operation.state
    return acts.answer(operation_id=operation_id, said=_said(operation, now), now=now)


def ask_due(*, now: datetime, limit: int = 100) -> int:
    """Asks for all operations whose time has come, at most `limit`; returns how many."""
    due = acts.take_due(now=now, limit=limit)
    for one in due:
        try:
            attempt(one, now=now)
        except Exception:  # the others are asked all the same, and this one again when its time comes
            log.exception("the answer about %s could not be taken in", one)
    return len(due)


def order_of(operation: Operation) -> Order:
    """An operation as its provider knows it."""
    return Order(operation.id, operation.verb, operation.amount, operation.currency, operation.about_id)  # type: ignore[arg-type]


def _said(operation: Operation, now: datetime) -> Answer | None:
    try:
        return _talk(
            provider(operation.provider),
            order_of(operation),
            first=operation.state == "asked",
            late=operation.give_up_at <= now,
        )
    except Exception as silence:  # whatever a line or a provider's library raises: no answer is a case of its own
        log.warning("provider %s gave no answer about %s: %r", operation.provider, operation.id, silence)
        return None


def _talk(there: Provider, order: Order, *, first: bool, late: bool) -> Answer:
    if late:
        return there.cancel(order)
    if first:
        return there.send(order)
    answer = there.query(order)
    return there.send(order) if answer.status == "not_found" else answer
