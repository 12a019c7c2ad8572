"""What may be asked of the board: figures by day and by month, of the city or of one marketplace. Aggregates only.

What an award has told everybody is public, and so is every count. An amount that no award has told is withheld (None)
unless enough payers and payees stand behind it (`rules.FIRMS_MIN`); docs/reference/statistics.md has the whole rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from huangpu.core.db import rows

from .rules import FIGURES as FIGURE_NAMES
from .rules import FIRMS_MIN

DIRECT = ("agreed_minor", "business_minor")  # tell what was traded without a tender
SETTLED = ("accepted_minor", "released_minor", "charged_minor", "refunded_minor")

FIGURES = f"""
SELECT date_trunc(%(by)s, d.day)::date, d.currency, {", ".join(f"sum(d.{name})::bigint" for name in FIGURE_NAMES)}
FROM board_day d
WHERE d.day >= %(since)s AND d.day < %(until)s AND (%(market)s::uuid IS NULL OR d.marketplace_id = %(market)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""

# the smallest number of firms on either side, of each marketplace that has any, and of all of them together
FIRMS = """
SELECT period, currency, figure, marketplace_id, count(DISTINCT organisation_id) FILTER (WHERE side = 'payer'),
       count(DISTINCT organisation_id) FILTER (WHERE side = 'payee')
FROM (SELECT date_trunc(%(by)s, day)::date AS period, * FROM board_firm
      WHERE day >= date_trunc('month', %(since)s::date) AND day < %(until)s) f
GROUP BY GROUPING SETS ((period, currency, figure, marketplace_id), (period, currency, figure))
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one period (a local day, or the first day of a month) in one currency. Amounts in minor units; None:
    withheld, because it could show what one firm does."""

    period: date
    currency: str
    agreements: int = 0
    agreed_minor: int | None = 0
    tendered: int = 0
    tendered_minor: int = 0
    business_minor: int | None = 0
    accepted_minor: int | None = 0
    released_minor: int | None = 0
    charged_minor: int | None = 0
    refunded_minor: int | None = 0
    tenders: int = 0
    bids: int = 0
    auction_bids: int = 0
    baseline_minor: int = 0
    final_minor: int = 0
    commerce: int = 0
    goods: int = 0
    funds: int = 0
    information: int = 0
    process: int = 0

    @property
    def saving_minor(self) -> int:
        return self.baseline_minor - self.final_minor

    @property
    def saving_share(self) -> Decimal | None:
        """The saving as a share of its baseline, the budgets; None when nothing with a budget was concluded."""
        return Decimal(self.saving_minor) / self.baseline_minor if self.baseline_minor > 0 else None

    @property
    def tendered_share(self) -> Decimal | None:
        return Decimal(self.tendered_minor) / self.agreed_minor if self.agreed_minor else None

    @property
    def business_share(self) -> Decimal | None:
        if not self.agreed_minor or self.business_minor is None:
            return None
        return Decimal(self.business_minor) / self.agreed_minor


@dataclass(frozen=True, slots=True)
class Industry:
    """An industry: what was bought by tender in it in a period, and how many of its organisations have ever traded here."""

    code: str
    agreements: int
    agreed_minor: int
    organisations: int
    trading: int | None  # None: withheld, the industry has too few

    @property
    def coverage(self) -> Decimal | None:
        return Decimal(self.trading) / self.organisations if self.organisations and self.trading is not None else None


def figures(*, by: str, since: date, until: date, marketplace_id: UUID | None = None) -> list[Figures]:
    """The figures of each day or month (`by`: "day" or "month") from `since` until before `until`, in which anything was
    counted, the earliest first. Two statements."""
    asked = {"by": by, "since": since, "until": until, "market": marketplace_id}
    found = [
        Figures(*values[:2], **dict(zip(FIGURE_NAMES, values[2:], strict=True))) for values in rows(FIGURES, asked)
    ]
    hidden = withheld(rows(FIRMS, asked), marketplace_id, by)
    return [_published(one, hidden) for one in found]


def withheld(firms: Iterable[tuple[Any, ...]], marketplace_id: UUID | None, by: str) -> set[tuple[Any, ...]]:
    """The (period, currency, figure) whose amounts are not published for this marketplace, or for the city (None).

    A marketplace's: fewer than FIRMS_MIN payers or payees. The city's: likewise, or exactly one marketplace's is withheld,
    which the difference would show. By day, if anything has to be withheld: every such figure of the month.
    """
    few: set[tuple[Any, ...]] = set()
    markets: dict[tuple[Any, ...], int] = {}
    for period, currency, figure, market, payers, payees in firms:
        cell, scarce = (period, currency, figure), min(payers, payees) < FIRMS_MIN
        if market is not None:
            markets[cell] = markets.get(cell, 0) + scarce
        if market == marketplace_id and scarce:
            few.add(cell)
    if marketplace_id is None:
        few |= {cell for cell, hidden in markets.items() if hidden == 1}
    if by == "day":
        months = {(cell[0].replace(day=1), *cell[1:]) for cell in few}
        few |= {cell for cell in markets if (cell[0].replace(day=1), *cell[1:]) in months}
    return few


def _published(one: Figures, hidden: set[tuple[Any, ...]]) -> Figures:
    names: list[str] = []
    if (one.period, one.currency, "direct") in hidden:
        names += DIRECT
    if (one.period, one.currency, "settled") in hidden:
        names += SETTLED
    if not names:
        return one
    nothing: dict[str, Any] = dict.fromkeys(names)
    return replace(one, **nothing)


def industries(*, since: date, until: date, currency: str, marketplace_id: UUID | None = None) -> list[Industry]:
    """Every industry of the city's organisations or of the tenders in a period, the one with most organisations first."""
    found = rows(
        "SELECT coalesce(c.industry, d.industry), coalesce(d.agreements, 0), coalesce(d.agreed, 0),"
        " coalesce(c.organisations, 0), coalesce(c.trading, 0)"
        " FROM board_coverage c FULL JOIN ("
        "  SELECT industry, sum(agreements)::bigint AS agreements, sum(agreed_minor)::bigint AS agreed FROM board_industryday"
        "  WHERE day >= %s AND day < %s AND currency = %s AND (%s::uuid IS NULL OR marketplace_id = %s) GROUP BY 1"
        " ) d ON d.industry = c.industry ORDER BY 4 DESC, 3 DESC, 1",
        [since, until, currency, marketplace_id, marketplace_id],
    )
    return [
        Industry(code, agreements, agreed, organisations, trading if organisations >= FIRMS_MIN else None)
        for code, agreements, agreed, organisations, trading in found
        if code
    ]


def total(found: Iterable[Figures], currency: str, period: date) -> Figures:
    """The sum of figures of one currency; an amount of which a part is withheld is withheld."""
    listed = [one for one in found if one.currency == currency]
    summed: dict[str, Any] = {}
    for name in FIGURE_NAMES:
        values = [getattr(one, name) for one in listed]
        summed[name] = None if any(value is None for value in values) else sum(values)
    return Figures(period, currency, **summed)


def growth(now: int | None, before: int | None) -> Decimal | None:
    """By how much a figure has grown, as a share of what it was; None where that is nothing or withheld."""
    return Decimal(now - before) / before if now is not None and before else None


def months_back(day: date, months: int) -> date:
    """The first day of the month that lies so many months before the day's; after it, if `months` is negative."""
    place = day.year * 12 + day.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)
