"""What an amendment does to a trade, purely: commitments are cut down to what was kept, and new ones are added beside them.

An amendment is about the *rest* of deliveries, what has not been delivered: another quantity, another price, another time, or
a line more. The rules:

- A changed delivery is cut to what was delivered of it; its value is its share, rounded up. What follows it (acceptance,
  release, fee, invoice) is cut by the very same amount, so that the old hold still pays out to the last fen.
- What was cut off goes back to who paid it in, and what is agreed now is held anew, both in one posting: only the difference
  moves. Where the old hold was not paid yet, it is cut, and the new one is owed by the same time.
- The new rest has commitments of its own, copies of the old chain under the old names with "~" and the amendment's number.
  The fee is the same share of the price as before, rounded down.
- Options follow: a line's own are copied for its new rest, those of the whole trade take in what was added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7
from huangpu.core.money import LARGEST
from huangpu.core.quantity import parse_quantity, plain
from huangpu.core.words import quantity_text
from huangpu.flows.commerce.terms import Due, Measure, at

from .rules import MICRO, Promise, Trade, deducted, end
from .words import STATES, promise_words

DELIVERIES = ("deliver", "serve")
CHANGES_MAX = 500


@dataclass(frozen=True, slots=True)
class Change:
    """Of the delivery `ordinal`, what is agreed now for its rest; without an ordinal, a new line (all but `due_at` is said).

    `quantity`: of the rest, 0 for none, None as it is. `amount`: its value in minor units, None by the old price, rounded half
    up. `due_at`: None as it is. `delivered`: how much had come when it was proposed; another quantity since makes it void.
    """

    ordinal: int | None = None
    quantity: Decimal | None = None
    amount: int | None = None
    due_at: datetime | None = None
    name: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    delivered: Decimal | None = None

    def data(self) -> dict[str, Any]:
        return {
            "ordinal": self.ordinal,
            "quantity": None if self.quantity is None else plain(self.quantity),
            "amount": self.amount,
            "due_at": rfc3339(self.due_at) if self.due_at else None,
            "name": dict(self.name),
            "unit": self.unit,
            "delivered": None if self.delivered is None else plain(self.delivered),
        }

    @staticmethod
    def of(data: Mapping[str, Any]) -> Change:
        return Change(
            ordinal=data["ordinal"],
            quantity=None if data["quantity"] is None else Decimal(data["quantity"]),
            amount=data["amount"],
            due_at=datetime.fromisoformat(data["due_at"]) if data["due_at"] else None,
            name=data["name"],
            unit=data["unit"],
            delivered=None if data["delivered"] is None else Decimal(data["delivered"]),
        )


@dataclass(slots=True)
class Amended:
    """What was done: how much was cut off and how much added, in minor units, and the options as they are now."""

    cut: int = 0
    added: int = 0
    options: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _NewLine:
    """A delivery that is promised anew, after the model of an old one."""

    model: Promise
    key: str
    quantity: Decimal
    amount: int
    unit: str
    name: Mapping[str, str]
    details: Mapping[str, Any]
    due: Due | None


@dataclass(frozen=True, slots=True)
class _Chain:
    """What hangs together: one hold, what is paid out of it, and the commitments that lead there, in their order."""

    hold: Promise
    links: list[Promise]
    price: int
    release: Promise
    charge: Promise | None


def apply(trade: Trade, changes: Sequence[Change], number: int, now: datetime) -> Amended:
    """Changes the trade. Advance it afterwards: what goes back and what is held anew is automatic.

    Refused with `amendment.not_open`, `.nothing`, `.not_a_delivery`, `.over`, `.outdated`, `.quantity`, `.amount`, `.due_at`,
    `.name`, or `.not_possible` for terms whose money does not follow their deliveries.
    """
    if trade.state != "open":
        raise Conflict("amendment.not_open", _("%(number)s is %(state)s; only a trade under way can be amended."),
                       number=trade.number, state=STATES[trade.state])  # fmt: skip
    if not 0 < len(changes) <= CHANGES_MAX or len({one.ordinal for one in changes if one.ordinal}) < sum(
        one.ordinal is not None for one in changes
    ):
        raise Invalid("amendment.nothing", _("An amendment changes 1 to %(most)s lines, each once."), field="changes",
                      value=len(changes), most=CHANGES_MAX)  # fmt: skip
    changed = {one.ordinal: _delivery(trade, one) for one in changes if one.ordinal is not None}
    chain = _chain(trade, list(changed.values()) or [_last_delivery(trade)])
    done, fresh = Amended(), []
    for place, one in enumerate(changes):
        delivery = changed[one.ordinal] if one.ordinal is not None else None
        fresh.append(_promised(chain, one, delivery, f"new-{number}-{place + 1}", place, now))
    promised = [line for line in fresh if line is not None]
    fee = Fraction(chain.charge.amount or 0, chain.price) if chain.charge else Fraction(0)
    done.cut = sum(_cut_line(trade, chain, delivery, now) for delivery in changed.values())
    done.added = sum(line.amount for line in promised)
    if done.cut:
        _cut_shared(trade, chain, done.cut, number, now)
    copies = _add(trade, chain, promised, fee, number) if promised else {}
    done.options = _options(trade, chain, promised, copies, number)
    trade.options = done.options
    return done


def open_rest(trade: Trade) -> list[Promise]:
    """The deliveries of which something is still to come: what an amendment can change."""
    return [item for item in trade.promises if item.action in DELIVERIES and not item.over and not item.measure]


# ── reading what is asked ────────────────────────────────────────────────────────────────────────────────────────────


def _delivery(trade: Trade, change: Change) -> Promise:
    ordinal = change.ordinal or 0
    if not 1 <= ordinal <= len(trade.promises) or trade.promise(ordinal).action not in DELIVERIES:
        raise Invalid("amendment.not_a_delivery", _("%(value)s is not the number of a delivery."), field="ordinal",
                      value=change.ordinal)  # fmt: skip
    delivery = trade.promise(ordinal)
    if delivery.over or delivery.measure:
        raise Conflict("amendment.over", _("Nothing of “%(what)s” is still to be delivered."), field="ordinal",
                       value=delivery.key, what=promise_words(delivery))  # fmt: skip
    if change.delivered is not None and change.delivered != delivery.done_quantity:
        raise Conflict(
            "amendment.outdated",
            _("Of “%(what)s” %(now)s have been delivered, %(then)s when this was proposed; propose it anew."),
            field="ordinal", value=delivery.key, what=promise_words(delivery),
            now=quantity_text(delivery.done_quantity, delivery.unit),
            then=quantity_text(change.delivered, delivery.unit),
        )  # fmt: skip
    return delivery


def _last_delivery(trade: Trade) -> Promise:
    found = [item for item in trade.promises if item.action in DELIVERIES and not item.measure]
    if not found:
        raise _not_possible(trade)
    return found[-1]


def _promised(
    chain: _Chain, change: Change, delivery: Promise | None, key: str, place: int, now: datetime
) -> _NewLine | None:
    """The line that is promised anew, or None where nothing of the rest is to come."""
    if change.due_at is not None and change.due_at <= now:
        raise Invalid("amendment.due_at", _("The new time must lie in the future."), field=f"changes.{place}.due_at",
                      value=rfc3339(change.due_at))  # fmt: skip
    if delivery is None:
        return _new_line(chain, change, key, place)
    rest = (delivery.quantity or Decimal(0)) - delivery.done_quantity
    value = _cut_value(delivery)
    quantity = rest if change.quantity is None else change.quantity
    if not quantity >= 0 or quantity != quantity.quantize(MICRO) or quantity >= Decimal(10) ** 12:
        raise Invalid("amendment.quantity", _("“%(value)s” is not a quantity; write 0 or more, at most six decimals."),
                      field=f"changes.{place}.quantity", value=plain(quantity))  # fmt: skip
    amount = change.amount
    if amount is None:
        amount = int(value * Fraction(quantity) / Fraction(rest) + Fraction(1, 2))
    _check_amount(amount, quantity, place)
    if (quantity, amount, change.due_at) == (rest, value, None):
        raise Invalid("amendment.nothing", _("Nothing is changed of “%(what)s”."), field=f"changes.{place}",
                      value=delivery.key, what=promise_words(delivery))  # fmt: skip
    if quantity == 0:
        return None
    due = at(change.due_at) if change.due_at else at(delivery.due_at) if delivery.due_at else delivery.due
    return _NewLine(
        delivery, _base(delivery.key), quantity, amount, delivery.unit, delivery.name, _plain_details(delivery), due
    )


def _new_line(chain: _Chain, change: Change, key: str, place: int) -> _NewLine:
    if not any(text.strip() for text in change.name.values()) or any(len(text) > 300 for text in change.name.values()):
        raise Invalid(
            "amendment.name", _("Say what is bought, in at most 300 characters."), field=f"changes.{place}.name"
        )
    quantity = parse_quantity(change.quantity if change.quantity is not None else Decimal(0), change.unit,
                              field=f"changes.{place}.quantity").value  # fmt: skip
    _check_amount(change.amount or 0, quantity, place)
    model = next(item for item in chain.links if item.action in DELIVERIES)
    due = at(change.due_at) if change.due_at else model.due
    details = {
        name: value for name, value in model.details.items() if name == "to_place" and "item" not in model.details
    }
    return _NewLine(
        model, f"{model.action}/{key}", quantity, change.amount or 0, change.unit, dict(change.name), details, due
    )


def _check_amount(amount: int, quantity: Decimal, place: int) -> None:
    if not 0 <= amount <= LARGEST or (amount > 0) != (quantity > 0):
        raise Invalid(
            "amendment.amount",
            _("That is not the value of that quantity; write an amount above 0, or 0 for none."),
            field=f"changes.{place}.amount", value=amount,
        )  # fmt: skip


def _chain(trade: Trade, deliveries: Sequence[Promise]) -> _Chain:
    """The chain that these deliveries belong to: one for all of them, whose payouts are worth exactly its lines."""
    holds = {hold for item in deliveries for hold in item.after}
    if len(holds) != 1 or trade.promise(holds.copy().pop()).action != "hold":
        raise _not_possible(trade)
    hold = trade.promise(holds.pop())
    follows = _following(trade, {item.ordinal for item in deliveries})
    paid = [item for item in follows if item.draws == hold.ordinal and not item.measure]
    releases = [item for item in paid if item.action == "release"]
    charges = [item for item in paid if item.action == "charge"]
    if len(releases) != 1 or len(charges) > 1 or len(paid) != len(releases) + len(charges):
        raise _not_possible(trade)
    release, charge = releases[0], charges[0] if charges else None
    lines = [
        item for item in trade.promises
        if item.action in DELIVERIES and tuple(item.after) == (hold.ordinal,) and release in _following(trade, {item.ordinal})
    ]  # fmt: skip
    price = (release.amount or 0) + deducted(trade, release) + (charge.amount or 0 if charge else 0)
    if price == 0 or price != sum(item.amount or 0 for item in lines):
        raise _not_possible(trade)
    links = [*lines, *_following(trade, {item.ordinal for item in lines})]
    if sum(item.draws is None and item.quantity is None and item.amount is not None for item in links) > 1:
        raise _not_possible(trade)  # whose invoice would it be?
    return _Chain(hold, links, price, release, charge)


def _following(trade: Trade, ordinals: set[int]) -> list[Promise]:
    """What follows these commitments in the terms, directly or not; not what options have opened."""
    reached = set(ordinals)
    for item in trade.promises:
        if reached & set(item.after) and item.measure in ("", Measure.LATENESS):
            reached.add(item.ordinal)
    return [item for item in trade.promises if item.ordinal in reached - ordinals]


def _not_possible(trade: Trade) -> Conflict:
    return Conflict(
        "amendment.not_possible",
        _("The terms of %(number)s cannot be amended: their payment does not follow their deliveries."),
        number=trade.number,
    )


# ── cutting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cut_value(delivery: Promise) -> int:
    """What the rest of a delivery is worth: its amount less the share of what came, which is rounded up."""
    amount = delivery.amount or 0
    return amount - ceil(amount * Fraction(delivery.done_quantity) / Fraction(delivery.quantity or 1))


def _cut_line(trade: Trade, chain: _Chain, delivery: Promise, now: datetime) -> int:
    """Cuts a delivery, and its acceptance with it, down to what was delivered; returns what the rest was worth."""
    value, kept = _cut_value(delivery), delivery.done_quantity
    trade.reserved.append((delivery, kept - (delivery.quantity or Decimal(0))))
    of_line = [item for item in chain.links if tuple(item.after) == (delivery.ordinal,) and item.quantity is not None]
    for item in (delivery, *of_line):
        if "agreed" not in item.details:
            agreed = {"quantity": plain(item.quantity or Decimal(0)), "amount": item.amount}
            item.details = {**item.details, "agreed": agreed}
        item.quantity, item.amount = kept, (item.amount or 0) - value
        _rested(trade, item, now)
    return value


def _cut_shared(trade: Trade, chain: _Chain, cut: int, number: int, now: datetime) -> None:
    """Cuts what the whole chain shares by what was cut off its lines, and lets that money go back."""
    price = chain.price - cut
    if chain.charge is not None:
        fee = max((chain.charge.amount or 0) * price // chain.price, chain.charge.done_amount)
        chain.charge.amount = fee
        _rested(trade, chain.charge, now)
    else:
        fee = 0
    chain.release.amount = price - fee - deducted(trade, chain.release)
    _rested(trade, chain.release, now)
    for item in chain.links:
        if item.draws is None and item.quantity is None and item.amount is not None:  # invoice
            item.amount -= cut
            _rested(trade, item, now)
    hold = chain.hold
    if not hold.begun:
        hold.amount = (hold.amount or 0) - cut
        _rested(trade, hold, now)
        return
    back = _promise(
        trade, hold, f"refund~{number}", action="refund", provider_id=trade.operator_id, receiver_id=hold.provider_id,
        after=(), automatic=True, draws=hold.ordinal, amount=cut, due=None,
    )  # fmt: skip
    trade.promises.append(back)


def _rested(trade: Trade, promise: Promise, now: datetime) -> None:
    """A commitment of which nothing is missing any more is done; one that came to nothing is ended."""
    promise.changed = True
    if promise.over:
        return
    if promise.void:
        end(trade, promise, now)
    elif promise.begun and promise.kept:
        promise.state, promise.settled_at = "done", now


# ── adding ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _add(
    trade: Trade, chain: _Chain, lines: Sequence[_NewLine], fee: Fraction, number: int
) -> dict[tuple[str, str], str]:
    """Adds the chain of the new lines. Returns the new keys: by (line, old key), and by ("", old key) of what they share."""
    price = sum(line.amount for line in lines)
    charged = int(price * fee)
    hold = chain.hold
    due = None if hold.begun else at(hold.due_at) if hold.due_at else hold.due
    held = _promise(trade, hold, f"{_base(hold.key)}~{number}", after=(), amount=price, due=due, automatic=hold.begun)
    trade.promises.append(held)
    keys = {("", hold.key): held.key}
    added: dict[int, list[int]] = {hold.ordinal: [held.ordinal]}
    for line in lines:
        made = _promise(
            trade, line.model, f"{line.key}~{number}", after=(held.ordinal,), quantity=line.quantity, amount=line.amount,
            unit=line.unit, name=line.name, details=line.details, due=line.due,
        )  # fmt: skip
        trade.promises.append(made)
        trade.reserved.append((made, line.quantity))
        keys[line.key, line.model.key] = made.key
        added.setdefault(line.model.ordinal, []).append(made.ordinal)
        for item in chain.links:
            if tuple(item.after) == (line.model.ordinal,) and item.quantity is not None:
                follow = _promise(
                    trade, item, f"{item.action}/{line.key.split('/', 1)[-1]}~{number}", after=(made.ordinal,),
                    quantity=line.quantity, amount=line.amount, unit=line.unit, name=line.name, details={},
                )  # fmt: skip
                trade.promises.append(follow)
                keys[line.key, item.key] = follow.key
                added.setdefault(item.ordinal, []).append(follow.ordinal)
    for item in chain.links:
        after = tuple(ordinal for old in item.after for ordinal in added.get(old, ()))
        if item.quantity is not None or not after or (item is chain.charge and not charged):
            continue
        amount = price - charged if item is chain.release else charged if item is chain.charge else price
        details = dict(item.details)
        if item.measure == Measure.LATENESS:
            details["out_of"] = f"{_base(chain.release.key)}~{number}"
        made = _promise(
            trade, item, f"{_base(item.key)}~{number}", details=details, after=after,
            amount=None if item.measure or item.amount is None else amount, draws=None if item.draws is None else held.ordinal,
        )  # fmt: skip
        trade.promises.append(made)
        keys["", item.key] = made.key
        added[item.ordinal] = [made.ordinal]
        if made.measure == Measure.LATENESS:
            trade.penalties.append(made)
    return keys


def _promise(trade: Trade, model: Promise, key: str, **changes: Any) -> Promise:
    """A new commitment after the model of an old one."""
    return replace(
        model, id=uuid7(), ordinal=len(trade.promises) + 1, key=key, state="waiting", done_quantity=Decimal(0), done_amount=0,
        open_since=None, due_at=None, late_at=None, settled_at=None, is_new=True, changed=True, **changes,
    )  # fmt: skip


def _base(key: str) -> str:
    """The name that a commitment's rest had before any amendment: «deliver/1~2» is of «deliver/1»."""
    return key.rsplit("~", 1)[0]


def _plain_details(delivery: Promise) -> dict[str, Any]:
    return {name: value for name, value in delivery.details.items() if name != "agreed"}


# ── the options ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _options(
    trade: Trade, chain: _Chain, lines: Sequence[_NewLine], keys: Mapping[tuple[str, str], str], number: int
) -> list[dict[str, Any]]:
    """The options after the amendment: those of a line once more for its new rest, those of the trade with what was added."""
    void = {item.key for item in trade.promises if item.void}
    found: list[dict[str, Any]] = []
    for option in trade.options:
        if option.get("line"):
            found.append(dict(option))
            found += [_of_line(option, line, keys, number) for line in lines if option["line"] == line.model.key]
        else:
            found.append(_of_all(option, keys, void, chain.hold.key, number) if keys else dict(option))
    return found


def _of_line(
    option: Mapping[str, Any], line: _NewLine, keys: Mapping[tuple[str, str], str], number: int
) -> dict[str, Any]:
    def new(key: str) -> str:
        return keys.get((line.key, key)) or keys.get(("", key)) or key

    copy = {**option, **{name: [new(key) for key in option.get(name, ())] for name in LISTS}}
    head = option["key"].split("/")[0]
    copy["key"] = f"{head}/{line.key.split('/', 1)[-1]}~{number}"
    copy["line"] = new(option["line"])
    copy["closes_from"] = new(option["closes_from"]) if option.get("closes_from") else None
    copy["then"] = [_then(data, new, number) for data in option.get("then", ())]
    for data, old in zip(copy["then"], option.get("then", ()), strict=True):
        for other in copy["then"]:
            other["after_keys"] = [data["key"] if key == old["key"] else key for key in other["after_keys"]]
        if data["quantity"] is not None:
            data["quantity"], data["amount"] = plain(line.quantity), line.amount
        elif data["measure"] == Measure.SHARE:
            data["amount"] = line.amount
    return copy


def _of_all(
    option: Mapping[str, Any], keys: Mapping[tuple[str, str], str], void: set[str], hold: str, number: int
) -> dict[str, Any]:
    added: dict[str, list[str]] = {}
    for (_line, old), new in keys.items():
        added.setdefault(old, []).append(new)

    def more(listed: Iterable[str]) -> list[str]:
        return [key for old in listed for key in (old, *added.get(old, ()))]

    def instead(listed: Iterable[str]) -> list[str]:
        return [key for old in listed for key in (added[old] if old in void and old in added else [old])]

    copy = dict(option)
    copy["late"], copy["ends"] = more(option.get("late", ())), more(option.get("ends", ()))
    copy["after"], copy["unless"] = instead(option.get("after", ())), more(option.get("unless", ()))
    copy["undoes"] = more(option.get("undoes", ()))
    again = [
        _then(data, lambda key: added.get(key, [key])[0], number)
        for data in option.get("then", ()) if data.get("draws_key") == hold
    ]  # fmt: skip
    copy["then"] = [*option.get("then", ()), *again]
    return copy


LISTS = ("after", "unless", "late", "ends", "undoes")


def _then(data: Mapping[str, Any], new: Any, number: int) -> dict[str, Any]:
    return {
        **data, "key": f"{_base(data['key'])}~{number}", "after_keys": [new(key) for key in data["after_keys"]],
        "draws_key": new(data["draws_key"]) if data.get("draws_key") else None,
    }  # fmt: skip


def parties_of(trade: Trade) -> set[UUID]:
    """Who has to sign: every party but the marketplace's operator, unless it trades itself."""
    return {party for role, party in trade.roles.items() if role != "operator"}
