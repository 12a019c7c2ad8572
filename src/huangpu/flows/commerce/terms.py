"""Terms, declared and read like a contract: clauses that promise, options that say what happens otherwise.

A template is a function that returns `Terms`. At conclusion the terms are compiled once into commitments, an immutable
snapshot; performing never runs the template again. Nothing here knows a sector: a new kind of trade writes new terms.

The words. A *clause* is one promise in one flow: who provides what to whom, after what, by when, and what silence means.
A clause may follow others *step by step*: of a partial acceptance it earns the same share (by value), rounded down, and
the rest with the last part. A *draw* takes its money from a hold. An *option* is a right to leave the path: cancel,
reject, return, decide a dispute; it ends clauses, takes back fulfilments and opens contingent clauses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from huangpu.core.clock import end_of_day, end_of_working_day, rfc3339

HOUSE = "house"  # the platform by itself, when a time passes
OPERATOR = "operator"  # the marketplace's operator: receives its fee
ARBITER = "arbiter"  # decides a dispute


class Flow(StrEnum):
    """The five flows (商流 物流 资金流 信息流 业务流)."""

    COMMERCE = "commerce"
    GOODS = "goods"
    FUNDS = "funds"
    INFORMATION = "information"
    PROCESS = "process"


class Silence(StrEnum):
    """What the terms say when a time passes and nothing was done. An option's key is the third possibility."""

    LATE = "late"  # it stays owed and is late; options that wait for lateness open
    DEEMED = "deemed"  # it counts as performed (deemed accepted)


class Measure(StrEnum):
    """The amount of a clause that is known only as it comes."""

    REST = "rest"  # all that is left in the hold it draws from
    SHARE = "share"  # the clause's amount times the used quantity over the line's quantity
    DECIDED = "decided"  # what the arbiter says
    LATENESS = "lateness"  # what late delivery has cost so far; of a clause in its own right, not of an option's


@dataclass(frozen=True, slots=True)
class Due:
    """A time relative to the moment a clause can be performed (or to conclusion), or an absolute instant."""

    count: int = 0
    unit: str = "days"  # days | working_days | hours | minutes | at
    instant: datetime | None = None

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The instant by which it is due. `days(3)` is the end of the third local day after `moment`."""
        if self.instant is not None:
            return self.instant
        if self.unit == "days":
            return end_of_day(moment, self.count, zone)
        if self.unit == "working_days":
            return end_of_working_day(moment, self.count, zone)
        return moment + timedelta(**{self.unit: self.count})

    def data(self) -> dict[str, Any]:
        return {"at": rfc3339(self.instant)} if self.instant else {"count": self.count, "unit": self.unit}

    @staticmethod
    def of(data: Mapping[str, Any] | None) -> Due | None:
        if not data:
            return None
        if "at" in data:
            return at(datetime.fromisoformat(data["at"]))
        return Due(data["count"], data["unit"])


def days(count: int) -> Due:
    """The end of the local day `count` days later."""
    return Due(count, "days")


def working_days(count: int) -> Due:
    """The end of the `count`-th working day of China's calendar."""
    return Due(count, "working_days")


def hours(count: int) -> Due:
    """`count` times 60 minutes later."""
    return Due(count, "hours")


def at(instant: datetime) -> Due:
    """Exactly then."""
    return Due(unit="at", instant=instant)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of goods or service: what, how much, and its value in minor units (the weight of its share)."""

    key: str
    name: Mapping[str, str]
    quantity: Decimal
    unit: str
    amount: int
    item_id: str | None = None
    from_place: str | None = None  # where stock is taken from and, from conclusion, reserved
    to_place: str | None = None
    lot: str = ""
    serial: str = ""  # of one piece


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise. `key` names it in the terms; `action` is the verb the process room knows how to perform."""

    key: str
    flow: Flow
    action: str
    provider: str
    receiver: str
    after: tuple[str, ...] = ()
    stepwise: bool = False  # follows `after` step by step instead of waiting for all of it
    due: Due | None = None
    automatic: bool = False  # performed by the house as soon as it can be, in the same transaction
    at_conclusion: bool = False  # performed in the transaction that concludes
    on_silence: str = Silence.LATE
    quantity: Decimal | None = None
    unit: str = ""
    amount: int | None = None  # minor units; a goods clause carries its value here, as the weight of its share
    measure: Measure | None = None
    draws: str | None = None  # the hold that its money comes from
    line: Line | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


# a clause, or clauses in groups as deep as a template nests them; None is what a zero fee leaves
Clauses = Clause | Iterable[Any] | None


@dataclass(frozen=True, slots=True)
class Option:
    """A right to leave the path, used by one of `by` through `process.acts.resolve`, or by the house on silence.

    It may be used between `opens` and `closes` (both from conclusion, or absolute), when every clause in `after` is
    fulfilled at least in part, none in `unless` is fulfilled at all, and, with `late`, one of those is past its time.
    `ends` closes the unfulfilled rest of clauses; `undoes` takes back fulfilment by the used quantity (a rejected
    delivery is owed again); `then` opens contingent clauses.
    """

    key: str
    by: tuple[str, ...]
    after: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    opens: Due | None = None
    closes: Due | None = None
    closes_from: str | None = None  # `closes` counts from the fulfilment of this clause instead of from conclusion
    line: str | None = None  # the clause whose quantity a use in part refers to
    ends: tuple[str, ...] = ()
    undoes: tuple[str, ...] = ()
    then: tuple[Clause, ...] = ()
    suspends: bool = False  # opens a dispute: nothing else moves until it is decided
    decides: bool = False  # ends a dispute


class TermsError(ValueError):
    """The template itself is wrong: a programmer's error, found when the terms are built."""


@dataclass(frozen=True)
class Terms:
    """The whole contract: clauses in order, and options."""

    clauses: tuple[Clause, ...]
    options: tuple[Option, ...]

    def __init__(self, *clauses: Clauses, options: Iterable[Option] = ()) -> None:
        object.__setattr__(self, "clauses", tuple(_flat(clauses)))
        object.__setattr__(self, "options", tuple(options))
        self._check()

    @property
    def all_clauses(self) -> tuple[Clause, ...]:
        """The clauses, then the contingent ones of the options, which become commitments only when they are used."""
        return self.clauses + tuple(clause for option in self.options for clause in option.then)

    def _check(self) -> None:
        keys = [clause.key for clause in self.all_clauses]
        if len(set(keys)) != len(keys):
            raise TermsError(f"two clauses have the same key: {sorted(key for key in keys if keys.count(key) > 1)}")
        known = set(keys)
        for clause in self.all_clauses:
            for key in (*clause.after, *([clause.draws] if clause.draws else [])):
                if key not in known:
                    raise TermsError(f"clause {clause.key!r} names {key!r}, which is not in the terms")
            if clause.amount is not None and clause.amount <= 0:
                raise TermsError(f"clause {clause.key!r} has the amount {clause.amount}")
            if clause.quantity is not None and clause.quantity <= 0:
                raise TermsError(f"clause {clause.key!r} has the quantity {clause.quantity}")
        for option in self.options:
            for key in (*option.after, *option.unless, *option.late, *option.ends, *option.undoes):
                if key not in known:
                    raise TermsError(f"option {option.key!r} names {key!r}, which is not in the terms")
        self._check_order()
        self._check_draws()
        self._check_penalties()

    def _check_order(self) -> None:
        waits = {clause.key: set(clause.after) for clause in self.all_clauses}
        while ready := [key for key, after in waits.items() if not after]:
            for key in ready:
                del waits[key]
            for after in waits.values():
                after.difference_update(ready)
        if waits:
            raise TermsError(f"these clauses wait for each other: {sorted(waits)}")

    def _check_draws(self) -> None:
        for hold_clause in (clause for clause in self.clauses if clause.action == "hold"):
            drawn = sum(clause.amount or 0 for clause in self.clauses if clause.draws == hold_clause.key)
            if drawn > (hold_clause.amount or 0):
                raise TermsError(f"the clauses draw {drawn} from {hold_clause.key!r}, which holds {hold_clause.amount}")

    def _check_penalties(self) -> None:
        places = {clause.key: place for place, clause in enumerate(self.clauses)}
        clauses = {clause.key: clause for clause in self.clauses}
        for clause in (one for one in self.clauses if one.measure is Measure.LATENESS):
            proceeds = clauses.get(clause.details["out_of"])
            rate, cap = Decimal(clause.details["rate"]), Decimal(clause.details["cap"])
            if clause.details["per"] not in ("day", "week") or not 0 < rate <= cap <= 1:
                raise TermsError(f"penalty {clause.key!r} is not a rate a day or week above 0 and up to its cap")
            if proceeds is None or places[proceeds.key] < places[clause.key] or proceeds.draws != clause.draws:
                raise TermsError(
                    f"penalty {clause.key!r} must come before the draw of the same hold that it comes out of"
                )
            accepted = [clauses[key] for key in clause.after]
            if any(len(one.after) != 1 or clauses[one.after[0]].due is None for one in accepted):
                raise TermsError(f"penalty {clause.key!r} must follow the acceptance of deliveries that have a time")
            if cap * sum(one.amount or 0 for one in accepted) >= (proceeds.amount or 0):
                raise TermsError(f"penalty {clause.key!r} could leave nothing of {proceeds.key!r}")


# ── the verbs a contract is written with ─────────────────────────────────────────────────────────────────────────────


def hold(
    payer: str,
    amount: int,
    *,
    key: str = "hold",
    after: Clauses = None,
    due: Due | None = None,
    at_conclusion: bool = False,
    on_silence: str = Silence.LATE,
) -> Clause:
    """The payer's money is set aside for this trade (escrow). Draws take from it; what is left goes back."""
    return Clause(
        key, Flow.FUNDS, "hold", payer, HOUSE, _keys(after), due=due, amount=amount, at_conclusion=at_conclusion,
        on_silence=on_silence, automatic=at_conclusion,
    )  # fmt: skip


def deliver(
    provider: str,
    receiver: str,
    lines: Iterable[Line],
    *,
    key: str = "deliver",
    after: Clauses = None,
    due: Due | None = None,
) -> tuple[Clause, ...]:
    """Goods move from provider to receiver, a clause a line; in parts if it comes so."""
    return tuple(_line_clause(key, "deliver", provider, receiver, line, _keys(after), due) for line in lines)


def serve(
    provider: str,
    receiver: str,
    lines: Iterable[Line],
    *,
    key: str = "serve",
    after: Clauses = None,
    due: Due | None = None,
) -> tuple[Clause, ...]:
    """A service or a use of capacity is rendered: a night, a crossing, an hour."""
    return tuple(_line_clause(key, "serve", provider, receiver, line, _keys(after), due) for line in lines)


def transfer_title(
    provider: str,
    receiver: str,
    lines: Iterable[Line],
    *,
    key: str = "title",
    after: Clauses = None,
    automatic: bool = True,
) -> tuple[Clause, ...]:
    """Title passes while the goods stay where they lie (a warehouse receipt changes hands)."""
    return tuple(
        replace(_line_clause(key, "transfer_title", provider, receiver, line, _keys(after), None),
                flow=Flow.COMMERCE, automatic=automatic)
        for line in lines
    )  # fmt: skip


def accept(
    by: str, what: Clauses, *, key: str = "accept", due: Due | None = None, on_silence: str = Silence.LATE
) -> tuple[Clause, ...]:
    """The receiver inspects and accepts, line by line, what has come so far."""
    return tuple(
        replace(clause, key=_sub(key, clause), flow=Flow.PROCESS, action="accept", provider=by, receiver=clause.provider,
                after=(clause.key,), stepwise=True, due=due, on_silence=on_silence, automatic=False)
        for clause in _flat([what])
    )  # fmt: skip


def invoice(
    by: str, to: str, amount: int, *, key: str = "invoice", after: Clauses = None, due: Due | None = None
) -> Clause:
    """The seller's invoice, for what has been delivered so far: one, or one a part."""
    return Clause(key, Flow.INFORMATION, "invoice", by, to, _keys(after), due=due, amount=amount, stepwise=True)


def release(
    payer: str,
    payee: str,
    amount: int,
    *,
    draws: Clause,
    key: str = "release",
    after: Clauses = None,
    stepwise: bool = True,
    automatic: bool = True,
    due: Due | None = None,
) -> Clause | None:
    """Held money goes to the payee, as far as what it follows has been fulfilled. None for a zero amount."""
    if not amount:
        return None
    return Clause(
        key, Flow.FUNDS, "release", payer, payee, _keys(after), stepwise=stepwise, automatic=automatic,
        amount=amount, draws=draws.key, due=due,
    )  # fmt: skip


def charge(
    payer: str, amount: int, *, draws: Clause, key: str = "charge", after: Clauses = None, stepwise: bool = True,
    automatic: bool = True,
) -> Clause | None:  # fmt: skip
    """The marketplace's fee, borne by `payer`, out of the hold. None for a zero fee."""
    if not amount:
        return None
    return Clause(
        key, Flow.FUNDS, "charge", payer, OPERATOR, _keys(after), stepwise=stepwise, automatic=automatic,
        amount=amount, draws=draws.key,
    )  # fmt: skip


def pay(payer: str, payee: str, amount: int, *, key: str = "pay", after: Clauses = None, due: Due | None = None,
        automatic: bool = False, measure: Measure | None = None, stepwise: bool = False) -> Clause:  # fmt: skip
    """Money goes straight from one wallet to another."""
    return Clause(key, Flow.FUNDS, "pay", payer, payee, _keys(after), due=due, amount=amount, automatic=automatic,
                  measure=measure, stepwise=stepwise)  # fmt: skip


def refund(to: str, *, draws: Clause, amount: int | None = None, measure: Measure = Measure.REST, key: str = "refund",
           after: Clauses = None) -> Clause:  # fmt: skip
    """Held money goes back to who paid it in: by default all that is left."""
    return Clause(key, Flow.FUNDS, "refund", HOUSE, to, _keys(after), automatic=True, amount=amount, measure=measure,
                  draws=draws.key)  # fmt: skip


def forfeit(
    payer: str, payee: str, amount: int, *, draws: Clause, key: str = "forfeit", after: Clauses = None
) -> Clause:
    """A penalty that was agreed, out of the hold, to the other side."""
    return Clause(
        key, Flow.FUNDS, "release", payer, payee, _keys(after), automatic=True, amount=amount, draws=draws.key
    )


def penalty(
    payer: str,
    payee: str,
    *,
    out_of: Clause | None,
    rate: Decimal,
    per: str,
    cap: Decimal,
    after: Clauses,
    key: str = "penalty",
) -> Clause | None:
    """For each started `per` ("day", "week") by which what `after` accepts was delivered late, `rate` of its value, at most
    `cap` (shares of 1, exact), out of the payer's proceeds `out_of` a hold, when they are released. None without proceeds."""
    if out_of is None:
        return None
    details = {"out_of": out_of.key, "rate": f"{rate:f}", "per": per, "cap": f"{cap:f}"}
    return Clause(
        key, Flow.FUNDS, "penalty", payer, payee, _keys(after), stepwise=True, automatic=True, measure=Measure.LATENESS,
        draws=out_of.draws, details=details,
    )  # fmt: skip


def award_by_arbiter(payer: str, payee: str, *, draws: Clause, key: str = "awarded") -> Clause:
    """What the arbiter gives to the payee out of the hold."""
    return Clause(key, Flow.FUNDS, "release", payer, payee, automatic=True, measure=Measure.DECIDED, draws=draws.key)


def give_back(provider: str, receiver: str, line: Line, *, key: str, due: Due | None = None) -> Clause:
    """Goods go back; as much as the option was used for."""
    clause = _line_clause(key, "deliver", provider, receiver, line, (), due, named=False)
    return replace(clause, measure=Measure.SHARE)


def option(key: str, *, by: str | tuple[str, ...], after: Clauses = None, unless: Clauses = None, late: Clauses = None,
           ends: Clauses = None, undoes: Clauses = None, then: Clauses = None, line: Clause | None = None,
           **more: Any) -> Option:  # fmt: skip
    """A right to leave the path; see `Option`."""
    return Option(
        key, (by,) if isinstance(by, str) else by, _keys(after), _keys(unless), _keys(late), line=line.key if line else None,
        ends=_keys(ends), undoes=_keys(undoes), then=tuple(_flat([then])), **more,
    )  # fmt: skip


def _line_clause(key: str, action: str, provider: str, receiver: str, line: Line, after: tuple[str, ...],
                 due: Due | None, named: bool = True) -> Clause:  # fmt: skip
    return Clause(
        f"{key}/{line.key}" if named else key, Flow.GOODS, action, provider, receiver, after, due=due,
        quantity=line.quantity, unit=line.unit, amount=line.amount, line=line,
    )  # fmt: skip


def _sub(key: str, clause: Clause) -> str:
    return f"{key}/{clause.line.key}" if clause.line else key


def _flat(clauses: Iterable[Any]) -> Iterator[Clause]:
    for item in clauses:
        if isinstance(item, Clause):
            yield item
        elif item is not None:
            yield from _flat(item)


def _keys(clauses: Clauses) -> tuple[str, ...]:
    return tuple(clause.key for clause in _flat([clauses]))
