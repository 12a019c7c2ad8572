"""What must hold of the books: they balance, every balance is the sum of its transfers, every hold is consistent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from uuid import UUID

from huangpu.core.db import rows
from huangpu.core.verify import Check, none_of

from . import keys, trial
from .models import ClosedDay

LEGS_OF = """
SELECT debit_id AS id, 1 AS items, CASE WHEN phase IN (0, 2) THEN amount ELSE 0 END AS posted_debit, 0 AS posted_credit,
       CASE phase WHEN 0 THEN 0 WHEN 1 THEN amount ELSE -amount - rest END AS pending_debit, 0 AS pending_credit
FROM {moved}
UNION ALL
SELECT credit_id, 0, 0, CASE WHEN phase IN (0, 2) THEN amount ELSE 0 END, 0,
       CASE WHEN phase = 1 THEN amount WHEN phase > 1 AND nominal_id IS NULL THEN -amount - rest ELSE 0 END
FROM {moved}
UNION ALL
SELECT nominal_id, 0, 0, 0, 0, -amount - rest FROM {moved} WHERE nominal_id IS NOT NULL
"""
LEGS = LEGS_OF.format(moved="funds_transfer")
TOTAL = """
SELECT a.id, a.marketplace_id, a.currency, a.balance_min, a.balance_max,
       a.posted_debit + coalesce(s.posted_debit, 0) AS posted_debit,
       a.posted_credit + coalesce(s.posted_credit, 0) AS posted_credit,
       a.pending_debit + coalesce(s.pending_debit, 0) AS pending_debit,
       a.pending_credit + coalesce(s.pending_credit, 0) AS pending_credit
FROM funds_account a LEFT JOIN (
  SELECT account_id, sum(posted_debit) AS posted_debit, sum(posted_credit) AS posted_credit,
         sum(pending_debit) AS pending_debit, sum(pending_credit) AS pending_credit
  FROM funds_subbalance GROUP BY 1
) s ON s.account_id = a.id
"""
UNBALANCED = f"""
SELECT count(*) FROM (
  SELECT FROM ({TOTAL}) t GROUP BY marketplace_id, currency
  HAVING sum(posted_debit) <> sum(posted_credit) OR sum(pending_debit) <> sum(pending_credit)
) u
"""
DRIFTED = f"""
SELECT count(*) FROM ({TOTAL}) t FULL JOIN (
  SELECT id, sum(posted_debit) AS posted_debit, sum(posted_credit) AS posted_credit, sum(pending_debit) AS pending_debit,
         sum(pending_credit) AS pending_credit FROM ({LEGS}) l GROUP BY id
) m USING (id)
WHERE t.marketplace_id IS NULL
   OR (t.posted_debit, t.posted_credit, t.pending_debit, t.pending_credit) IS DISTINCT FROM
      (coalesce(m.posted_debit, 0), coalesce(m.posted_credit, 0), coalesce(m.pending_debit, 0), coalesce(m.pending_credit, 0))
"""
BEYOND = f"""
SELECT count(*) FROM ({TOTAL}) t
WHERE posted_credit - posted_debit - pending_debit < balance_min OR posted_credit + pending_credit - posted_debit > balance_max
   OR pending_debit < 0 OR pending_credit < 0
"""
ELSEWHERE = """
SELECT count(*) FROM funds_transfer t JOIN funds_account d ON d.id = t.debit_id JOIN funds_account c ON c.id = t.credit_id
WHERE d.currency <> c.currency OR d.marketplace_id <> t.marketplace_id OR c.marketplace_id <> t.marketplace_id
"""
HOLDS = """
SELECT count(*) FROM funds_hold h FULL JOIN (
  SELECT hold_id AS id, count(*) FILTER (WHERE phase = 1) AS made, coalesce(sum(amount) FILTER (WHERE phase = 1), 0) AS amount,
         coalesce(sum(amount) FILTER (WHERE phase = 2), 0) AS captured,
         coalesce(sum(amount) FILTER (WHERE phase > 2), 0) + sum(rest) AS voided,
         bool_or(phase = 4) AS expired, count(*) FILTER (WHERE closes) AS closed
  FROM funds_transfer WHERE hold_id IS NOT NULL GROUP BY 1
) t USING (id)
WHERE h.state IS NULL OR t.made IS DISTINCT FROM 1 OR t.closed > 1
   OR (h.amount, h.captured, h.voided) IS DISTINCT FROM (t.amount, t.captured, t.voided)
   OR h.state <> CASE WHEN t.captured + t.voided < t.amount THEN 'pending' WHEN t.expired THEN 'expired'
                      WHEN t.captured > 0 THEN 'posted' ELSE 'voided' END
"""
# what moved in a window of time, by marketplace, currency and book; the number of transfers is that of their debits
MOVED = f"""
WITH moved AS MATERIALIZED (
  SELECT * FROM funds_transfer WHERE posted_at >= coalesce(%(since)s::timestamptz, '-infinity') AND posted_at < %(until)s
), legs AS ({LEGS_OF.format(moved="moved")})
SELECT a.marketplace_id, a.currency, a.book, sum(l.items), sum(l.posted_debit), sum(l.posted_credit), sum(l.pending_debit),
       sum(l.pending_credit)
FROM legs l JOIN funds_account a ON a.id = l.id
WHERE a.marketplace_id = coalesce(%(marketplace)s::uuid, a.marketplace_id) GROUP BY 1, 2, 3
"""
CHECKS = {
    "marketplace and currency whose debits are not its credits, posted or pending": UNBALANCED,
    "account whose balance is not the sum of its transfers": DRIFTED,
    "account below its floor, above its ceiling or with less than nothing held": BEYOND,
    "transfer between currencies or marketplaces": ELSEWHERE,
    "hold that is not what was held, captured and freed": HOLDS,
}


def checks() -> Iterator[Check]:
    """One check a rule; `huangpu verify` runs them all."""
    for what, sql in CHECKS.items():
        yield none_of("funds", what, sql)
    yield _days()


Turnover = dict[tuple[UUID, str], tuple[int, trial.Totals]]


def moved(since: datetime | None, until: datetime, marketplace_id: UUID | None = None) -> Turnover:
    """What was posted from an instant on (None: from the first) and before another, by marketplace and currency: the number of
    transfers, and the totals by book."""
    found = rows(MOVED, {"since": since, "until": until, "marketplace": marketplace_id})
    turnover: dict[tuple[UUID, str], tuple[int, dict[str, tuple[int, int, int, int]]]] = {}
    for marketplace, currency, book, items, *sums in found:
        count, books = turnover.get((marketplace, currency), (0, {}))
        debit, credit, held, expected = map(int, sums)
        turnover[marketplace, currency] = (count + int(items), {**books, book: (debit, credit, held, expected)})
    return {place: (count, books) for place, (count, books) in turnover.items()}


def _days() -> Check:
    """Every closed day computed again from its transfers: its totals, its place in the chain, its digest and its signature."""
    wrong, seen = [], dict[tuple[datetime | None, datetime], Turnover]()
    chains = groupby(ClosedDay.objects.order_by("marketplace_id", "currency", "day"), lambda one: one.chain)
    for _chain, days in chains:
        before = None
        for one in days:
            if not _as_signed(one, before, seen):
                wrong.append(f"{one.day} {one.currency} of {one.marketplace_id}")
            before = one
    name = "funds: every closed day is what was posted, in its chain, with its signature"
    return Check(name, not wrong, ", ".join(wrong[:5]))


def _as_signed(
    one: ClosedDay, before: ClosedDay | None, seen: dict[tuple[datetime | None, datetime], Turnover]
) -> bool:
    try:
        told = one.told
    except (ValueError, KeyError, TypeError):
        return False
    place = (told.marketplace_id, told.currency, told.day)
    window = (told.since, told.until)
    if window not in seen:  # the same for all marketplaces of a zone
        seen[window] = moved(*window)
    count, books = seen[window].get(one.chain, (0, dict[str, tuple[int, int, int, int]]()))
    earlier: Mapping[str, tuple[int, int, int, int]] = before.told.books if before else {}
    return (
        place == (one.marketplace_id, one.currency, one.day)
        and window == (before.told.until if before else None, told.until)
        and told.before == (bytes(before.digest) if before else None)
        and (told.transfers, told.books) == (count, trial.added(earlier, books))
        and trial.balanced(told.books)
        and bytes(one.digest) == trial.digest_of(one.text)
        and keys.is_signed(bytes(one.public_key), bytes(one.signature), one.text)
    )
