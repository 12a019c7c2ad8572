"""What follows from a tender's terms and its bids: pure values, exact arithmetic, no clock. docs/explanation/tender.md
says the same in words, with worked tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import rfc8785

from huangpu.core.clock import end_of_day, end_of_working_day, rfc3339
from huangpu.core.money import apportion, exponent, line_total

LOWEST_PRICE = "lowest-price-1"
WEIGHTED = "weighted-1"
WHOLE = 1000  # weights are in thousandths


@dataclass(frozen=True, slots=True)
class Criterion:
    """A quality that counts beside the price: `weight` in thousandths of the score, points from 0 to `best`."""

    code: str
    name: Mapping[str, str]
    weight: int
    best: int = 100

    def data(self) -> dict[str, Any]:
        return {"code": self.code, "name": dict(self.name), "weight": self.weight, "best": self.best}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Criterion:
        return cls(data["code"], data.get("name", {}), int(data["weight"]), int(data.get("best", 100)))


@dataclass(frozen=True, slots=True)
class Contender:
    """A valid bid as the evaluation sees it: the price that counts, when it came, and the points it was given."""

    bid_id: UUID
    number: int
    supplier_id: UUID
    received_at: datetime
    opening_minor: int
    price_minor: int
    points: Mapping[str, Sequence[Decimal]] = field(default_factory=dict)  # criterion → one an evaluator


@dataclass(frozen=True, slots=True)
class Ranked:
    """A contender with its exact score and its rank from 1 on."""

    contender: Contender
    score: Fraction
    rank: int


def price_weight(criteria: Sequence[Criterion]) -> int:
    """What the price weighs, in thousandths: what the criteria leave."""
    return WHOLE - sum(criterion.weight for criterion in criteria)


def score(contender: Contender, lowest_minor: int, criteria: Sequence[Criterion]) -> Fraction:
    """weight_price × lowest / price + Σ weight × mean(points) / best, all exact; 0 to 1, more is better."""
    total = Fraction(price_weight(criteria), WHOLE) * Fraction(lowest_minor, contender.price_minor)
    for criterion in criteria:
        given = contender.points[criterion.code]
        mean = sum((Fraction(points) for points in given), Fraction(0)) / len(given)
        total += Fraction(criterion.weight, WHOLE) * mean / criterion.best
    return total


def rank(contenders: Sequence[Contender], criteria: Sequence[Criterion]) -> list[Ranked]:
    """Best first. Without criteria the lowest price wins (score = lowest / price, the same order). A tie goes to the
    bid received earlier; two received in the same microsecond, to the smaller id."""
    if not contenders:
        return []
    lowest = min(contender.price_minor for contender in contenders)
    scored = [(score(contender, lowest, criteria), contender) for contender in contenders]
    scored.sort(key=lambda pair: (-pair[0], pair[1].received_at, pair[1].bid_id))
    return [Ranked(contender, value, place) for place, (value, contender) in enumerate(scored, 1)]


def evaluation_file(
    *, tender: str, lot: int, currency: str, criteria: Sequence[Criterion], ranked: Sequence[Ranked]
) -> dict[str, Any]:
    """The evaluation as a file: everything the ranking needs and the ranking itself. `recompute` is its proof."""
    return {
        "formula": WEIGHTED if criteria else LOWEST_PRICE,
        "tender": tender,
        "lot": lot,
        "currency": currency,
        "price_weight": price_weight(criteria),
        "criteria": [{"code": c.code, "weight": c.weight, "best": c.best} for c in criteria],
        "bids": [
            {
                "bid": str(r.contender.bid_id),
                "number": r.contender.number,
                "supplier": str(r.contender.supplier_id),
                "received_at": rfc3339(r.contender.received_at),
                "opening_minor": r.contender.opening_minor,
                "price_minor": r.contender.price_minor,
                "points": {code: [f"{value:f}" for value in given] for code, given in r.contender.points.items()},
                "score": f"{r.score.numerator}/{r.score.denominator}",
                "rank": r.rank,
            }
            for r in ranked
        ],
    }


def recompute(file: Mapping[str, Any]) -> list[Ranked]:
    """The ranking once more, from an evaluation file alone. Equal to what the file says, or the file is wrong."""
    criteria = [Criterion(c["code"], {}, c["weight"], c["best"]) for c in file["criteria"]]
    contenders = [
        Contender(
            bid_id=UUID(bid["bid"]),
            number=bid["number"],
            supplier_id=UUID(bid["supplier"]),
            received_at=datetime.fromisoformat(bid["received_at"]),
            opening_minor=bid["opening_minor"],
            price_minor=bid["price_minor"],
            points={code: [Decimal(value) for value in given] for code, given in bid["points"].items()},
        )
        for bid in file["bids"]
    ]
    return rank(contenders, criteria)


def file_hash(file: Mapping[str, Any]) -> str:
    """SHA-256 of a file's RFC 8785 bytes, in hexadecimal: what the event of an award commits to."""
    return hashlib.sha256(rfc8785.dumps(dict(file))).hexdigest()


def standstill_end(awarded_at: datetime, days: int, working: bool) -> datetime:
    """When the standstill ends: the end of the last day, local, calendar or working; without days, at once."""
    if days == 0:
        return awarded_at
    return end_of_working_day(awarded_at, days) if working else end_of_day(awarded_at, days)


def lot_budget(tender_minor: int | None, lot_minor: int | None, lots: int) -> int | None:
    """What a lot may cost: its own budget, or the tender's where it is the only one."""
    return lot_minor if lot_minor is not None else tender_minor if lots == 1 else None


def bond_amount(bond_minor: int | None, bond_ppm: int | None, budget_minor: int | None) -> int:
    """The bid bond of a lot in minor units: the amount named, or millionths of its budget, rounded down; 0: none."""
    if bond_minor is not None:
        return bond_minor
    return (budget_minor or 0) * bond_ppm // 1_000_000 if bond_ppm else 0


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line of the agreement: the amount in minor units is what counts; the unit price is shown for information."""

    key: str
    quantity: Decimal
    unit_price: Decimal
    amount_minor: int


def final_lines(
    lines: Sequence[tuple[str, Decimal, Decimal]], currency: str, final_minor: int | None
) -> list[PricedLine]:
    """The lines (key, quantity, unit price bid) at the final price.

    Without an auction they stay as bid. After one the total is spread pro rata over the amounts bid, each rounded down,
    the remainder on the last, so that the lines sum to the final price exactly; a unit price is then amount / quantity,
    rounded half up to six decimals.
    """
    amounts = [line_total(quantity, price, currency) for _key, quantity, price in lines]
    if final_minor is None or final_minor == sum(amounts):
        return [PricedLine(k, q, p, amount) for (k, q, p), amount in zip(lines, amounts, strict=True)]
    places = exponent(currency)
    return [
        PricedLine(
            key,
            quantity,
            (Decimal(amount).scaleb(-places) / quantity).quantize(Decimal("0.000001"), ROUND_HALF_UP),
            amount,
        )
        for (key, quantity, _price), amount in zip(lines, apportion(final_minor, amounts), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Saving:
    """The price at each step in minor units; None where the step is not reached or was never stated."""

    budget: int | None
    opening: int | None
    final: int | None
    contracted: int | None = None
    delivered: int | None = None

    @property
    def baseline(self) -> tuple[str, int] | None:
        """Against what the saving is measured: the budget if there was one, else the lowest opening price."""
        if self.budget:
            return ("budget", self.budget)
        return ("opening", self.opening) if self.opening else None

    @property
    def latest(self) -> int | None:
        """The price of the last step that is reached."""
        return next((v for v in (self.delivered, self.contracted, self.final, self.opening) if v is not None), None)

    @property
    def saved_minor(self) -> int | None:
        """Baseline − latest price; negative if more was paid than was planned."""
        if self.baseline is None or self.latest is None:
            return None
        return self.baseline[1] - self.latest

    @property
    def saved_ppm(self) -> int | None:
        """In millionths of the baseline, rounded towards zero."""
        if self.baseline is None or self.saved_minor is None:
            return None
        return int(Fraction(self.saved_minor * 1_000_000, self.baseline[1]))
