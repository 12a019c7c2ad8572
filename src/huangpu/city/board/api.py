"""The board as open data: figures by day or month, of the city and of each marketplace. Public; nothing of a single firm."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Field, Query, Router, Schema

from huangpu.core import clock
from huangpu.core.errors import Invalid
from huangpu.parties.models import Marketplace

from . import queries, store
from .rules import FLOWS

router = Router(tags=["board"])

DAYS_MAX = 400
MONTHS_MAX = 120
WITHHELD = "null: withheld, because it could show what one firm does."


class Asked(Schema):
    """The periods asked for."""

    by: Literal["day", "month"] = "month"
    since: date | None = Field(None, description="The first day; default: a year (months) or 30 days ago.")
    until: date | None = Field(None, description="The last day, inclusive; default: today.")


class FiguresOut(Schema):
    """One period in one currency. Amounts in minor units; shares are decimal texts."""

    period: date = Field(description="The local day, or the first day of the month.")
    currency: str
    agreements: int
    agreed_minor: int | None = Field(description=f"Turnover: what was agreed. {WITHHELD}")
    tendered: int
    tendered_minor: int = Field(description="Of it by tender.")
    tendered_share: str | None
    business_minor: int | None = Field(description=f"Of it between businesses. {WITHHELD}")
    business_share: str | None
    accepted_minor: int | None = Field(description=f"Goods accepted, at their price. {WITHHELD}")
    released_minor: int | None = Field(description=f"Paid out to sellers. {WITHHELD}")
    charged_minor: int | None = Field(description=f"Fees of the marketplaces. {WITHHELD}")
    refunded_minor: int | None = Field(description=f"Given back to buyers. {WITHHELD}")
    tenders: int = Field(description="Tenders published.")
    bids: int = Field(description="Sealed bids, counted when they are opened.")
    auction_bids: int = Field(description="Bids accepted in reverse auctions.")
    baseline_minor: int = Field(description="Budgets of what was concluded by tender: the baseline of the saving.")
    final_minor: int = Field(description="Final prices of the same.")
    saving_minor: int
    saving_share: str | None
    flows: dict[str, int] = Field(description="What happened in each of the five flows.")

    @staticmethod
    def resolve_tendered_share(one: Any) -> str | None:
        return share(one.tendered_share)

    @staticmethod
    def resolve_business_share(one: Any) -> str | None:
        return share(one.business_share)

    @staticmethod
    def resolve_saving_share(one: Any) -> str | None:
        return share(one.saving_share)

    @staticmethod
    def resolve_flows(one: Any) -> dict[str, int]:
        return {flow: getattr(one, flow) for flow in FLOWS}


class IndustryOut(Schema):
    """An industry in the periods asked for, in the marketplace's or the city's currency."""

    code: str
    agreements: int = Field(description="That came from tenders.")
    agreed_minor: int
    organisations: int = Field(description="Registered in the city.")
    trading: int | None = Field(description="Of them, party to an agreement at any time. null: withheld.")
    coverage: str | None = Field(description="Their share.")

    @staticmethod
    def resolve_coverage(one: Any) -> str | None:
        return share(one.coverage)


class BoardOut(Schema):
    """Figures by period, the earliest first, and by industry."""

    by: str
    since: date
    until: date
    currency: str = Field(description="Of the industries' amounts.")
    periods: list[FiguresOut]
    industries: list[IndustryOut]


def share(value: Decimal | None) -> str | None:
    """A share as a text of four decimals: «0.1290»."""
    return None if value is None else f"{value:.4f}"


@router.get("/board", response=BoardOut, auth=None, summary="Figures of the city")
def city_board(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    """What was traded in the city by day or month, all its marketplaces together."""
    city = Marketplace.objects.filter(is_city=True).values_list("zone", "currency").first()
    zone, currency = city or ("Asia/Shanghai", "CNY")
    return answer(asked, None, zone, currency)


@router.get("/m/{marketplace}/board", response=BoardOut, auth=None, summary="Figures of a marketplace")
def marketplace_board(request: HttpRequest, marketplace: str, asked: Query[Asked]) -> dict[str, Any]:
    """What was traded in a marketplace by day or month."""
    market: Marketplace = request.marketplace  # type: ignore[attr-defined]
    return answer(asked, market, market.zone, market.currency)


def answer(asked: Asked, market: Marketplace | None, zone: str, currency: str) -> dict[str, Any]:
    """The board of the periods asked for. Invalid `board.period` when there are none or too many."""
    today = clock.now().astimezone(store.zone_of(zone)).date()
    until = asked.until or today
    months = asked.by == "month"
    since = asked.since or (queries.months_back(until, 11) if months else until - timedelta(days=29))
    most = MONTHS_MAX * 31 if months else DAYS_MAX
    if not 0 <= (until - since).days < most or until.year > 9000:
        raise Invalid("board.period", _("Ask for at least one and at most %(most)s days."), field="since",
                      value=str(since), most=most)  # fmt: skip
    if months:  # a month in part would tell by its difference what the whole withholds
        since, until = since.replace(day=1), queries.months_back(until, -1) - timedelta(days=1)
    market_id = market.pk if market else None
    after = until + timedelta(days=1)
    return {
        "by": asked.by,
        "since": since,
        "until": until,
        "currency": currency,
        "periods": queries.figures(by=asked.by, since=since, until=after, marketplace_id=market_id),
        "industries": queries.industries(since=since, until=after, currency=currency, marketplace_id=market_id),
    }
