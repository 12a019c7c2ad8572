"""Leaving the path of a trade: the options of its terms, used by a party, the arbiter, or the house on silence; purely.

An option takes fulfilment back, ends commitments, opens contingent ones, suspends the trade or decides a dispute; what follows
from that is `rules.advance`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7
from huangpu.core.money import share
from huangpu.core.quantity import plain
from huangpu.core.words import instant_text, list_text, money_text, quantity_text
from huangpu.flows.commerce.terms import Due, Measure, Silence

from .rules import MICRO, Promise, Step, Trade, by_key, end, fulfil, performable, promise_of
from .words import ROLES, STATES, option_words, promise_words


def find(trade: Trade, key: str) -> Mapping[str, Any]:
    """The option of that key. Refused with `option.unknown`, which names those there are."""
    for item in trade.options:
        if item["key"] == key:
            return item
    raise Invalid(
        "option.unknown", _("The terms have no option “%(value)s”; they have: %(known)s."),
        field="option", value=key, known=", ".join(item["key"] for item in trade.options),
    )  # fmt: skip


def why_not(trade: Trade, option: Mapping[str, Any], role: str, now: datetime) -> Conflict | None:
    """The reason why somebody in this role cannot use the option now, or None if it can be used."""
    if role not in option["by"]:
        holders = list_text(ROLES.get(name, name) for name in option["by"])
        return Conflict("option.not_yours", _("“%(what)s” is a right of: %(by)s."), field="option", value=option["key"],
                        what=option_words(option["key"]), by=holders)  # fmt: skip
    if trade.state == "terminated" or (trade.state == "disputed") != bool(option.get("decides")):
        return Conflict("option.closed", _("“%(what)s” cannot be used: %(number)s is %(state)s."), field="option",
                        value=option["key"], what=option_words(option["key"]), number=trade.number,
                        state=STATES[trade.state])  # fmt: skip
    opens, closes = _window(trade, option)
    if (opens and now < opens) or (closes and now >= closes):
        return Conflict(
            "option.out_of_time", _("“%(what)s” could be used from %(opens)s until %(closes)s."), field="option",
            value=option["key"], what=option_words(option["key"]), opens=instant_text(opens) if opens else "…",
            closes=instant_text(closes) if closes else "…",
        )  # fmt: skip
    wanting = [item for item in _listed(trade, option, "after") if not item.begun]
    begun = [item for item in _listed(trade, option, "unless") if item.begun]
    late = _listed(trade, option, "late")
    in_time = [item for item in late if not (item.state == "due" and item.due_at and item.due_at <= now)]
    if wanting or begun or (late and len(in_time) == len(late)):
        return Conflict(
            "option.not_yet", _("“%(what)s” cannot be used now, because of: %(because)s."), field="option",
            value=option["key"], what=option_words(option["key"]),
            because=list_text(promise_words(item) for item in wanting or begun or in_time),
        )  # fmt: skip
    return None


def exercise(
    trade: Trade,
    key: str,
    *,
    role: str,
    now: datetime,
    quantity: Decimal | None = None,
    amount: int | None = None,
) -> None:
    """Uses an option: takes fulfilment back, ends what it ends, opens its contingent commitments; then all that follows.

    `quantity`: of the option's line, for a use in part. `amount`: what an arbiter gives. Refused as `why_not` says, or
    with `option.quantity` / `option.amount`.
    """
    option = find(trade, key)
    if refusal := why_not(trade, option, role, now):
        raise refusal
    portion = _portion(trade, option, quantity)
    decided = _divided(trade, option, amount)
    for promise in _listed(trade, option, "undoes"):
        _take_back(trade, promise, Decimal(promise.quantity or 0) if portion == 1 else quantity, now)
    if option.get("decides"):
        trade.state = "open"
    if option.get("suspends"):
        trade.state = "disputed"
    for promise in _listed(trade, option, "ends"):
        if not promise.over:
            end(trade, promise, now)
    for data in option.get("then", ()):
        trade.promises.append(_opened(trade, data, portion, quantity, decided.get(data["key"])))


def _opened(
    trade: Trade, data: Mapping[str, Any], portion: Fraction, quantity: Decimal | None, decided: int | None
) -> Promise:
    promise = promise_of({**data, "ordinal": len(trade.promises) + 1, "id": uuid7()})
    uses = sum(item.key == promise.key or item.key.startswith(f"{promise.key}#") for item in trade.promises)
    siblings = {item.key.split("#")[0]: item.ordinal for item in trade.promises}
    promise.key = f"{promise.key}#{uses + 1}" if uses else promise.key
    promise.after = tuple(siblings[key] for key in data["after_keys"])
    promise.draws = siblings[data["draws_key"]] if data.get("draws_key") else None
    promise.is_new = promise.changed = True
    if promise.measure == Measure.SHARE:
        promise.amount = share(promise.amount, portion) if promise.amount else promise.amount
        promise.quantity = quantity if promise.quantity is not None and quantity is not None else promise.quantity
    if promise.measure == Measure.DECIDED:
        promise.amount = decided
        promise.state = "waiting" if decided else "ended"
    return promise


def _divided(trade: Trade, option: Mapping[str, Any], decided: int | None) -> dict[str, int]:
    """What an arbiter gives, by the clause that gives it: out of the first hold as far as it reaches, then out of the next."""
    clauses = [data for data in option.get("then", ()) if data["measure"] == Measure.DECIDED]
    held = {data["key"]: trade.held(by_key(trade, data["draws_key"])) for data in clauses}
    most = sum(held.values())
    if clauses and (decided is None or not 0 <= decided <= most):
        raise Invalid(
            "option.amount",
            _("That cannot be given; write an amount from 0 to %(most)s."),
            field="amount",
            value=decided,
            most=money_text(most, trade.currency),
        )
    given, rest = {}, decided or 0
    for key, there in held.items():
        given[key] = min(there, rest)
        rest -= given[key]
    return given


def _take_back(trade: Trade, promise: Promise, quantity: Decimal | None, now: datetime) -> None:
    used = max((item.done_quantity for item in trade.promises if promise.ordinal in item.after), default=Decimal(0))
    free = promise.done_quantity - used
    chosen = free if quantity is None or quantity > promise.done_quantity else quantity
    if not 0 < chosen <= free:
        raise Invalid("option.quantity", _("%(value)s of “%(what)s” cannot be taken back; at most %(most)s are open."),
                      field="quantity", value=plain(chosen), what=promise_words(promise), most=plain(free))  # fmt: skip
    promise.done_quantity -= chosen
    promise.state, promise.settled_at, promise.changed = "due", None, True
    promise.open_since, promise.late_at = now, None
    promise.due_at = promise.due.after(now, trade.zone) if promise.due else None
    trade.steps.append(Step(promise, -chosen, None, False))
    if trade.penalties:
        trade.arrivals.setdefault(promise.ordinal, []).append((now, -chosen))


def _portion(trade: Trade, option: Mapping[str, Any], quantity: Decimal | None) -> Fraction:
    if not option.get("line") or quantity is None:
        return Fraction(1)
    line = by_key(trade, option["line"])
    opened = {data["key"] for data in option.get("then", ()) if data.get("quantity")}
    used = sum((item.quantity or Decimal(0) for item in trade.promises if item.key.split("#")[0] in opened), Decimal(0))
    most = line.done_quantity - used
    if not 0 < quantity <= most or quantity != quantity.quantize(MICRO):
        raise Invalid(
            "option.quantity",
            _("“%(value)s” of “%(what)s” is not possible; write more than 0 and at most %(most)s."),
            field="quantity",
            value=plain(quantity),
            what=promise_words(line),
            most=quantity_text(most, line.unit),
        )
    return Fraction(quantity) / Fraction(line.quantity or 1)


def _window(trade: Trade, option: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    opens, closes = Due.of(option.get("opens")), Due.of(option.get("closes"))
    base: datetime | None = trade.concluded_at
    if option.get("closes_from"):
        base = by_key(trade, option["closes_from"]).settled_at
    return (
        opens.after(trade.concluded_at, trade.zone) if opens else None,
        closes.after(base, trade.zone) if closes and base else None,
    )


def _listed(trade: Trade, option: Mapping[str, Any], name: str) -> list[Promise]:
    return [by_key(trade, key) for key in option.get(name, ())]


def lapse(trade: Trade, ordinal: int, now: datetime) -> str | None:
    """The time of a due commitment has passed: on silence the terms decide. Returns what happened, or None if it no
    longer holds (it was performed in the meantime): "late", "deemed" or the key of the option used."""
    promise = trade.promise(ordinal)
    if (
        promise.state != "due"
        or promise.due_at is None
        or promise.due_at > now
        or promise.late_at
        or trade.state == "disputed"
    ):
        return None
    if promise.on_silence == Silence.DEEMED:
        fulfil(trade, promise, *performable(trade, promise), now=now, by_house=True)
        return Silence.DEEMED
    promise.late_at, promise.changed = now, True
    if promise.on_silence != Silence.LATE:
        exercise(trade, promise.on_silence, role="house", now=now)
    return promise.on_silence
