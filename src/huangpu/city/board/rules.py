"""From events to figures, purely: what each kind of event adds to which day. docs/reference/statistics.md has the words.

An event is read once. What an act of tenders, auctions or trades said is all that is looked at, with the terms of the
agreement (immutable) for what a performed commitment is worth. An event whose payload has been erased adds nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from huangpu.core.log.sequencer import Logged
from huangpu.core.money import apportion

AMOUNTS = (
    "agreed_minor", "tendered_minor", "business_minor", "accepted_minor", "released_minor", "charged_minor",
    "refunded_minor", "baseline_minor", "final_minor",
)  # fmt: skip
COUNTS = ("agreements", "tendered", "tenders", "bids", "auction_bids")
FLOWS = ("commerce", "goods", "funds", "information", "process")
FIGURES = (*COUNTS, *AMOUNTS, *FLOWS)

CONSUMER_ROLES = frozenset({"consumer", "guest"})  # roles of terms in which a natural person buys for itself
SETTLED = {
    "release": "released_minor", "pay": "released_minor", "charge": "charged_minor", "refund": "refunded_minor",
    "penalty": "refunded_minor",
}  # fmt: skip
FIRMS_MIN = 3  # an amount that no award has published needs so many payers and so many payees behind it


@dataclass(frozen=True, slots=True)
class Market:
    """Whose log is read: its zone says which day it is, its currency counts what has none."""

    id: UUID
    zone: ZoneInfo
    currency: str


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment of the terms, as far as statistics need it."""

    action: str
    flow: str
    quantity: Decimal | None
    amount: int | None
    provider_id: UUID
    receiver_id: UUID


@dataclass(frozen=True, slots=True)
class Terms:
    """An agreement's currency and its commitments by their number."""

    currency: str
    promises: Mapping[int, Promise]


@dataclass(slots=True)
class Known:
    """A tender as the log has told it so far."""

    industry: str
    currency: str
    budget: int | None
    lots: dict[str, int | None]
    bids_until: str | None
    is_open: bool = True
    counted: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What events have added. `tenders` is given with what was known before, and is changed."""

    tenders: dict[UUID, Known] = field(default_factory=dict)
    terms: Mapping[UUID, Terms] = field(default_factory=dict)
    days: defaultdict[tuple[date, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    industries: defaultdict[tuple[date, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    firms: set[tuple[date, str, str, str, UUID]] = field(default_factory=set)  # day, currency, figure, side, firm
    touched: set[UUID] = field(default_factory=set)  # tenders that have changed
    told: set[UUID] = field(default_factory=set)  # organisations whose registration or facts are news
    trading: set[UUID] = field(default_factory=set)  # organisations that concluded an agreement


Reader = Callable[[Tally, Market, Logged, Mapping[str, Any]], None]
_readers: dict[str, Reader] = {}


def reads(*kinds: str) -> Callable[[Reader], Reader]:
    """Registers what an event of these kinds adds."""

    def register(reader: Reader) -> Reader:
        _readers.update(dict.fromkeys(kinds, reader))
        return reader

    return register


def count(tally: Tally, market: Market, events: Iterable[Logged]) -> None:
    """Adds events, in the order of the log."""
    for event in events:
        if event.payload is None:
            continue
        if reader := _readers.get(event.kind):
            reader(tally, market, event, event.payload)
        if "fulfilled" in event.payload:
            _fulfilled(tally, market, event, event.payload["fulfilled"])


def wanted(events: Iterable[Logged]) -> tuple[set[UUID], set[UUID]]:
    """The agreements and the tenders one has to know in order to read these events."""
    agreements, tenders = set(), set()
    for event in events:
        if event.subject_type == "agreement":
            agreements.add(event.subject_id)
            if origin := (event.payload or {}).get("origin"):
                tenders.add(UUID(origin))
        elif event.subject_type == "tender":
            tenders.add(event.subject_id)
    return agreements, tenders


def day_of(market: Market, instant: datetime) -> date:
    """The marketplace's local day of an instant."""
    return instant.astimezone(market.zone).date()


def worth(promise: Promise, quantity: Decimal | None) -> int:
    """What a quantity of a line is worth by its terms: minor units, rounded half up part by part."""
    if promise.amount is None:
        return 0
    if quantity is None or not promise.quantity:
        return promise.amount
    return int((promise.amount * quantity / promise.quantity).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _on(tally: Tally, market: Market, event: Logged, currency: str | None = None) -> Counter[str]:
    return tally.days[day_of(market, event.occurred_at), currency or market.currency]


# ── trades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@reads("agreement.concluded")
def _concluded(tally: Tally, market: Market, event: Logged, said: Mapping[str, Any]) -> None:
    currency, amount, roles = said["currency"], said["amount"], said["parties"]
    tally.trading.update(UUID(firm) for role, firm in roles.items() if role != "operator")
    on = _on(tally, market, event, currency)
    on["commerce"] += 1
    on["agreements"] += 1
    on["agreed_minor"] += amount
    if not CONSUMER_ROLES & roles.keys():
        on["business_minor"] += amount
    tender = tally.tenders.get(UUID(said["origin"])) if said.get("origin") else None
    if tender is None:
        for promise in tally.terms[event.subject_id].promises.values():
            if promise.action in ("release", "pay"):
                _behind(tally, market, event, currency, "direct", promise)
        return
    on["tendered"] += 1
    on["tendered_minor"] += amount
    of = tally.industries[day_of(market, event.occurred_at), currency, tender.industry]
    of["agreements"] += 1
    of["agreed_minor"] += amount


def _fulfilled(tally: Tally, market: Market, event: Logged, steps: Iterable[Mapping[str, Any]]) -> None:
    terms = tally.terms[event.subject_id]
    on = _on(tally, market, event, terms.currency)
    for step in steps:
        promise = terms.promises[step["ordinal"]]
        quantity = None if step["quantity"] is None else Decimal(step["quantity"])
        on[promise.flow] += 1
        if promise.action == "accept":
            on["accepted_minor"] += worth(promise, quantity)
        if figure := SETTLED.get(promise.action):
            on[figure] += step["amount"] or 0
        if promise.action in SETTLED or promise.action == "accept":
            _behind(tally, market, event, terms.currency, "settled", promise)


def _behind(tally: Tally, market: Market, event: Logged, currency: str, figure: str, promise: Promise) -> None:
    """Remembers who stands behind an amount. Who charges a fee is the operator and hides nobody."""
    day = day_of(market, event.occurred_at)
    if promise.action in ("release", "pay") or promise.action == "accept":
        tally.firms.add((day, currency, figure, "payer", promise.provider_id))
        tally.firms.add((day, currency, figure, "payee", promise.receiver_id))


@reads("agreement.amended")
def _agreement_amended(tally: Tally, market: Market, event: Logged, _said: Mapping[str, Any]) -> None:
    _on(tally, market, event, tally.terms[event.subject_id].currency)["commerce"] += 1


@reads("process.resolved")
def _resolved(tally: Tally, market: Market, event: Logged, _said: Mapping[str, Any]) -> None:
    _on(tally, market, event, tally.terms[event.subject_id].currency)["process"] += 1


# ── tenders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@reads("tender.published")
def _published(tally: Tally, market: Market, event: Logged, said: Mapping[str, Any]) -> None:
    lots = {lot["lot"]: lot["budget_minor"] for lot in said["lots"]}
    tally.tenders[event.subject_id] = Known(
        said["industry"], said["currency"], said["budget_minor"], lots, said["bids_until"]
    )
    tally.touched.add(event.subject_id)
    on = _on(tally, market, event, said["currency"])
    on["tenders"] += 1
    on["commerce"] += 1


@reads("tender.amended")
def _amended(tally: Tally, market: Market, event: Logged, said: Mapping[str, Any]) -> None:
    if tender := tally.tenders.get(event.subject_id):
        tender.bids_until = said["bids_until"]
        tally.touched.add(event.subject_id)
        _on(tally, market, event, tender.currency)["information"] += 1


@reads("tender.bids_opened")
def _opened(tally: Tally, market: Market, event: Logged, said: Mapping[str, Any]) -> None:
    if tender := tally.tenders.get(event.subject_id):
        tender.is_open = False
        tally.touched.add(event.subject_id)
        on = _on(tally, market, event, tender.currency)
        on["bids"] += len(said["bids"])
        on["process"] += 1


@reads("tender.cancelled")
def _cancelled(tally: Tally, market: Market, event: Logged, _said: Mapping[str, Any]) -> None:
    if tender := tally.tenders.get(event.subject_id):
        tender.is_open = False
        tally.touched.add(event.subject_id)
        _on(tally, market, event, tender.currency)["process"] += 1


@reads("tender.evaluated", "tender.awarded")
def _decided(tally: Tally, market: Market, event: Logged, _said: Mapping[str, Any]) -> None:
    if tender := tally.tenders.get(event.subject_id):
        _on(tally, market, event, tender.currency)["process"] += 1


@reads("tender.question_asked", "tender.question_answered")
def _talked(tally: Tally, market: Market, event: Logged, _said: Mapping[str, Any]) -> None:
    if tender := tally.tenders.get(event.subject_id):
        _on(tally, market, event, tender.currency)["information"] += 1


@reads("tender.concluded")
def _saved(tally: Tally, market: Market, event: Logged, said: Mapping[str, Any]) -> None:
    """The saving: budget less final price. A lot's own budget; or the tender's for all its lots, shared by price."""
    tender = tally.tenders.get(event.subject_id)
    if tender is None:
        return
    made = said["agreements"]
    prices = [one["amount_minor"] for one in made]
    budgets = [tender.lots.get(one["lot"]) for one in made]
    whole = tender.budget is not None and {one["lot"] for one in made} == tender.lots.keys()
    if whole and all(budget is None for budget in budgets) and sum(prices):
        budgets = list(apportion(tender.budget or 0, prices))
    on = _on(tally, market, event, tender.currency)
    for one, budget, price in zip(made, budgets, prices, strict=True):
        if budget is not None:
            tender.counted[one["award"]] = [budget, price]
            on["baseline_minor"] += budget
            on["final_minor"] += price
    tally.touched.add(event.subject_id)


@reads("tender.award_defaulted")
def _defaulted(tally: Tally, market: Market, event: Logged, said: Mapping[str, Any]) -> None:
    """A saving that was counted and did not come: taken back on the day it is known."""
    tender = tally.tenders.get(event.subject_id)
    if tender is not None and (counted := tender.counted.pop(said["award"], None)):
        on = _on(tally, market, event, tender.currency)
        on["baseline_minor"] -= counted[0]
        on["final_minor"] -= counted[1]
        tally.touched.add(event.subject_id)


@reads("auction.bid_answered")
def _bid(tally: Tally, market: Market, event: Logged, said: Mapping[str, Any]) -> None:
    if said["accepted"]:
        on = _on(tally, market, event, said["currency"])
        on["auction_bids"] += 1
        on["commerce"] += 1


# ── parties, papers ──────────────────────────────────────────────────────────────────────────────────────────────────


@reads("organisation.registered", "organisation.edited")
def _registered(tally: Tally, _market: Market, event: Logged, _said: Mapping[str, Any]) -> None:
    tally.told.add(event.subject_id)


@reads("document.stored")
def _stored(tally: Tally, market: Market, event: Logged, _said: Mapping[str, Any]) -> None:
    _on(tally, market, event)["information"] += 1
