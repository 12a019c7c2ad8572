"""What follows from what: the state of a trade's commitments, as pure functions over values.

No I/O and no clock. An act loads a `Trade`, lets these functions change it, and writes what changed. The rules:

- A commitment *waits* until its conditions hold, is then *due*, and in the end *done* or *ended* (its rest will not come).
- It waits for all that stand in `after` to be over. If none of those came to anything, it ends with them; only a refund of
  what is left comes in any case.
- A *stepwise* commitment may be performed as far as its conditions have been fulfilled: the share of their values,
  rounded down, the rest with the last part. When they are over and it has kept pace, it is over too.
- An *automatic* commitment is performed by the house as soon as it is due, within the same act.
- A *penalty* for lateness is drawn from the hold when what came late is accepted, and by as much less is released.

Leaving the path by an option, and what silence means, is `options.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict, Invalid
from huangpu.core.money import share
from huangpu.core.quantity import plain
from huangpu.core.words import list_text, money_text, quantity_text
from huangpu.flows.commerce.terms import Due, Measure, Silence

from . import lateness
from .words import STATES, promise_words

MICRO = Decimal("0.000001")
NOTHING, WHOLE = Fraction(0), Fraction(1)
AS_IT_COMES = frozenset({Measure.REST, Measure.LATENESS})  # nobody has promised that it comes to anything
STEPS_MAX = 10_000  # a limit on everything: no terms need more steps in one act


@dataclass(slots=True)
class Promise:
    """A commitment in memory. `position` is its ordinal in the agreement, from 1."""

    id: UUID
    ordinal: int
    key: str
    flow: str
    action: str
    provider_id: UUID
    receiver_id: UUID
    name: Mapping[str, str]
    after: tuple[int, ...]
    stepwise: bool
    automatic: bool
    draws: int | None
    measure: str
    due: Due | None
    on_silence: str
    quantity: Decimal | None
    unit: str
    amount: int | None
    details: Mapping[str, Any]
    state: str = "waiting"
    done_quantity: Decimal = Decimal(0)
    done_amount: int = 0
    open_since: datetime | None = None
    due_at: datetime | None = None
    late_at: datetime | None = None
    settled_at: datetime | None = None
    is_new: bool = False
    changed: bool = False

    @property
    def over(self) -> bool:
        return self.state in ("done", "ended")

    @property
    def void(self) -> bool:
        """Whether nothing is left of it: an amendment has cut it down to the nothing that was kept."""
        return self.quantity == 0 or (self.amount == 0 and not self.measure)

    @property
    def agreed(self) -> tuple[Decimal, int] | None:
        """Quantity and amount as they were promised at first, also of a commitment that an amendment has cut down since."""
        kept = self.details.get("agreed")
        if kept:
            return Decimal(kept["quantity"]), kept["amount"]
        return (self.quantity, self.amount) if self.quantity and self.amount else None

    @property
    def begun(self) -> bool:
        return self.done_quantity > 0 or self.done_amount > 0 or self.state == "done"

    @property
    def kept(self) -> bool:
        """Whether nothing of it is missing, by its counts alone."""
        if self.quantity is not None:
            return self.done_quantity == self.quantity
        return not self.amount or self.done_amount == self.amount

    @property
    def progress(self) -> Fraction:
        """How much of it has been kept, from 0 to 1, exactly."""
        if self.quantity is not None:
            return Fraction(self.done_quantity) / Fraction(self.quantity) if self.quantity else WHOLE
        if self.amount:
            return Fraction(self.done_amount, self.amount)
        return Fraction(self.state == "done")


@dataclass(frozen=True, slots=True)
class Step:
    """A commitment was performed, or with a negative quantity taken back, in part or whole."""

    promise: Promise
    quantity: Decimal | None
    amount: int | None
    by_house: bool


@dataclass(slots=True)
class Trade:
    """An agreement with its commitments and options, as the rules see it."""

    id: UUID
    marketplace_id: UUID
    operator_id: UUID
    number: str
    currency: str
    state: str
    concluded_at: datetime
    zone: ZoneInfo
    roles: Mapping[str, UUID]
    options: Sequence[Mapping[str, Any]]
    promises: list[Promise]
    version: int = 1
    origin_id: UUID | None = None
    steps: list[Step] = field(default_factory=list)
    ended: list[Promise] = field(default_factory=list)
    # of a trade with penalties for lateness only: which they are, and when how much of a delivery came, by its ordinal
    penalties: list[Promise] = field(init=False)
    arrivals: dict[int, list[tuple[datetime, Decimal]]] = field(default_factory=dict)
    reserved: list[tuple[Promise, Decimal]] = field(
        default_factory=list
    )  # by how much an amendment changed reservations

    def __post_init__(self) -> None:
        self.penalties = [item for item in self.promises if item.measure == Measure.LATENESS]

    def promise(self, ordinal: int) -> Promise:
        return self.promises[ordinal - 1]

    def conditions(self, promise: Promise) -> list[Promise]:
        return [self.promise(ordinal) for ordinal in promise.after]

    def held(self, hold: Promise) -> int:
        """What is left in a hold: what was held less everything that has drawn from it. Minor units."""
        return hold.done_amount - sum(item.done_amount for item in self.promises if item.draws == hold.ordinal)


def by_key(trade: Trade, key: str) -> Promise:
    """The commitment with that key; of several uses of an option, the last."""
    return next(item for item in reversed(trade.promises) if item.key.split("#")[0] == key)


def earned(trade: Trade, promise: Promise) -> Fraction:
    """The share of a stepwise commitment that its conditions have earned so far, weighed by their values."""
    conditions = [item for item in trade.conditions(promise) if not item.void]
    if not any(item.begun for item in conditions):
        return NOTHING
    if all(item.state == "done" for item in conditions):
        return WHOLE
    weights = [item.amount or 1 for item in conditions]
    kept = sum((weight * item.progress for weight, item in zip(weights, conditions, strict=True)), NOTHING)
    return kept / sum(weights)


def performable(trade: Trade, promise: Promise) -> tuple[Decimal | None, int | None]:
    """How much of a commitment could be performed now: (quantity, None), (None, amount) or (None, None) for a plain act.

    Zero means that it has to wait. The caller has made sure that it is not over.
    """
    portion = earned(trade, promise) if promise.stepwise and promise.after else WHOLE
    if promise.quantity is not None:
        if portion is WHOLE:
            return promise.quantity - promise.done_quantity, None
        reach = Decimal(promise.quantity) * portion.numerator / portion.denominator
        return reach.quantize(MICRO, rounding=ROUND_DOWN) - promise.done_quantity, None
    if promise.measure == Measure.REST and promise.draws is not None:
        return None, trade.held(trade.promise(promise.draws))
    if promise.measure == Measure.LATENESS:
        return None, _owed_for_lateness(trade, promise)
    if promise.amount is not None:
        less = deducted(trade, promise) if trade.penalties else 0
        return None, share(promise.amount + less, portion) - less - promise.done_amount
    return None, None


def deducted(trade: Trade, promise: Promise) -> int:
    """What penalties have taken out of a commitment; its `amount` has become less by as much."""
    return sum(item.done_amount for item in trade.penalties if item.details["out_of"] == promise.key)


def _owed_for_lateness(trade: Trade, penalty: Promise) -> int:
    """What lateness costs so far and was not drawn yet, as far as the proceeds that it comes out of reach now."""
    proceeds = by_key(trade, penalty.details["out_of"])
    if proceeds.over:
        return 0
    rate, cost = lateness.Rate.of(penalty.details), 0
    for accepted in trade.conditions(penalty):
        [delivery] = trade.conditions(accepted)
        if delivery.due is None or delivery.agreed is None:
            continue
        quantity, amount = delivery.agreed
        cost += lateness.penalty(
            amount=amount,
            quantity=quantity,
            accepted=accepted.done_quantity,
            due=delivery.due.after(_could_begin(trade, delivery), trade.zone),
            arrivals=trade.arrivals.get(delivery.ordinal, ()),
            rate=rate,
        )
    return max(0, min(cost - penalty.done_amount, performable(trade, proceeds)[1] or 0))


def _could_begin(trade: Trade, promise: Promise) -> datetime:
    """When what it waits for was over. A rejected delivery is owed by a new time; its lateness counts from the first."""
    return max((item.settled_at for item in trade.conditions(promise) if item.settled_at), default=trade.concluded_at)


def advance(trade: Trade, now: datetime) -> None:
    """Brings every commitment to the state that follows, performing what is automatic, until nothing moves any more."""
    for _round in range(STEPS_MAX):
        moved = False
        for promise in trade.promises:
            if not promise.over:
                moved |= _settle(trade, promise, now)
        if not moved:
            break
    else:  # pragma: no cover - terms are acyclic, so this cannot be reached
        raise RuntimeError("the terms do not come to rest")
    _close(trade)


def _settle(trade: Trade, promise: Promise, now: datetime) -> bool:
    conditions = trade.conditions(promise)
    over = all(item.over for item in conditions)
    if conditions and over and promise.measure != Measure.REST and not any(item.begun for item in conditions):
        return end(trade, promise, now)
    if promise.stepwise and conditions:
        quantity, amount = performable(trade, promise)
        ready = (quantity if quantity is not None else amount if amount is not None else 0) > 0
        if not ready and over:  # it has kept pace with what came; more will not come
            return end(trade, promise, now)
    else:
        ready = over
    if ready and promise.measure == Measure.REST and performable(trade, promise)[1] == 0:
        return end(trade, promise, now)
    if ready and promise.automatic and trade.state != "disputed":
        fulfil(trade, promise, *performable(trade, promise), now=now, by_house=True)
        return True
    wanted = "due" if ready else "waiting"
    if promise.state == wanted:
        return False
    promise.state, promise.changed = wanted, True
    promise.open_since = now if ready else None
    promise.due_at = promise.due.after(now, trade.zone) if ready and promise.due else None
    promise.late_at = None
    return True


def fulfil(
    trade: Trade, promise: Promise, quantity: Decimal | None, amount: int | None, *, now: datetime, by_house: bool
) -> None:
    """Books a fulfilment on a commitment. The amounts have been checked against `performable`."""
    promise.done_quantity += quantity or 0
    promise.done_amount += amount or 0
    if promise.measure in (Measure.REST, Measure.LATENESS):
        promise.amount = promise.done_amount
    promise.changed = True
    if promise.measure == Measure.LATENESS:  # it is over when no more can come late
        proceeds = by_key(trade, promise.details["out_of"])
        proceeds.amount, proceeds.changed = (proceeds.amount or 0) - (amount or 0), True
    elif promise.kept:
        promise.state, promise.settled_at = "done", now
    trade.steps.append(Step(promise, quantity, amount, by_house))
    if trade.penalties and quantity is not None:
        trade.arrivals.setdefault(promise.ordinal, []).append((now, quantity))
    if len(trade.steps) > STEPS_MAX:
        raise RuntimeError("one act has too many steps")


def perform(
    trade: Trade, ordinal: int, quantity: Decimal | None, amount: int | None, *, now: datetime, by_house: bool = False
) -> None:
    """A party keeps a promise, in part or (by default) as far as it can be kept now; then all that follows happens.

    Refused with `agreement.disputed`, `commitment.over`, `commitment.waiting`, `commitment.too_much` or
    `commitment.in_whole`.
    """
    promise = trade.promise(ordinal)
    if trade.state == "disputed":
        raise Conflict("agreement.disputed", _("%(number)s is in dispute; it goes on when the arbiter has decided."),
                       number=trade.number)  # fmt: skip
    if promise.over:
        raise Conflict("commitment.over", _("“%(what)s” is over: %(state)s."), field="commitment", value=promise.key,
                       what=promise_words(promise), state=STATES[promise.state])  # fmt: skip
    if promise.state == "waiting":
        waits = list_text(promise_words(item) for item in trade.conditions(promise) if not item.over)
        raise Conflict("commitment.waiting", _("“%(what)s” has to wait for: %(waits)s."), field="commitment",
                       value=promise.key, what=promise_words(promise), waits=waits)  # fmt: skip
    most_quantity, most_amount = performable(trade, promise)
    quantity, amount = _part(promise, quantity, amount, most_quantity, most_amount, trade.currency)
    fulfil(trade, promise, quantity, amount, now=now, by_house=by_house)


def _part(
    promise: Promise,
    quantity: Decimal | None,
    amount: int | None,
    most_quantity: Decimal | None,
    most_amount: int | None,
    currency: str,
) -> tuple[Decimal | None, int | None]:
    if most_quantity is not None:
        chosen = most_quantity if quantity is None else quantity
        if not 0 < chosen <= most_quantity or chosen != chosen.quantize(MICRO):
            raise Invalid(
                "commitment.too_much",
                _("%(value)s of “%(what)s” cannot be performed now; write a quantity above 0 and at most %(most)s."),
                field="quantity", value=plain(chosen), what=promise_words(promise),
                most=quantity_text(most_quantity, promise.unit),
            )  # fmt: skip
        return chosen, None
    if most_amount is not None and amount is not None and amount != most_amount:
        raise Invalid(
            "commitment.in_whole",
            _("“%(what)s” is performed in whole: %(most)s, not %(asked)s."),
            field="amount", value=amount, what=promise_words(promise), most=money_text(most_amount, currency),
            asked=money_text(amount, currency),
        )  # fmt: skip
    return None, most_amount


def end(trade: Trade, promise: Promise, now: datetime) -> bool:
    kept_all = promise.begun and promise.kept
    promise.state, promise.settled_at, promise.changed = ("done" if kept_all else "ended"), now, True
    if not kept_all:
        trade.ended.append(promise)
    return True


def _close(trade: Trade) -> None:
    if trade.state == "disputed" or not trade.promises:
        return
    if not all(item.over for item in trade.promises):
        trade.state = "open"
    elif any(item.state == "ended" and item.measure not in AS_IT_COMES and not item.void for item in trade.promises):
        trade.state = "terminated"
    else:
        trade.state = "fulfilled"


# ── from terms and rows ──────────────────────────────────────────────────────────────────────────────────────────────


def promise_of(data: Mapping[str, Any]) -> Promise:
    """A commitment from its compiled form or a row."""
    return Promise(
        id=_uuid(data["id"]),
        ordinal=data["ordinal"],
        key=data["key"],
        flow=data["flow"],
        action=data["action"],
        provider_id=_uuid(data["provider_id"]),
        receiver_id=_uuid(data["receiver_id"]),
        name=data.get("name") or {},
        after=tuple(data.get("after") or ()),
        stepwise=bool(data.get("stepwise")),
        automatic=bool(data.get("automatic")),
        draws=data.get("draws"),
        measure=data.get("measure") or "",
        due=Due.of(data.get("due")),
        on_silence=data.get("on_silence") or Silence.LATE,
        quantity=None if data.get("quantity") is None else Decimal(data["quantity"]),
        unit=data.get("unit") or "",
        amount=data.get("amount"),
        details=data.get("details") or {},
    )


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
