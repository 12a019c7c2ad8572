"""Periodic tasks: every room's crons mean what their authors meant. The seconds are the sixth field, not the first."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest
from croniter import croniter
from procrastinate.contrib.django import app
from procrastinate.periodic import PeriodicTask

START = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
SECONDS_MIN, SECONDS_MAX = 2, 7 * 24 * 3600
SEEN = 2000


def gaps(cron: str) -> set[float]:
    """The different times between two runs, over many."""
    moments = croniter(cron, START).all_next(float)
    return {later - earlier for earlier, later in pairwise(islice(moments, SEEN))}


def tasks() -> list[PeriodicTask]:
    app.perform_import_paths()
    return sorted(app.periodic_registry.periodic_tasks.values(), key=lambda one: one.task.name)


def test_the_mistake_that_is_looked_for_is_seen() -> None:
    assert gaps("* * * * * */15") == {15}
    assert len(gaps("*/15 * * * * *")) > 1  # every second of every fifteenth minute


def test_rooms_have_periodic_tasks() -> None:
    rooms = {one.task.name.removeprefix("huangpu.").rsplit(".jobs.", 1)[0] for one in tasks()}
    assert {"core", "flows.process", "flows.information", "markets.tender", "markets.auction"} <= rooms


@pytest.mark.parametrize("task", tasks(), ids=lambda one: str(one.task.name))
def test_a_periodic_task_comes_evenly_and_not_too_often(task: PeriodicTask) -> None:
    found = gaps(task.cron)
    assert len(found) == 1, f"{task.cron}: between two runs there are {sorted(found)} s"
    assert SECONDS_MIN <= found.pop() <= SECONDS_MAX, task.cron


@pytest.mark.parametrize("task", tasks(), ids=lambda one: str(one.task.name))
def test_two_of_a_periodic_task_never_wait_at_once(task: PeriodicTask) -> None:
    assert task.task.queueing_lock, "without a queueing lock a worker that is slow finds a heap of them"
