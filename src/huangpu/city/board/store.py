"""The board's rows: what events need to be read with, and adding what they told, one statement a table."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from huangpu.core.db import execute, rows

from .models import Coverage, Day, Firm, IndustryDay, KnownFirm, KnownTender
from .rules import FIGURES, Known, Market, Promise, Tally, Terms

ADD_DAYS = f"""
INSERT INTO board_day (marketplace_id, day, currency, {", ".join(FIGURES)})
SELECT %s, n.day, n.currency, {", ".join(f"coalesce(n.{name}, 0)" for name in FIGURES)}
FROM jsonb_to_recordset(%s::jsonb) AS n(day date, currency text, {", ".join(f"{name} bigint" for name in FIGURES)})
ON CONFLICT (marketplace_id, day, currency)
DO UPDATE SET {", ".join(f"{name} = board_day.{name} + excluded.{name}" for name in FIGURES)}
"""

ADD_INDUSTRIES = """
INSERT INTO board_industryday (marketplace_id, day, currency, industry, agreements, agreed_minor)
SELECT %s, n.* FROM jsonb_to_recordset(%s::jsonb)
  AS n(day date, currency text, industry text, agreements bigint, agreed_minor bigint)
ON CONFLICT (marketplace_id, day, currency, industry)
DO UPDATE SET agreements = board_industryday.agreements + excluded.agreements,
              agreed_minor = board_industryday.agreed_minor + excluded.agreed_minor
"""

ADD_FIRMS = """
INSERT INTO board_firm (marketplace_id, day, currency, figure, side, organisation_id)
SELECT %s, n.* FROM jsonb_to_recordset(%s::jsonb)
  AS n(day date, currency text, figure text, side text, organisation uuid)
ON CONFLICT DO NOTHING
"""

KEEP_TENDERS = """
INSERT INTO board_knowntender (tender_id, marketplace_id, industry, currency, budget_minor, lots, bids_until, is_open, counted)
SELECT n.id, %s, n.industry, n.currency, n.budget, n.lots, n.bids_until, n.is_open, n.counted
FROM jsonb_to_recordset(%s::jsonb) AS n(id uuid, industry text, currency text, budget bigint, lots jsonb,
                                        bids_until timestamptz, is_open bool, counted jsonb)
ON CONFLICT (tender_id) DO UPDATE
SET bids_until = excluded.bids_until, is_open = excluded.is_open, counted = excluded.counted
"""

KEEP_FACTS = """
INSERT INTO board_knownfirm (organisation_id, industry, registered, trades)
SELECT id, industry, true, false FROM parties_organisation WHERE id = ANY(%s) AND NOT imported
ON CONFLICT (organisation_id) DO UPDATE SET industry = excluded.industry, registered = true
"""

KEEP_TRADING = """
INSERT INTO board_knownfirm (organisation_id, industry, registered, trades)
SELECT unnest(%s::uuid[]), '', false, true
ON CONFLICT (organisation_id) DO UPDATE SET trades = true WHERE NOT board_knownfirm.trades
"""

# what the rows above were before and are now, by industry: the difference goes into the few rows that are shown
COVERED = "SELECT industry, count(*), count(*) FILTER (WHERE trades) FROM board_knownfirm WHERE organisation_id = ANY(%s) AND registered GROUP BY 1"  # noqa: E501
NAME_INDUSTRIES = "INSERT INTO board_coverage (industry, organisations, trading) SELECT unnest(%s::text[]), 0, 0 ON CONFLICT DO NOTHING"  # noqa: E501
ADD_COVERAGE = """
UPDATE board_coverage c SET organisations = c.organisations + n.organisations, trading = c.trading + n.trading
FROM jsonb_to_recordset(%s::jsonb) AS n(industry text, organisations bigint, trading bigint)
WHERE c.industry = n.industry
"""


def markets(ids: Collection[UUID]) -> list[Market]:
    """The marketplaces with these ids, the city's own first: organisations are known before what they trade."""
    found = rows(
        "SELECT id, zone, currency FROM parties_marketplace WHERE id = ANY(%s) ORDER BY is_city DESC, id", [list(ids)]
    )
    return [Market(id, zone_of(zone), currency) for id, zone, currency in found]


def terms(agreements: Collection[UUID]) -> dict[UUID, Terms]:
    """The currency and the commitments of agreements: what never changes after they were concluded;
    of a commitment that an amendment has cut, what was agreed at first."""
    if not agreements:
        return {}
    found = rows(
        "SELECT a.id, a.currency, c.ordinal, c.action, c.flow,"
        " coalesce((c.details->'agreed'->>'quantity')::numeric, c.quantity),"
        " coalesce((c.details->'agreed'->>'amount')::bigint, c.amount), c.provider_id, c.receiver_id"
        " FROM commerce_agreement a JOIN commerce_commitment c ON c.agreement_id = a.id WHERE a.id = ANY(%s)",
        [list(agreements)],
    )
    promises: dict[UUID, dict[int, Promise]] = defaultdict(dict)
    currencies = {}
    for id, currency, ordinal, *promise in found:
        currencies[id] = currency
        promises[id][ordinal] = Promise(*promise)
    return {id: Terms(currency, promises[id]) for id, currency in currencies.items()}


def tenders(ids: Collection[UUID]) -> dict[UUID, Known]:
    """What the board knows of these tenders."""
    found = KnownTender.objects.filter(pk__in=ids) if ids else []
    return {
        one.pk: Known(
            one.industry, one.currency, one.budget_minor, one.lots,
            one.bids_until.isoformat() if one.bids_until else None, one.is_open, one.counted,
        )
        for one in found
    }  # fmt: skip


def add(market: Market, tally: Tally) -> None:
    """Adds what events told. Inside the transaction that moves the subscriber on."""
    days = [{"day": str(day), "currency": currency, **told} for (day, currency), told in tally.days.items()]
    _write(ADD_DAYS, market, days)
    industries = [
        {"day": str(day), "currency": currency, "industry": industry, **told}
        for (day, currency, industry), told in tally.industries.items()
    ]
    _write(ADD_INDUSTRIES, market, industries)
    names = ("day", "currency", "figure", "side", "organisation")
    _write(ADD_FIRMS, market, [dict(zip(names, map(str, one), strict=True)) for one in sorted(tally.firms, key=str)])
    known = [
        {
            "id": str(id), "industry": one.industry, "currency": one.currency, "budget": one.budget, "lots": one.lots,
            "bids_until": one.bids_until, "is_open": one.is_open, "counted": one.counted,
        }
        for id in sorted(tally.touched)
        for one in [tally.tenders[id]]
    ]  # fmt: skip
    _write(KEEP_TENDERS, market, known)
    _cover(tally.told, tally.trading)


def _write(sql: str, market: Market, told: Iterable[dict[str, Any]]) -> None:
    if listed := list(told):
        execute(sql, [market.id, json.dumps(listed)])


def _cover(told: set[UUID], trading: set[UUID]) -> None:
    """Organisations that are new, have changed, or trade for the first time. One at a time over all marketplaces."""
    firms = sorted(told | trading)
    if not firms:
        return
    execute("LOCK TABLE board_coverage IN SHARE ROW EXCLUSIVE MODE")
    before = {industry: (number, trade) for industry, number, trade in rows(COVERED, [firms])}
    if told:
        execute(KEEP_FACTS, [sorted(told)])
    if trading:
        execute(KEEP_TRADING, [sorted(trading)])
    after = {industry: (number, trade) for industry, number, trade in rows(COVERED, [firms])}
    changes = [
        {"industry": industry, "organisations": new[0] - old[0], "trading": new[1] - old[1]}
        for industry in sorted(before.keys() | after.keys())
        for old, new in [(before.get(industry, (0, 0)), after.get(industry, (0, 0)))]
        if old != new
    ]
    if changes:
        execute(NAME_INDUSTRIES, [[one["industry"] for one in changes]])
        execute(ADD_COVERAGE, [json.dumps(changes)])


def empty() -> None:
    """Forgets everything that was counted."""
    for table in (Day, IndustryDay, Firm, KnownTender, KnownFirm, Coverage):
        table.objects.all().delete()


@cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that IANA name."""
    return ZoneInfo(name)
