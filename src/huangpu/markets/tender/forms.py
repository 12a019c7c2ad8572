"""The forms of a tender's pages: what was typed, as terms and prices, or what is wrong with it, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext as _

from huangpu.core.errors import HuangpuError, Invalid
from huangpu.core.money import Money, parse_money
from huangpu.core.names import in_language
from huangpu.core.quantity import plain
from huangpu.core.words import language

from .rules import Criterion
from .terms import LineTerms, LotTerms, TenderTerms

DAYS = ("standstill_days", "deliver_within_days", "inspect_within_days", "pay_within_days")
LINE_FIELDS = ("names", "name", "quantity", "unit", "description", "scheme", "code")
AUCTION_DEFAULTS = {"duration_min": "30", "step_percent": "0.5", "extend_min": "2", "extensions_max": "20"}


@dataclass(slots=True)
class Row:
    """A repeated part of a form: its values as typed, and what is wrong with them."""

    values: dict[str, Any]
    errors: dict[str, Any] = field(default_factory=dict)
    lines: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """The form of a draft as typed. `errors`: field → what is wrong with it; `general`: what no field is to blame for."""

    values: dict[str, Any]
    lots: list[Row]
    criteria: list[Row]
    errors: dict[str, Any] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)

    def show(self, error: HuangpuError) -> None:
        """Puts what an act refused beside the field it is about."""
        for one in error.each:
            self.put(one.field or "", str(one))

    def put(self, name: str, text: str) -> None:
        """Puts a sentence beside a field, or above the form when no field is named so."""
        parts = name.split(".")
        if len(parts) == 5 and parts[1].isdecimal() and parts[3].isdecimal():
            self.lots[int(parts[1])].lines[int(parts[3])].errors[parts[4]] = text
        elif len(parts) == 3 and parts[1].isdecimal():
            self.lots[int(parts[1])].errors[parts[2]] = text
        elif len(parts) == 1 and (name in self.values or name in ("title", "budget", "criteria")):
            self.errors[name] = text
        else:
            self.general.append(text)


def empty(currency: str) -> Draft:
    """The form of a new tender: one lot with one line, and the terms most tenders have."""
    values = {
        "procedure": "open",
        "currency": currency,
        "standstill_days": 3,
        "deliver_within_days": 30,
        "inspect_within_days": 7,
        "pay_within_days": 3,
        "allow_single": True,
        "late_per": "week",
        **AUCTION_DEFAULTS,
    }
    return Draft(values, [Row({}, lines=[Row({"unit": "C62"})])], [])


def of_terms(terms: TenderTerms, zone: ZoneInfo) -> Draft:
    """The form of what is stored."""
    values: dict[str, Any] = {name: getattr(terms, name) for name in (*DAYS, "procedure", "currency", "industry")}
    values |= {name: getattr(terms, name) for name in ("delivery_place", "allow_single", "two_persons")}
    values |= {"standstill_working": terms.standstill_working, "budget": _major(terms.budget_minor, terms.currency)}
    for name in ("title", "description"):
        given: Mapping[str, str] = getattr(terms, name)
        values |= {f"{name}_zh": given.get("zh-hans", ""), f"{name}_en": given.get("en", "")}
    for name in ("bids_until", "questions_until"):
        instant: datetime | None = getattr(terms, name)
        values[name] = instant.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if instant else ""
    values |= _security_values(terms)
    values |= AUCTION_DEFAULTS | _auction_values(terms.auction or {})
    lots = [
        Row(
            {
                "names": json.dumps(dict(lot.title), ensure_ascii=False),
                "title": in_language(dict(lot.title)),
                "budget": _major(lot.budget_minor, terms.currency),
            },
            lines=[Row(_line_values(line)) for line in lot.lines],
        )
        for lot in terms.lots
    ]
    return Draft(values, lots, [Row(_criterion_values(criterion)) for criterion in terms.criteria])


def typed(post: QueryDict) -> Draft:
    """The form as it was typed, with the rows the buttons «more» and «less» added or took away."""
    values: dict[str, Any] = {name: post.get(name, "").strip() for name in post if "_lot" not in name}
    for name in ("allow_single", "two_persons", "standstill_working"):
        values[name] = name in post
    lots = [Row(one) for one in _rows(post, "lot", ("names", "title", "budget"))]
    for one, lot in zip(_rows(post, "line", LINE_FIELDS), post.getlist("line_lot"), strict=False):
        if lot.isdecimal() and int(lot) < len(lots):
            lots[int(lot)].lines.append(Row(one))
    criteria = [Row(one) for one in _rows(post, "criterion", ("names", "name", "weight", "best"))]
    draft = Draft(values, lots or [Row({}, lines=[Row({})])], criteria)
    _change_rows(draft, post.get("rows", ""))
    return draft


def terms_of(draft: Draft, zone: ZoneInfo) -> TenderTerms | None:
    """The terms that were typed; None, with the errors in the draft, if something cannot be read at all."""
    values = draft.values
    currency = values.get("currency", "")
    read = _Reader(draft, zone)
    lots = []
    for at, lot in enumerate(draft.lots):
        lines = [
            LineTerms(
                name=_names(line.values.get("names", ""), line.values.get("name", "")),
                quantity=read.decimal(f"lots.{at}.lines.{place}.quantity", line.values.get("quantity", "")),
                unit=line.values.get("unit", "").upper(),
                description=line.values.get("description", "")[:2000],
                scheme=line.values.get("scheme", "")[:32],
                code=line.values.get("code", "")[:32],
            )
            for place, line in enumerate(lot.lines)
        ]
        title = _names(lot.values.get("names", ""), lot.values.get("title", ""))
        lots.append(LotTerms(lines, title, read.money(f"lots.{at}.budget", lot.values.get("budget", ""), currency)))
    terms = TenderTerms(
        title=_both(values, "title"),
        description=_both(values, "description"),
        currency=currency,
        procedure=values.get("procedure", ""),
        lots=lots,
        industry=values.get("industry", "")[:32],
        delivery_place=values.get("delivery_place", "")[:300],
        budget_minor=read.money("budget", values.get("budget", ""), currency),
        criteria=[read.criterion(place, row) for place, row in enumerate(draft.criteria)],
        auction=read.auction(),
        allow_single=values["allow_single"],
        two_persons=values["two_persons"],
        standstill_working=values["standstill_working"],
        questions_until=read.instant("questions_until"),
        bids_until=read.instant("bids_until"),
        late_penalty=read.penalty(),
        bond_minor=read.money("bond", values.get("bond", ""), currency),
        bond_ppm=read.millionths("bond_percent"),
        **{name: read.whole(name) for name in DAYS},
    )
    return None if draft.errors or draft.general or read.wrong else terms


def prices_of(post: QueryDict, lines: Iterable[Any]) -> tuple[dict[Any, Decimal], dict[str, str]]:
    """The prices typed into a bid's form by line, and what is wrong by field."""
    prices, errors = {}, {}
    for line in lines:
        text = post.get(f"price.{line.id}", "").strip().replace(",", "")
        try:
            prices[line.id] = Decimal(text)
        except InvalidOperation:
            errors[f"price.{line.id}"] = _("Write a price as a number.")
    return prices, errors


def instant_of(draft: Draft, name: str, zone: ZoneInfo) -> datetime | None:
    """One instant of a form, local to the zone; what cannot be read is put into the draft's errors."""
    return _Reader(draft, zone).instant(name)


class _Reader:
    """Reads typed values; what cannot be read is put beside its field."""

    def __init__(self, draft: Draft, zone: ZoneInfo) -> None:
        self.draft, self.zone, self.wrong = draft, zone, False

    def _refuse(self, name: str, text: str) -> None:
        self.wrong = True
        self.draft.put(name, text)

    def decimal(self, name: str, text: str) -> Decimal:
        try:
            return Decimal(text.replace(",", ""))
        except InvalidOperation:
            self._refuse(name, _("Write a number."))
            return Decimal(1)

    def whole(self, name: str) -> int:
        text = str(self.draft.values.get(name, ""))
        if not text.isdecimal() or len(text) > 5:
            self._refuse(name, _("Write a whole number of days."))
            return 0
        return int(text)

    def money(self, name: str, text: str, currency: str) -> int | None:
        if not text:
            return None
        try:
            return parse_money(text, currency).minor
        except Invalid as error:
            if error.code != "currency.unknown":
                self._refuse(name, str(error))
            return None

    def millionths(self, name: str) -> int | None:
        """A percentage as typed, in millionths."""
        text = self.draft.values.get(name, "")
        if not text:
            return None
        try:
            ppm = Decimal(text) * 10_000
            if ppm == int(ppm):
                return int(ppm)
        except (InvalidOperation, ValueError, OverflowError):
            pass
        self._refuse(name, _("Write a percentage with at most four decimals."))
        return None

    def penalty(self) -> dict[str, str] | None:
        if not self.draft.values.get("late_rate") and not self.draft.values.get("late_cap"):
            return None
        rate, cap = self.millionths("late_rate"), self.millionths("late_cap")
        if cap is None and "late_cap" not in self.draft.errors:
            self._refuse("late_cap", _("Write a percentage with at most four decimals."))
        shares = {name: plain(Decimal(ppm or 0) / 1_000_000) for name, ppm in (("rate", rate), ("cap", cap))}
        return {**shares, "per": self.draft.values.get("late_per", "")}

    def instant(self, name: str) -> datetime | None:
        text = self.draft.values.get(name, "")
        if not text:
            return None
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self.zone)
        except ValueError:
            self._refuse(name, _("Write a day and a time."))
            return None

    def criterion(self, place: int, row: Row) -> Criterion:
        try:
            weight = Decimal(row.values.get("weight", "")) * 10
            best = int(row.values.get("best", "") or 100)
            if weight != int(weight):
                raise ValueError("weights are thousandths")
        except (InvalidOperation, ValueError, OverflowError):
            self._refuse("criteria", _("A weight is a percentage with at most one decimal; the best points are whole."))
            weight, best = Decimal(1), 100
        return Criterion(
            f"c{place + 1}", _names(row.values.get("names", ""), row.values.get("name", "")), int(weight), best
        )

    def auction(self) -> dict[str, Any] | None:
        values = self.draft.values
        if not values.get("procedure", "").endswith("_auction"):
            return None
        try:
            return {
                "duration_s": int(Decimal(values["duration_min"]) * 60),
                "step_ppm": int(Decimal(values["step_percent"]) * 10_000),
                "window_s": int(Decimal(values["extend_min"]) * 60),
                "extend_s": int(Decimal(values["extend_min"]) * 60),
                "extensions_max": int(values["extensions_max"]),
            }
        except (KeyError, InvalidOperation, ValueError, OverflowError):
            self._refuse("duration_min", _("Write numbers for the auction."))
            return None


def _rows(post: QueryDict, prefix: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    columns = {name: post.getlist(f"{prefix}_{name}") for name in names}
    count = max((len(column) for column in columns.values()), default=0)
    return [
        {name: column[place].strip() if place < len(column) else "" for name, column in columns.items()}
        for place in range(min(count, 600))
    ]


def _change_rows(draft: Draft, asked: str) -> None:
    """«more:lot», «more:line:0», «less:line:0:2», «more:criterion», … : what the buttons of the form send."""
    parts = asked.split(":")
    places = [int(part) for part in parts[2:] if part.isdecimal()]
    match (parts[:2], places):
        case (["more", "lot"], _places):
            draft.lots.append(Row({}, lines=[Row({"unit": "C62", "fresh": True})]))
        case (["less", "lot"], [at]) if at < len(draft.lots) and len(draft.lots) > 1:
            del draft.lots[at]
        case (["more", "line"], [at]) if at < len(draft.lots):
            draft.lots[at].lines.append(Row({"unit": "C62", "fresh": True}))
        case (["less", "line"], [at, place]) if at < len(draft.lots) and place < len(draft.lots[at].lines) > 1:
            del draft.lots[at].lines[place]
        case (["more", "criterion"], _places):
            draft.criteria.append(Row({"best": "100", "fresh": True}))
        case (["less", "criterion"], [at]) if at < len(draft.criteria):
            del draft.criteria[at]


def _names(kept: str, text: str) -> dict[str, str]:
    """A name whose typed language is replaced and whose other languages stay."""
    try:
        names = {key: str(value) for key, value in json.loads(kept or "{}").items() if key in ("zh-hans", "en")}
    except (ValueError, AttributeError):
        names = {}
    if text != in_language(names):
        names[language()] = text
    return {key: value[:300] for key, value in names.items() if value}


def _both(values: Mapping[str, Any], name: str) -> dict[str, str]:
    given = {"zh-hans": values.get(f"{name}_zh", ""), "en": values.get(f"{name}_en", "")}
    return {key: value[:4000] for key, value in given.items() if value}


def _line_values(line: LineTerms) -> dict[str, Any]:
    return {
        "names": json.dumps(dict(line.name), ensure_ascii=False),
        "name": in_language(dict(line.name)),
        "quantity": plain(line.quantity),
        "unit": line.unit,
        "description": line.description,
        "scheme": line.scheme,
        "code": line.code,
    }


def _criterion_values(criterion: Criterion) -> dict[str, Any]:
    return {
        "names": json.dumps(dict(criterion.name), ensure_ascii=False),
        "name": in_language(dict(criterion.name)),
        "weight": plain(Decimal(criterion.weight) / 10),
        "best": criterion.best,
    }


def _security_values(terms: TenderTerms) -> dict[str, str]:
    """The penalty for lateness and the bid bond, shares in per cent."""
    late = terms.late_penalty or {}
    values = {f"late_{name}": plain(Decimal(late[name]) * 100) if late else "" for name in ("rate", "cap")}
    share = "" if terms.bond_ppm is None else plain(Decimal(terms.bond_ppm) / 10_000)
    bond = _major(terms.bond_minor, terms.currency)
    return {**values, "late_per": late.get("per", "week"), "bond": bond, "bond_percent": share}


def _auction_values(rules: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, key, unit in (
        ("duration_min", "duration_s", Decimal(60)),
        ("step_percent", "step_ppm", Decimal(10_000)),
        ("extend_min", "extend_s", Decimal(60)),
        ("extensions_max", "extensions_max", Decimal(1)),
    ):
        if key in rules:
            found[name] = plain(Decimal(rules[key]) / unit)
    return found


def _major(minor: int | None, currency: str) -> str:
    return "" if minor is None else plain(Money(minor, currency).major)
