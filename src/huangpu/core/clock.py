"""Time: UTC inside, shown in the marketplace's zone. Acts are given the time; only doors (pages, API, jobs) ask for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
from django.utils.translation import gettext_lazy as _

from .errors import Conflict

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The instant, in UTC. Called at the doors only."""
    return datetime.now(UTC)


def midnight(day: date, zone: ZoneInfo = SHANGHAI) -> datetime:
    """The instant in UTC at which a day begins in a zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def end_of_day(instant: datetime, days: int, zone: ZoneInfo = SHANGHAI) -> datetime:
    """The end of the local day that lies `days` days after `instant`'s, as an instant in UTC (exclusive bound)."""
    return midnight(instant.astimezone(zone).date() + timedelta(days=days + 1), zone)


def end_of_working_day(instant: datetime, days: int, zone: ZoneInfo = SHANGHAI) -> datetime:
    """The end of the `days`-th working day of China's calendar after `instant`'s local day.

    The calendar is known year by year (the State Council publishes it each autumn): a year it does not know is an error.
    """
    day = instant.astimezone(zone).date()
    while days > 0:
        day += timedelta(days=1)
        days -= _is_working_day(day)
    return midnight(day + timedelta(days=1), zone)


def _is_working_day(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as unknown:
        raise Conflict(
            "calendar.unknown_year",
            _("The working days of %(value)s are not known yet; count in calendar days, or install a newer calendar."),
            field="due",
            value=day.year,
        ) from unknown


def rfc3339(instant: datetime) -> str:
    """An instant as events and the API write it: UTC, microseconds, Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
