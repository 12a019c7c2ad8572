"""From a trade to the marks of its picture: what was promised, what happened, in five lanes over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from huangpu.core.log.models import Event
from huangpu.core.money import Money
from huangpu.core.names import in_language
from huangpu.core.quantity import Quantity
from huangpu.core.web.lanes import Mark

from .documents import Papers, is_its_own
from .models import Fulfilment
from .rules import Promise, Trade
from .words import ACTIONS, EVENTS, option_words, promise_words


def marks_of(
    trade: Trade,
    fulfilments: Iterable[Fulfilment],
    events: Iterable[tuple[Event, dict[str, Any] | None]],
    names: Mapping[UUID, Mapping[str, str]],
    now: datetime,
    locale: str,
    papers: Papers | None = None,
) -> list[Mark]:
    """One mark a fulfilment that stands, one a promise that is still open, one an event that fulfils no promise; each says
    how many documents lie behind it."""
    papers = papers or Papers()
    listed = list(events)
    bodies = {event.pk: body for event, body in listed}
    when = {event.pk: event.occurred_at for event, _body in listed}
    promises = {item.id: item for item in trade.promises}
    marks = [
        _event_mark(trade, event, body, len(papers.of_event(event.pk)))
        for event, body in listed
        if EVENTS.get(event.kind, ("",))[0]
    ]
    for done in fulfilments:
        promise = promises[done.commitment_id]
        taken_back = done.quantity is not None and done.quantity < 0
        own = is_its_own(promise.action, bodies.get(done.event_id))
        marks.append(
            _mark(
                promise, names, at=when.get(done.event_id), state="cancelled" if taken_back else "done",
                how_much=_how_much(trade, promise, done.quantity, done.amount, locale), href=f"#event-{done.event_id}",
                papers=len(papers.of_event(done.event_id)) if own else 0,
            )
        )  # fmt: skip
    for promise in trade.promises:
        if promise.state in ("due", "waiting"):
            late = promise.state == "due" and promise.due_at is not None and promise.due_at <= now
            rest = _rest(trade, promise, locale)
            marks.append(_mark(promise, names, at=None, state="late" if late else promise.state, how_much=rest,
                               href=f"#commitment-{promise.ordinal}",
                               papers=len(papers.of_commitment(promise.ordinal))))  # fmt: skip
        elif promise.state == "ended" and not promise.measure:
            marks.append(_mark(promise, names, at=promise.settled_at, state="cancelled",
                               how_much=_rest(trade, promise, locale), href=f"#commitment-{promise.ordinal}"))  # fmt: skip
    return marks


def _mark(
    promise: Promise, names: Mapping[UUID, Mapping[str, str]], *, at: datetime | None, state: str,
    how_much: str, href: str, papers: int = 0,
) -> Mark:  # fmt: skip
    promised, _button, deed = ACTIONS[promise.action]
    line = in_language(dict(promise.name))
    return Mark(
        lane=promise.flow,
        at=at,
        due=promise.due_at,
        state=state,
        label=str(deed if state == "done" else promised),
        detail=" · ".join(part for part in (line, how_much) if part),
        href=href,
        provider=in_language(dict(names.get(promise.provider_id, {}))),
        receiver=in_language(dict(names.get(promise.receiver_id, {}))),
        key=str(promise.ordinal),
        after=tuple(str(ordinal) for ordinal in promise.after),
        papers=papers,
    )


def _event_mark(trade: Trade, event: Event, body: dict[str, Any] | None, papers: int) -> Mark:
    lane, words = EVENTS[event.kind]
    detail = ""
    if event.kind == "process.resolved" and body:
        words = option_words(body.get("option", ""))
        detail = body.get("reason", "")
    elif event.kind == "information.attached" and body:
        detail = ", ".join(said["filename"] for said in body.get("documents", ()))
    elif event.kind == "commitment.lapsed" and body:
        deemed = body.get("silence") == "deemed"
        detail = _("deemed done, as agreed") if deemed else str(promise_words(trade.promise(body["commitment"])))
    return Mark(
        lane=lane, at=event.occurred_at, due=None, state="done", label=str(words), detail=detail,
        href=f"#event-{event.pk}", papers=papers,
    )  # fmt: skip


def _how_much(trade: Trade, promise: Promise, quantity: Any, amount: int | None, locale: str) -> str:
    if quantity is not None:
        return Quantity(abs(quantity), promise.unit).text()
    return Money(amount, trade.currency).text(locale) if amount else ""


def _rest(trade: Trade, promise: Promise, locale: str) -> str:
    if promise.quantity is not None:
        return _how_much(trade, promise, promise.quantity - promise.done_quantity, None, locale)
    return _how_much(trade, promise, None, (promise.amount or 0) - promise.done_amount, locale)
