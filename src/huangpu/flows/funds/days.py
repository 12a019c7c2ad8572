"""Closing a day: its trial balance is written, chained to the day before and signed, once nothing can come into it any more.

A transfer's instant is read from the database's clock by the transaction that posts it. So no transfer of a day can come when
the day is over by that clock and every transaction that began before its end is over too. That is asked of PostgreSQL itself:
each running transaction holds the lock of its virtual id, which every role may see. Of a transaction whose beginning is hidden
from this role it is not believed that it began later.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from huangpu.core import clock
from huangpu.core.db import act, execute, row, rows
from huangpu.core.errors import Conflict
from huangpu.core.log.record import NewEvent, record
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace
from huangpu.parties.rights import require

from . import keys, trial
from .models import ClosedDay
from .verify import moved

# since when a marketplace has accounts in a currency, and which day of it was closed last
CHAINS = """
SELECT a.currency, a.since, d.day FROM (
  SELECT currency, min(opened_at) AS since FROM funds_account WHERE marketplace_id = %(market)s GROUP BY 1
) a LEFT JOIN (
  SELECT currency, max(day) AS day FROM funds_closedday WHERE marketplace_id = %(market)s GROUP BY 1
) d USING (currency) ORDER BY 1
"""
RUNNING = """
SELECT (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()) + (
  SELECT count(*) FROM pg_locks l LEFT JOIN pg_stat_activity s ON s.pid = l.pid
  WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.pid <> pg_backend_pid()
    AND (s.pid IS NULL OR s.datname = current_database() AND s.usesysid IS NOT NULL)  -- who has no role is autovacuum
    AND (s.xact_start >= %s) IS NOT TRUE
)
"""


@act
def close_day(
    *, actor: Actor, marketplace_id: UUID, day: date, now: datetime, new_key: bool = False
) -> list[ClosedDay]:
    """Closes a day of a marketplace, in each currency that it has accounts in; answers the days as they are signed. One that is
    closed already stays as it is.

    `new_key`: signs with a new key from this day on; else with the one of the day before. Conflict `ledger.day_open` (it is
    not over, or a transaction that began in it still runs: ask again), `ledger.day_before_open`, `ledger.key_missing`.
    """
    require(actor, "funds.close_day", marketplace_id=marketplace_id)
    zone = zone_of(marketplace_id)
    until = end_of(day, zone)
    _over(day, until, now)
    chains = [chain for chain in rows(CHAINS, {"market": marketplace_id}) if chain[1] < until]
    opened = [currency for currency, since, last in chains if _is_next(day, since, last, zone)]
    public = _key(marketplace_id, new_key) if opened else b""
    for currency in opened:
        _close(actor, _day(marketplace_id, currency, day, zone, until), public, now)
    return list(ClosedDay.objects.filter(marketplace_id=marketplace_id, day=day).order_by("currency"))


def zone_of(marketplace_id: UUID) -> ZoneInfo:
    """The zone whose days a marketplace counts in."""
    found = Marketplace.objects.filter(pk=marketplace_id).values_list("zone", flat=True).first()
    return ZoneInfo(found) if found else clock.SHANGHAI


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day is over."""
    return clock.midnight(day + timedelta(days=1), zone)


def due(marketplace_id: UUID, now: datetime) -> list[date]:
    """The days of a marketplace that are over and not closed, oldest first."""
    zone = zone_of(marketplace_id)
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    firsts = [_after(since, last, zone) for _currency, since, last in rows(CHAINS, {"market": marketplace_id})]
    first = min(firsts, default=yesterday + timedelta(days=1))
    return [first + timedelta(days=number) for number in range((yesterday - first).days + 1)]


def _after(since: datetime, last: date | None, zone: ZoneInfo) -> date:
    return last + timedelta(days=1) if last else since.astimezone(zone).date()


def _is_next(day: date, since: datetime, last: date | None, zone: ZoneInfo) -> bool:
    """Whether it is this day's turn; False when it is closed. No open day may come before it."""
    first = _after(since, last, zone)
    if day > first:
        raise Conflict(
            "ledger.day_before_open",
            _("Days are closed one after the other: %(expected)s comes before %(value)s."),
            field="day",
            value=day.isoformat(),
            expected=first.isoformat(),
        )
    return day == first


def _over(day: date, until: datetime, now: datetime) -> None:
    """By the caller's clock and the database's, and for every transaction that runs; asked in this order."""
    if now < until or not _reached(until) or running_since_before(until):
        raise Conflict(
            "ledger.day_open",
            _("%(value)s cannot be closed yet: it is not over, or something that began in it is still under way."),
            field="day",
            value=day.isoformat(),
        )


def _reached(instant: datetime) -> bool:
    found = row("SELECT clock_timestamp() >= %s", [instant])
    return bool(found and found[0])


def running_since_before(instant: datetime) -> int:
    """How many other transactions run that may have begun before an instant, which the database's clock has passed."""
    execute("SELECT pg_stat_clear_snapshot()")  # else a transaction is told the same twice
    found = row(RUNNING, [instant])
    return int(found[0]) if found else 0


def _day(marketplace_id: UUID, currency: str, day: date, zone: ZoneInfo, until: datetime) -> trial.Day:
    before = ClosedDay.objects.filter(marketplace_id=marketplace_id, currency=currency).order_by("-day").first()
    told = before.told if before else None
    since = told.until if told else None
    until = max(until, since or until)  # the zone may have been changed
    count, books = moved(since, until, marketplace_id).get((marketplace_id, currency), (0, {}))
    return trial.Day(
        marketplace_id, currency, day, str(zone), since, until, count, trial.added(told.books if told else {}, books),
        bytes(before.digest) if before else None,
    )  # fmt: skip


def _close(actor: Actor, told: trial.Day, public: bytes, now: datetime) -> None:
    text = told.text()
    made = ClosedDay(
        marketplace_id=told.marketplace_id, currency=told.currency, day=told.day, statement=text.decode(),
        digest=trial.digest_of(text), signature=_signed(public, text), public_key=public, closed_at=now,
    )  # fmt: skip
    ClosedDay.objects.bulk_create([made], ignore_conflicts=True)  # who closes it at the same time writes the same
    if ClosedDay.objects.filter(pk=made.pk).exists():
        _tell(actor, made, now)


def _key(marketplace_id: UUID, new_key: bool) -> bytes:
    last = None
    if not new_key:
        known = ClosedDay.objects.filter(marketplace_id=marketplace_id).order_by("-pk")
        last = known.values_list("public_key", flat=True).first()
    return bytes(last) if last else keys.create()


def _signed(public: bytes, text: bytes) -> bytes:
    try:
        return keys.sign(public, text)
    except keys.KeyMissing as gone:
        raise Conflict(
            "ledger.key_missing",
            _("The key that signs the ledger, %(value)s, is not in its folder; bring it back, or begin a new one."),
            field="key",
            value=public.hex(),
        ) from gone


def _tell(actor: Actor, closed: ClosedDay, now: datetime) -> None:
    """To everybody, since it gives nothing away: who has the digest can hold the house to it."""
    told = {
        "day": closed.day.isoformat(),
        "currency": closed.currency,
        "digest": bytes(closed.digest).hex(),
        "key": bytes(closed.public_key).hex(),
    }
    record(
        [
            NewEvent(
                kind="funds.day_closed",
                marketplace_id=closed.marketplace_id,
                subject_type="closed_day",
                subject_id=closed.pk,
                occurred_at=now,
                actor_id=actor.person_id,
                organisation_id=actor.organisation_id,
                payload=told,
            )
        ]
    )
