"""What the front pages show: few statements, the same number for a small city and a large one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from huangpu.core.db import rows
from huangpu.core.web.templatetags.huangpu import lane_names
from huangpu.flows.commerce.models import Agreement, Intent
from huangpu.flows.commerce.queries import closing_first, open_intents
from huangpu.markets.auction.models import Auction
from huangpu.parties.models import Marketplace
from huangpu.parties.queries import marketplaces
from huangpu.parties.words import INDUSTRIES, word

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
# each flow begins beside its name and ends in the river: places in a picture of 100 × 250
STRANDS = tuple(f"M2 {25 + 50 * row}C38 {25 + 50 * row} 52 {105 + 10 * row} 102 {105 + 10 * row}" for row in range(5))
OPEN = """
SELECT count(*) FROM board_knowntender
WHERE is_open AND bids_until > %(now)s AND (%(market)s::uuid IS NULL OR marketplace_id = %(market)s)
"""


# the newest of each marketplace by its own index, then the newest of these
NEWEST = """
SELECT a.* FROM parties_marketplace m CROSS JOIN LATERAL (
  SELECT * FROM commerce_agreement
  WHERE marketplace_id = m.id AND origin_id IN (SELECT tender_id FROM board_knowntender)
  ORDER BY id DESC LIMIT %(most)s
) a WHERE %(market)s::uuid IS NULL OR m.id = %(market)s ORDER BY a.concluded_at DESC, a.id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Card:
    """A marketplace on the city's front page."""

    market: Marketplace
    open_tenders: int
    tendered_minor: int


@dataclass(frozen=True, slots=True)
class Strand:
    """One of the five flows: how much happened in it, how broad its strand is drawn (0 to 5), and where it runs."""

    flow: str
    word: str
    chinese: str  # beside the word where that is another
    happened: int
    breadth: int
    path: str


@dataclass(frozen=True, slots=True)
class Share:
    """An industry in a list of bars: `part` and `trading_part` of a bar of 100."""

    word: str
    organisations: int
    coverage: Decimal | None
    part: int
    trading_part: int


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
    industries: list[Share]
    open_tenders: int
    closing: list[Intent]
    auctions: list[Auction]
    agreements: list[Agreement]
    cards: list[Card] = field(default_factory=list)

    @property
    def highest(self) -> Bar | None:
        """The day with most, if there was one with anything."""
        return max((bar for bar in self.bars if not bar.is_none), key=lambda bar: bar.value, default=None)

    @property
    def growth_size(self) -> Decimal | None:
        return abs(self.growth) if self.growth is not None else None

    @property
    def growth(self) -> Decimal | None:
        return queries.growth(self.figures.agreed_minor, self.before.agreed_minor)


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
    found_now = Front(
        since=since,
        today=today,
        currency=currency,
        figures=figures,
        before=queries.total((one for one in found if one.period < since), currency, since - timedelta(days=DAYS)),
        bars=bars([(since + timedelta(days=day), by_day.get(since + timedelta(days=day), 0)) for day in range(DAYS)]),
        strands=_strands(recent),
        industries=_shares(since, today, currency, market_id),
        open_tenders=int(rows(OPEN, {"now": now, "market": market_id})[0][0]),
        closing=_closing(market_id, now),
        auctions=_live(market_id, now),
        agreements=_newest(market_id),
    )
    if market is not None:
        _place([*found_now.closing, *found_now.auctions, *found_now.agreements], {market.pk: market})
    return found_now


def _of(found: QuerySet[Any], market_id: UUID | None) -> QuerySet[Any]:
    return found if market_id is None else found.filter(marketplace_id=market_id)


def city_front(*, now: datetime, zone: ZoneInfo, currency: str) -> Front:
    """The city's front page: `front`, with its marketplaces and where each thing is traded."""
    found = front(now=now, zone=zone, currency=currency)
    shown = list(marketplaces().order_by("id")[:MARKETPLACES_MAX])
    told = {id: more for id, *more in rows(CARDS, {"now": now, "since": found.since, "ids": [one.pk for one in shown]})}
    _place([*found.closing, *found.auctions, *found.agreements], {one.pk: one for one in shown})
    return replace(found, cards=[Card(one, *told[one.pk]) for one in shown])


def _place(things: Iterable[Any], known: dict[UUID, Marketplace]) -> None:
    """Tells each thing its marketplace: `slug` for its address, `place` for its name."""
    listed = list(things)
    if missing := {one.marketplace_id for one in listed} - known.keys():
        known = known | Marketplace.objects.in_bulk(missing)
    for one in listed:
        market = known[one.marketplace_id]
        one.slug, one.place = market.slug, market.name


def _shares(since: date, today: date, currency: str, market_id: UUID | None) -> list[Share]:
    found: list[Industry] = queries.industries(
        since=since, until=today + timedelta(days=1), currency=currency, marketplace_id=market_id
    )
    most = max((one.organisations for one in found), default=0) or 1
    return [
        Share(
            str(word(INDUSTRIES, one.code)), one.organisations, one.coverage,
            100 * one.organisations // most, 100 * (one.trading or 0) // most,
        )
        for one in found
    ]  # fmt: skip


def _strands(found: list[Figures]) -> list[Strand]:
    happened = {flow: sum(getattr(one, flow) for one in found) for flow in FLOWS}
    most = max(happened.values(), default=0)
    return [
        Strand(flow, word, chinese, happened[flow], ceil(5 * happened[flow] / most) if most else 0, path)
        for (flow, word, chinese), path in zip(lane_names(), STRANDS, strict=True)
    ]


def _closing(market_id: UUID | None, now: datetime) -> list[Intent]:
    """What is looked for and offered now, in whatever market: one statement."""
    return list(closing_first(open_intents(now, marketplace_id=market_id))[:SHOWN_MAX])


def _live(market_id: UUID | None, now: datetime) -> list[Auction]:
    found = _of(Auction.objects.filter(status="open", is_public=True, closes_at__gt=now), market_id)
    return list(found.order_by("closes_at")[:SHOWN_MAX])


def _newest(market_id: UUID | None) -> list[Agreement]:
    """The newest agreements that came from a tender, whose award has told everybody what they are worth."""
    return list(Agreement.objects.raw(NEWEST, {"market": market_id, "most": SHOWN_MAX}))
