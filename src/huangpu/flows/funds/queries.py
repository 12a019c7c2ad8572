"""What may be asked of the books: balances now and at any instant, statements, the trial balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import row, rows
from huangpu.core.errors import Invalid, NotFound
from huangpu.core.web.paging import LIMIT_DEFAULT, LIMIT_MAX, Page, cursor_of, id_of, page_of

from .models import ClosedDay, Transfer
from .rules import AccountSpec
from .verify import TOTAL


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's four sums, in minor units of its currency."""

    account_id: UUID
    currency: str
    posted_debit: int
    posted_credit: int
    pending_debit: int
    pending_credit: int
    balance_min: int | None = None
    balance_max: int | None = None

    @property
    def posted(self) -> int:
        """What the account is worth: credits − debits."""
        return self.posted_credit - self.posted_debit

    @property
    def held(self) -> int:
        """What of it is set aside."""
        return self.pending_debit

    @property
    def available(self) -> int:
        """What of it may be spent; with a floor below zero, the credit line counts."""
        return self.posted - self.pending_debit - (self.balance_min or 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a statement. `posted` and `held` are this line's change of the account, `balance` and `held_after` what
    they were after it. `other_id`: the account on the other side."""

    id: UUID
    posted_at: datetime
    phase: int
    kind: str
    reference_id: UUID
    hold_id: UUID | None
    other_id: UUID
    posted: int
    held: int
    balance: int
    held_after: int


SUMS = "posted_debit, posted_credit, pending_debit, pending_credit"
NOW = f"SELECT t.id, t.currency, {SUMS}, t.balance_min, t.balance_max FROM ({TOTAL}) t WHERE t.id = ANY(%s)"

# the legs of one account after an instant, by the two indexes that lead with it
AFTER = """
SELECT coalesce(sum(amount) FILTER (WHERE side = 'd' AND phase IN (0, 2)), 0),
       coalesce(sum(amount) FILTER (WHERE side = 'c' AND phase IN (0, 2)), 0),
       coalesce(sum(CASE phase WHEN 0 THEN 0 WHEN 1 THEN amount ELSE -amount - rest END) FILTER (WHERE side = 'd'), 0),
       coalesce(sum(CASE WHEN phase = 1 THEN amount WHEN phase > 1 THEN -amount - rest ELSE 0 END)
                FILTER (WHERE side = 'n' OR (side = 'c' AND nominal_id IS NULL)), 0)
FROM (
  SELECT 'd' AS side, phase, amount, rest, nominal_id FROM funds_transfer WHERE debit_id = %(a)s AND {after}
  UNION ALL
  SELECT 'c', phase, amount, rest, nominal_id FROM funds_transfer WHERE credit_id = %(a)s AND {after}
  UNION ALL
  SELECT 'n', phase, amount, rest, nominal_id FROM funds_transfer WHERE nominal_id = %(a)s AND {after}
) leg
"""
LATER = AFTER.format(after="posted_at > %(at)s")
LATER_THAN_ROW = AFTER.format(after="(posted_at, id) >= (%(at)s, %(id)s)")

LINES = """
SELECT id, posted_at, phase, kind, reference_id, hold_id, other, posted, held FROM (
  (SELECT id, posted_at, phase, kind, reference_id, hold_id, credit_id AS other,
          CASE WHEN phase IN (0, 2) THEN -amount ELSE 0 END AS posted,
          CASE phase WHEN 0 THEN 0 WHEN 1 THEN amount ELSE -amount - rest END AS held
   FROM funds_transfer WHERE debit_id = %(a)s {before} ORDER BY posted_at DESC, id DESC LIMIT %(limit)s)
  UNION ALL
  (SELECT id, posted_at, phase, kind, reference_id, hold_id, debit_id, amount, 0
   FROM funds_transfer WHERE credit_id = %(a)s AND phase IN (0, 2) {before} ORDER BY posted_at DESC, id DESC LIMIT %(limit)s)
) line ORDER BY posted_at DESC, id DESC LIMIT %(limit)s
"""
FIRST_PAGE = LINES.format(before="")
NEXT_PAGE = LINES.format(before="AND (posted_at, id) < (%(at)s, %(id)s)")


def balances(account_ids: Sequence[UUID]) -> dict[UUID, Balance]:
    """The balances of accounts now, by account; what there is not is left out."""
    return {found[0]: _balance(*found) for found in rows(NOW, [list(account_ids)])}


def _balance(id: UUID, currency: str, *sums: Any) -> Balance:
    debit, credit, held, expected = map(int, sums[:4])
    return Balance(id, currency, debit, credit, held, expected, balance_min=sums[4], balance_max=sums[5])


def balance(account_id: UUID) -> Balance:
    """The balance of an account now. NotFound `account.unknown`."""
    found = balances([account_id]).get(account_id)
    if found is None:
        raise NotFound("account.unknown", _("There is no account %(value)s."), value=str(account_id))
    return found


def available(account_id: UUID) -> int:
    """What may be spent of an account now, in minor units; 0 where there is none yet."""
    found = balances([account_id]).get(account_id)
    return found.available if found else 0


def balance_at(account_id: UUID, instant: datetime) -> Balance:
    """The balance after all that was posted up to and at an instant: today's less what came later.

    The cost is that of what came later. Exact for every instant before now; of an account in sub-balances, for every
    instant older than the longest transaction that still runs.
    """
    return _less(balance(account_id), row(LATER, {"a": account_id, "at": instant}))


def _less(now: Balance, later: tuple[Any, ...] | None) -> Balance:
    assert later is not None, "a sum without groups is one row"
    sums = (now.posted_debit, now.posted_credit, now.pending_debit, now.pending_credit)
    before = [have - int(came) for have, came in zip(sums, later, strict=True)]
    debit, credit, held, expected = before
    return replace(now, posted_debit=debit, posted_credit=credit, pending_debit=held, pending_credit=expected)


def statement(account_id: UUID, cursor: str | None = None, limit: int = LIMIT_DEFAULT) -> Page[Any]:
    """A page of an account's `Entry` lines, newest first, each with the balance after it. `limit` is 1 to 200.

    NotFound `account.unknown`; Invalid `paging.cursor`, `paging.limit`.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid("paging.limit", _("A page holds 1 to %(most)s rows, not %(value)s."), field="limit", value=limit,
                      most=LIMIT_MAX)  # fmt: skip
    here = balance(account_id)
    place: dict[str, Any] = {"a": account_id, "limit": limit + 1}
    if cursor:
        place |= _place_of(account_id, cursor)
        here = _less(here, row(LATER_THAN_ROW, place))
    found = rows(NEXT_PAGE if cursor else FIRST_PAGE, place)
    posted, held, lines = here.posted, here.held, []
    for line in found[:limit]:
        moved, set_aside = int(line[7]), int(line[8])
        id, at, phase, kind, reference, hold, other = line[:7]
        lines.append(Entry(id, at, phase, kind, reference, hold, other, moved, set_aside, posted, held))
        posted, held = posted - moved, held - set_aside
    more = len(found) > limit
    return Page[Any].model_construct(items=lines, next_cursor=cursor_of(lines[-1].id) if more else None)


def _place_of(account_id: UUID, cursor: str) -> dict[str, Any]:
    last = Transfer.objects.filter(pk=id_of(cursor)).values_list("posted_at", "debit_id", "credit_id").first()
    if last is None or account_id not in last[1:]:
        raise Invalid("paging.cursor", _("“%(value)s” is not a cursor of this list; take it from `next_cursor` of the page "
                                         "before, unchanged."), field="cursor", value=cursor[:100])  # fmt: skip
    return {"at": last[0], "id": id_of(cursor)}


def wallet(marketplace_id: UUID, holder_id: UUID, currency: str) -> Balance:
    """A holder's wallet now; all zero while it was never opened."""
    id = AccountSpec(marketplace_id, "wallet", holder_id, currency).id
    return balances([id]).get(id) or Balance(id, currency, 0, 0, 0, 0, balance_min=0)


def wallet_statement(
    marketplace_id: UUID, holder_id: UUID, currency: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """The statement of a holder's wallet; empty while it was never opened. Refusals as `statement`."""
    id = AccountSpec(marketplace_id, "wallet", holder_id, currency).id
    if not cursor and id not in balances([id]):
        return Page[Any].model_construct(items=[], next_cursor=None)
    return statement(id, cursor, limit)


@dataclass(frozen=True, slots=True)
class BookTotal:
    """The sums of all accounts of a book in a currency."""

    book: str
    currency: str
    accounts: int
    posted_debit: int
    posted_credit: int
    pending_debit: int
    pending_credit: int


TRIAL = f"""
SELECT a.book, a.currency, count(*), sum(t.posted_debit), sum(t.posted_credit), sum(t.pending_debit), sum(t.pending_credit)
FROM funds_account a JOIN ({TOTAL}) t USING (id) WHERE a.marketplace_id = %s GROUP BY 1, 2 ORDER BY 2, 1
"""


def trial_balance(marketplace_id: UUID) -> list[BookTotal]:
    """The books of a marketplace: debits equal credits in each currency, posted and pending, whenever one looks."""
    return [BookTotal(book, currency, *map(int, sums)) for book, currency, *sums in rows(TRIAL, [marketplace_id])]


def sums_by_currency(totals: Sequence[BookTotal]) -> list[BookTotal]:
    """All books of a currency together (`book` is empty)."""
    found = []
    for currency in sorted({total.currency for total in totals}):
        same = [total for total in totals if total.currency == currency]
        columns = ("accounts", "posted_debit", "posted_credit", "pending_debit", "pending_credit")
        found.append(BookTotal("", currency, *(sum(getattr(total, name) for total in same) for name in columns)))
    return found


def closed_days(
    marketplace_id: UUID, currency: str | None = None, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """The signed trial balances of a marketplace as `ClosedDay` rows, those closed last first; of one currency or of all.
    Refusals as `statement`."""
    found = ClosedDay.objects.filter(marketplace_id=marketplace_id)
    return page_of(found.filter(currency=currency) if currency else found, cursor, limit)


def closed_day(marketplace_id: UUID, day: date, currency: str) -> ClosedDay:
    """A signed trial balance. NotFound `ledger.day_unknown`."""
    found = ClosedDay.objects.filter(marketplace_id=marketplace_id, day=day, currency=currency).first()
    if found is None:
        raise NotFound(
            "ledger.day_unknown",
            _("%(value)s has not been closed in %(currency)s."),
            field="day",
            value=day.isoformat(),
            currency=currency,
        )
    return found
