"""Verb → performer: what a fulfilled commitment does to money and goods. The one place where the flows meet.

A performer turns a step into ledger items, stock movements or an invoice; the act then carries out each kind in one call.
A room above may add a verb of its own with `performs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from huangpu.core.ids import uuid7
from huangpu.flows.funds.rules import Capture, Hold, Item, Transfer, Void, account_id
from huangpu.flows.goods.queries import held_by_reference
from huangpu.flows.goods.rules import AVAILABLE, INSPECTING, Balance, Lot, Move, Pool, named_lots

from .rules import Promise, Step, Trade


@dataclass(slots=True)
class Effects:
    """What an act has to carry out in the lower rooms, collected first, then done in one call each."""

    details: dict[str, Any]
    named: dict[int, list[Lot]] = field(default_factory=dict)  # lots and serials that a delivery names, by commitment
    pool: Pool | None = None
    ledger: list[Item] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    shipped: list[Step] = field(default_factory=list)
    invoiced: list[Step] = field(default_factory=list)


Performer = Callable[[Trade, Step, Effects], None]
PAST: dict[str, str] = {}
_performers: dict[str, Performer] = {}


def performs(action: str, past: str) -> Callable[[Performer], Performer]:
    """Registers the performer of a verb and the past tense that names its event."""

    def register(performer: Performer) -> Performer:
        _performers[action], PAST[action] = performer, past
        return performer

    return register


def carry_out(trade: Trade, details: dict[str, Any]) -> Effects:
    """The effects of all steps of an act, in order, and of what it ended."""
    effects = Effects(details)
    for step in trade.steps:
        _performers[step.promise.action](trade, step, effects)
    for promise in trade.ended:
        _lift(trade, promise, effects)
    effects.moves += [
        Move(_source(trade, promise), None, reservation=change)
        for promise, change in trade.reserved
        if _stocked(promise)
    ]
    return effects


def reserve(trade: Trade) -> list[Move]:
    """What is set aside from stock when a trade is concluded: every line that names the place it is taken from."""
    return [
        Move(_source(trade, item), None, reservation=item.quantity or Decimal(0))
        for item in trade.promises
        if _stocked(item)
    ]


@performs("hold", "funds.held")
def _hold(trade: Trade, step: Step, effects: Effects) -> None:
    promise = step.promise
    effects.ledger.append(
        Hold(
            id=promise.id,
            marketplace_id=trade.marketplace_id,
            debit=wallet(trade, promise.provider_id),
            credit=account_id(trade.marketplace_id, "escrow", None, trade.currency),
            amount=step.amount or 0,
            kind="escrow",
            reference=trade.id,
            expires_at=None,
        )
    )


@performs("release", "funds.released")
def _release(trade: Trade, step: Step, effects: Effects) -> None:
    effects.ledger.append(_capture(trade, step, wallet(trade, step.promise.receiver_id)))


@performs("charge", "funds.charged")
def _charge(trade: Trade, step: Step, effects: Effects) -> None:
    effects.ledger.append(_capture(trade, step, account_id(trade.marketplace_id, "fees", None, trade.currency)))


@performs("refund", "funds.refunded")
def _refund(trade: Trade, step: Step, effects: Effects) -> None:
    effects.ledger.append(_freed(trade, step, "refund"))


@performs("penalty", "funds.penalised")
def _penalty(trade: Trade, step: Step, effects: Effects) -> None:
    if step.promise.receiver_id == _held_by(trade, step.promise).provider_id:  # back to who paid it in
        effects.ledger.append(_freed(trade, step, "penalty"))
    else:
        effects.ledger.append(_capture(trade, step, wallet(trade, step.promise.receiver_id)))


@performs("pay", "funds.paid")
def _pay(trade: Trade, step: Step, effects: Effects) -> None:
    effects.ledger.append(
        Transfer(
            id=uuid7(),
            marketplace_id=trade.marketplace_id,
            debit=wallet(trade, step.promise.provider_id),
            credit=wallet(trade, step.promise.receiver_id),
            amount=step.amount or 0,
            kind="payment",
            reference=trade.id,
        )
    )


@performs("deliver", "goods.delivered")
def _deliver(trade: Trade, step: Step, effects: Effects) -> None:
    promise, quantity = step.promise, step.quantity or Decimal(0)
    if quantity > 0:
        effects.shipped.append(step)
    inspected = any(item.action == "accept" and promise.ordinal in item.after for item in trade.promises)
    target = _target(trade, promise, promise.receiver_id, INSPECTING if inspected else AVAILABLE)
    source = _source(trade, promise)
    if quantity < 0:
        _take_back(trade, target, source, -quantity, effects)
    elif lots := named_lots(effects.details, promise.ordinal, quantity):
        effects.named[promise.ordinal] = lots
        if source:  # what was reserved was of the promised lot
            effects.moves.append(Move(source, None, reservation=-quantity))
        for lot in lots:
            taken = _balance(trade, promise, "from_place", promise.provider_id, AVAILABLE, lot.place)
            put = target and target.of(lot)
            if taken or put:
                effects.moves.append(Move(taken and taken.of(lot), put, lot.quantity))
    elif target or source:
        effects.moves.append(Move(source, target, quantity, -quantity if source else Decimal(0)))


def _take_back(
    trade: Trade, target: Balance | None, source: Balance | None, quantity: Decimal, effects: Effects
) -> None:
    """The goods return to where they came from, each of its own lot, and are owed again."""
    if target:
        for held, part in _pool(trade, effects).take(target, quantity):
            effects.moves.append(Move(held, source and source.of(Lot(held.lot, held.serial, part)), part))
    elif source:
        effects.moves.append(Move(None, source, quantity))
    if source:
        effects.moves.append(Move(source, None, reservation=quantity))


@performs("serve", "goods.served")
def _serve(trade: Trade, step: Step, effects: Effects) -> None:
    if source := _source(trade, step.promise):
        effects.moves.append(Move(source, None, step.quantity or Decimal(0), -(step.quantity or Decimal(0))))


@performs("transfer_title", "commerce.title_transferred")
def _transfer_title(trade: Trade, step: Step, effects: Effects) -> None:
    promise, quantity = step.promise, step.quantity or Decimal(0)
    if source := _source(trade, promise):
        target = replace(source, owner_id=promise.receiver_id)
        effects.moves.append(Move(source, target, quantity, -quantity))


@performs("accept", "process.accepted")
def _accept(trade: Trade, step: Step, effects: Effects) -> None:
    delivery = trade.promise(step.promise.after[0])
    inspected = _target(trade, delivery, delivery.receiver_id, INSPECTING)
    if inspected and step.quantity:
        accepted = _target(trade, delivery, delivery.receiver_id, AVAILABLE)
        for held, part in _pool(trade, effects).take(inspected, step.quantity):
            effects.moves.append(Move(held, accepted and accepted.of(Lot(held.lot, held.serial, part)), part))


@performs("invoice", "information.invoiced")
def _invoice(_trade: Trade, step: Step, effects: Effects) -> None:
    effects.invoiced.append(step)


def wallet(trade: Trade, organisation_id: UUID) -> UUID:
    """The account of an organisation's wallet on the trade's marketplace."""
    return account_id(trade.marketplace_id, "wallet", organisation_id, trade.currency)


def _capture(trade: Trade, step: Step, credit: UUID) -> Capture:
    return Capture(
        id=uuid7(),
        marketplace_id=trade.marketplace_id,
        hold_id=_held_by(trade, step.promise).id,
        amount=step.amount or 0,
        credit=credit,
        kind=step.promise.action,
        reference=trade.id,
    )


def _freed(trade: Trade, step: Step, kind: str) -> Void:
    return Void(
        id=uuid7(),
        marketplace_id=trade.marketplace_id,
        hold_id=_held_by(trade, step.promise).id,
        amount=step.amount or 0,
        kind=kind,
        reference=trade.id,
    )


def _held_by(trade: Trade, promise: Promise) -> Promise:
    assert promise.draws is not None, "the terms' check lets no draw be without its hold"
    return trade.promise(promise.draws)


def _lift(trade: Trade, promise: Promise, effects: Effects) -> None:
    rest = (promise.quantity or Decimal(0)) - promise.done_quantity
    if _stocked(promise) and rest > 0:
        effects.moves.append(Move(_source(trade, promise), None, reservation=-rest))


def _pool(trade: Trade, effects: Effects) -> Pool:
    """What this trade has put where: a delivery may have been of other lots than the promised ones."""
    if effects.pool is None:
        effects.pool = Pool(held_by_reference(trade.id))
    return effects.pool


def _stocked(promise: Promise) -> bool:
    return promise.action in ("deliver", "serve", "transfer_title") and bool(promise.details.get("from_place"))


def _source(trade: Trade, promise: Promise) -> Balance | None:
    return _balance(trade, promise, "from_place", promise.provider_id, AVAILABLE) if _stocked(promise) else None


def _target(trade: Trade, promise: Promise, owner_id: UUID, disposition: str) -> Balance | None:
    return _balance(trade, promise, "to_place", owner_id, disposition)


def _balance(trade: Trade, promise: Promise, place: str, owner_id: UUID, disposition: str,
             instead: UUID | None = None) -> Balance | None:  # fmt: skip
    """The balance of the promised goods at the `place` of its details, or at another one; None where there is none."""
    details = promise.details
    at = instead or (UUID(details[place]) if details.get(place) else None)
    if at is None or not details.get("item"):
        return None
    return Balance(
        trade.marketplace_id, at, UUID(details["item"]), owner_id, details.get("lot", ""), disposition,
        details.get("serial", ""),
    )  # fmt: skip
