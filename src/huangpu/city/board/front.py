"""What the front pages show: few statements, the same number for a small city and a large one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from huangpu.core.db import rows
from huangpu.flows.commerce.models import Agreement
from huangpu.markets.auction.models import Auction
from huangpu.markets.tender.models import Tender
from huangpu.parties.models import Marketplace
from huangpu.parties.queries import marketplaces

from . import acts, queries
from .chart import Bar, bars
from .queries import Figures, Industry
from .rules import FLOWS

DAYS = 30
SHOWN_MAX = 6
MARKETPLACES_MAX = 24
CATCH_UP_MAX = 2_000  # events a page reads before it answers, where no worker has

CARDS = """
SELECT m.id,
       (SELECT count(*) FROM board_knowntender t WHERE t.marketplace_id = m.id AND t.is_open AND t.bids_until > %(now)s),
       (SELECT coalesce(sum(d.tendered_minor), 0)::bigint FROM board_day d
        WHERE d.marketplace_id = m.id AND d.currency = m.currency AND d.day >= %(since)s)
FROM parties_marketplace m WHERE m.id = ANY(%(ids)s)
"""
OPEN = """
SELECT count(*) FROM board_knowntender
WHERE is_open AND bids_until > %(now)s AND (%(market)s::uuid IS NULL OR marketplace_id = %(market)s)
"""


@dataclass(frozen=True, slots=True)
class Card:
    """A marketplace on the city's front page."""

    market: Marketplace
    open_tenders: int
    tendered_minor: int


@dataclass(frozen=True, slots=True)
class Strand:
    """One of the five flows: how much happened in it, and how broad its strand is drawn (0 to 1)."""

    flow: str
    happened: int
    share: float


@dataclass(frozen=True, slots=True)
class Front:
    """The figures of the last 30 local days, of the city or of a marketplace, and what is traded now."""

    since: date
    today: date
    currency: str
    figures: Figures
    before: Figures  # the 30 days before them
    bars: list[Bar]
    strands: list[Strand]
    industries: list[Industry]
    open_tenders: int
    closing: list[Tender]
    auctions: list[Auction]
    agreements: list[Agreement]

    @property
    def growth(self) -> Decimal | None:
        return queries.growth(self.figures.tendered_minor, self.before.tendered_minor)

    @property
    def industries_most(self) -> int:
        return max((one.organisations for one in self.industries), default=0)


def front(*, now: datetime, zone: ZoneInfo, currency: str, market: Marketplace | None = None) -> Front:
    """Everything of a front page but the list of marketplaces. Reads on in the log first, where no
    worker has."""
    acts.catch_up(events_max=CATCH_UP_MAX, since=acts.PATIENCE)
    today = now.astimezone(zone).date()
    since, market_id = today - timedelta(days=DAYS - 1), market.pk if market else None
    found = queries.figures(
        by="day", since=since - timedelta(days=DAYS), until=today + timedelta(days=1), marketplace_id=market_id
    )
    recent = [one for one in found if one.period >= since]
    figures = queries.total(recent, currency, since)
    by_day = {one.period: one.tendered_minor for one in recent if one.currency == currency}
    return Front(
        since=since,
        today=today,
        currency=currency,
        figures=figures,
        before=queries.total((one for one in found if one.period < since), currency, since - timedelta(days=DAYS)),
        bars=bars([(since + timedelta(days=day), by_day.get(since + timedelta(days=day), 0)) for day in range(DAYS)]),
        strands=_strands(recent),
        industries=queries.industries(
            since=since, until=today + timedelta(days=1), currency=currency, marketplace_id=market_id
        ),
        open_tenders=int(rows(OPEN, {"now": now, "market": market_id})[0][0]),
        closing=_closing(market_id, now),
        auctions=_live(market_id, now),
        agreements=_newest(market_id),
    )


def _of(found: QuerySet[Any], market_id: UUID | None) -> QuerySet[Any]:
    return found if market_id is None else found.filter(marketplace_id=market_id)


def cards(*, now: datetime, since: date) -> list[Card]:
    """The marketplaces with what is open and what was bought by tender since that day. Two statements."""
    shown = list(marketplaces().order_by("id")[:MARKETPLACES_MAX])
    told = {id: more for id, *more in rows(CARDS, {"now": now, "since": since, "ids": [one.pk for one in shown]})}
    return [Card(one, *told[one.pk]) for one in shown]


def _strands(found: list[Figures]) -> list[Strand]:
    happened = {flow: sum(getattr(one, flow) for one in found) for flow in FLOWS}
    most = max(happened.values(), default=0)
    return [Strand(flow, count, count / most if most else 0.0) for flow, count in happened.items()]


def _closing(market_id: UUID | None, now: datetime) -> list[Tender]:
    found = _of(Tender.objects.filter(stage="open", bids_until__gt=now), market_id)
    return list(found.order_by("bids_until", "id")[:SHOWN_MAX])


def _live(market_id: UUID | None, now: datetime) -> list[Auction]:
    found = _of(Auction.objects.filter(status="open", is_public=True, closes_at__gt=now), market_id)
    return list(found.order_by("closes_at")[:SHOWN_MAX])


def _newest(market_id: UUID | None) -> list[Agreement]:
    """The newest agreements that came from a tender, whose award has told everybody what they are worth."""
    found = Agreement.objects.filter(origin_id__in=Tender.objects.filter(stage="concluded").values("id"))
    return list(_of(found, market_id).order_by("-id")[:SHOWN_MAX])
