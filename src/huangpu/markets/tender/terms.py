"""What a buyer writes into a tender, as values, and what must hold of it before anything is stored or published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import HuangpuError, Invalid, InvalidMany
from huangpu.core.money import LARGEST, Money, exponent
from huangpu.core.quantity import parse_quantity, plain
from huangpu.flows.process.lateness import PERIODS
from huangpu.parties.profile import figure

from .procedures import procedure_of
from .rules import WHOLE, Criterion, bond_amount, lot_budget

LOTS_MAX = 50
LINES_MAX = 500
CRITERIA_MAX = 20
PENALTY_CAP_MAX = Decimal("0.3")  # what a court would hardly cut


@dataclass(frozen=True, slots=True)
class LineTerms:
    name: Mapping[str, str]
    quantity: Decimal
    unit: str
    description: str = ""
    scheme: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class LotTerms:
    lines: Sequence[LineTerms]
    title: Mapping[str, str] = field(default_factory=dict)
    budget_minor: int | None = None


@dataclass(frozen=True, slots=True)
class TenderTerms:
    """A tender as planned. Amounts in minor units of `currency`; periods as instants; the rest in whole days."""

    title: Mapping[str, str]
    currency: str
    procedure: str
    lots: Sequence[LotTerms]
    description: Mapping[str, str] = field(default_factory=dict)
    industry: str = ""
    delivery_place: str = ""
    budget_minor: int | None = None
    criteria: Sequence[Criterion] = ()
    auction: Mapping[str, Any] | None = None
    allow_single: bool = True
    two_persons: bool = False
    questions_until: datetime | None = None
    bids_until: datetime | None = None
    standstill_days: int = 0
    standstill_working: bool = False
    deliver_within_days: int = 30
    inspect_within_days: int = 7
    pay_within_days: int = 3
    late_penalty: Mapping[str, Any] | None = None  # rate, per, cap: shares as decimal texts, "day" or "week"
    bond_minor: int | None = None  # the bid bond of each bid, or
    bond_ppm: int | None = None  # in millionths of its lot's budget


def check(terms: TenderTerms) -> None:
    """Refuses (InvalidMany, every wrong field at once) what can be no tender even as a draft."""
    wrong: list[Invalid] = []
    _texts(terms, wrong)
    _money(terms, wrong)
    _lots(terms, wrong)
    _criteria(terms, wrong)
    _days(terms, wrong)
    _penalty(terms, wrong)
    _bond(terms, wrong)
    if wrong:
        raise InvalidMany(wrong)


def check_bond(terms: TenderTerms, profile: Mapping[str, Any]) -> None:
    """Refuses a bid bond above what the marketplace's rule profile allows (tender.bond_above_ceiling): in mainland China
    2 % of the estimated price, which is the budget; for several lots, all bonds together of all budgets together."""
    ceiling = figure(profile, "bid_bond_ppm_max")
    if ceiling is None or (terms.bond_minor is None and terms.bond_ppm is None):
        return
    bonds, budget = 0, 0
    for lot in terms.lots:
        of_lot = lot_budget(terms.budget_minor, lot.budget_minor, len(terms.lots))
        bonds += bond_amount(terms.bond_minor, terms.bond_ppm, of_lot)
        budget += of_lot or 0
    most = max(budget, terms.budget_minor or 0) * ceiling.value // 1_000_000
    if bonds > most or (terms.bond_ppm or 0) > ceiling.value:
        raise Invalid(
            "tender.bond_above_ceiling",
            _(
                "A bid bond is at most %(most)s %% of the budget (%(source)s), here %(amount)s %(currency)s for all lots."
            ),
            field="bond" if terms.bond_minor is not None else "bond_percent",
            value=bonds,
            most=plain(Decimal(ceiling.value) / 10_000),
            source=ceiling.source or "–",
            amount=plain(Money(most, terms.currency).major),
            currency=terms.currency,
        )


def check_publication(terms: TenderTerms, now: datetime) -> None:
    """Refuses to publish without a future end of the bids, or below the procedure's bounds. Every wrong field at once."""
    check(terms)
    wrong: list[Invalid] = []
    procedure = procedure_of(terms.procedure)
    if terms.bids_until is None:
        wrong.append(Invalid("tender.bids_until_missing", _("Say until when bids are taken."), field="bids_until"))
    elif terms.bids_until <= now + timedelta(hours=procedure.bid_hours_min):
        wrong.append(
            Invalid(
                "tender.bids_until_too_early",
                _("The end of the bids must lie in the future, by at least %(hours)s hours."),
                field="bids_until",
                value=terms.bids_until.isoformat(),
                hours=procedure.bid_hours_min,
            )
        )
    if terms.standstill_days < procedure.standstill_days_min:
        wrong.append(
            Invalid(
                "tender.standstill_too_short",
                _("This procedure asks for a standstill of at least %(days)s days."),
                field="standstill_days",
                value=terms.standstill_days,
                days=procedure.standstill_days_min,
            )
        )
    if procedure.auction and terms.auction is None:
        wrong.append(
            Invalid(
                "tender.auction_rules_missing", _("This procedure needs the rules of its auction."), field="auction"
            )
        )
    if wrong:
        raise InvalidMany(wrong)


def _texts(terms: TenderTerms, wrong: list[Invalid]) -> None:
    if not any(text.strip() for text in terms.title.values()):
        wrong.append(Invalid("tender.title_missing", _("Give the tender a title."), field="title"))
    if any(len(text) > 300 for text in terms.title.values()):
        wrong.append(Invalid("tender.title_long", _("A title has at most 300 characters."), field="title"))
    try:
        procedure_of(terms.procedure)
    except Invalid as error:
        wrong.append(error)
    if terms.questions_until is not None and terms.bids_until is not None and terms.questions_until > terms.bids_until:
        wrong.append(
            Invalid(
                "tender.questions_after_bids",
                _("Questions must end no later than the bids."),
                field="questions_until",
                value=terms.questions_until.isoformat(),
            )
        )


def _money(terms: TenderTerms, wrong: list[Invalid]) -> None:
    try:
        exponent(terms.currency)
    except Invalid as error:
        wrong.append(error)
    budgets = [("budget", terms.budget_minor)]
    budgets += [(f"lots.{place}.budget", lot.budget_minor) for place, lot in enumerate(terms.lots)]
    for name, minor in budgets:
        if minor is not None and not 0 < minor <= LARGEST:
            wrong.append(Invalid("tender.budget_invalid", _("A budget is above zero."), field=name, value=minor))


def _lots(terms: TenderTerms, wrong: list[Invalid]) -> None:
    lines = sum(len(lot.lines) for lot in terms.lots)
    if not terms.lots or any(not lot.lines for lot in terms.lots):
        wrong.append(Invalid("tender.lines_missing", _("Every lot needs at least one line."), field="lots"))
    if len(terms.lots) > LOTS_MAX or lines > LINES_MAX:
        wrong.append(
            Invalid(
                "tender.too_many_lines",
                _("A tender has at most %(lots)s lots and %(lines)s lines."),
                field="lots",
                value=lines,
                lots=LOTS_MAX,
                lines=LINES_MAX,
            )
        )
    for at, lot in enumerate(terms.lots):
        for place, line in enumerate(lot.lines):
            prefix = f"lots.{at}.lines.{place}"
            if not any(text.strip() for text in line.name.values()):
                wrong.append(Invalid("tender.line_name_missing", _("Say what is bought."), field=f"{prefix}.name"))
            try:
                parse_quantity(line.quantity, line.unit)
            except Invalid as error:
                wrong.append(_at(error, f"{prefix}.{error.field}"))


def _criteria(terms: TenderTerms, wrong: list[Invalid]) -> None:
    codes = [criterion.code for criterion in terms.criteria]
    if len(codes) != len(set(codes)) or len(codes) > CRITERIA_MAX or "price" in codes or "" in codes:
        wrong.append(
            Invalid(
                "tender.criteria_codes",
                _("Criteria need different codes, at most %(most)s, none of them “price”."),
                field="criteria",
                value=", ".join(codes),
                most=CRITERIA_MAX,
            )
        )
    weights = [criterion.weight for criterion in terms.criteria]
    if any(weight <= 0 for weight in weights) or sum(weights) >= WHOLE:
        wrong.append(
            Invalid(
                "tender.criteria_weights",
                _(
                    "The weights beside the price must be above 0 and sum to less than 100 %%; they sum to %(value)s %%."
                ),
                field="criteria",
                value=Decimal(sum(weights)) / 10,
            )
        )
    if any(not 1 <= criterion.best <= 1000 for criterion in terms.criteria):
        wrong.append(Invalid("tender.criteria_points", _("The best points lie between 1 and 1000."), field="criteria"))


def _days(terms: TenderTerms, wrong: list[Invalid]) -> None:
    bounds = {"standstill_days": 365, "deliver_within_days": 3650, "inspect_within_days": 365, "pay_within_days": 365}
    for name, most in bounds.items():
        value = getattr(terms, name)
        if not 0 <= value <= most:
            wrong.append(
                Invalid(
                    "tender.days_invalid",
                    _("“%(value)s” days are not possible here; write 0 to %(most)s."),
                    field=name,
                    value=value,
                    most=most,
                )
            )


def _penalty(terms: TenderTerms, wrong: list[Invalid]) -> None:
    if terms.late_penalty is None:
        return
    try:
        rate, cap = (Decimal(terms.late_penalty[name]) for name in ("rate", "cap"))
        fits = terms.late_penalty["per"] in PERIODS and 0 < rate <= cap <= PENALTY_CAP_MAX
        exact = rate == round(rate, 6) and cap == round(cap, 6)
    except (InvalidOperation, KeyError, TypeError):
        fits = exact = False
    if not fits or not exact:
        wrong.append(
            Invalid(
                "tender.penalty_invalid",
                _(
                    "A penalty for late delivery has a rate above 0 a day or week, and a cap from the rate to %(most)s %%."
                ),
                field="late_rate",
                value=str(dict(terms.late_penalty)),
                most=plain(PENALTY_CAP_MAX * 100),
            )
        )


def _bond(terms: TenderTerms, wrong: list[Invalid]) -> None:
    if terms.bond_minor is not None and terms.bond_ppm is not None:
        wrong.append(
            Invalid("tender.bond_twice", _("Name the bid bond as an amount or as a share, not both."), field="bond")
        )
    if terms.bond_minor is not None and not 0 < terms.bond_minor <= LARGEST:
        wrong.append(
            Invalid("tender.bond_invalid", _("A bid bond is above zero."), field="bond", value=terms.bond_minor)
        )
    if terms.bond_ppm is None:
        return
    amounts = [
        bond_amount(None, terms.bond_ppm, lot_budget(terms.budget_minor, lot.budget_minor, len(terms.lots)))
        for lot in terms.lots
    ]
    if not 0 < terms.bond_ppm <= 1_000_000 or 0 in amounts:
        wrong.append(
            Invalid(
                "tender.bond_share",
                _("A bid bond as a share needs a budget for every lot, and must come to more than zero of each."),
                field="bond_percent",
                value=terms.bond_ppm,
            )
        )


def _at(error: HuangpuError, field: str) -> Invalid:
    return Invalid(error.code, error.message, field=field, value=error.value, **error.params)
