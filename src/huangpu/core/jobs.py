"""Jobs: what happens by itself. A room's `jobs.py` defines tasks on `app`; an act enqueues with `enqueue(task, …)`.

`enqueue` writes through Django's own connection, so the job exists exactly when the act's transaction commits. (A task's
own `defer` does so in a web process only; in a worker it writes through the worker's pool, at once and for ever.) A job
runs at least once: a worker that is killed leaves it "doing", and another worker starts it again. Tasks are therefore
idempotent, and ask again whether what they were made for still holds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from procrastinate import jobs
from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from .partition import ensure_partitions

__all__ = ["app", "enqueue"]  # what rooms take from here

log = logging.getLogger(__name__)

HEARTBEAT_S = 4
SILENT_S_MAX = 12  # a worker that has not been heard of for so long is taken to be dead
FAILED_KEPT_HOURS = 24 * 30

WORKER: WorkerOptions = {
    "delete_jobs": jobs.DeleteJobCondition.SUCCESSFUL.value,  # old rows make every fetch slower
    "update_heartbeat_interval": HEARTBEAT_S,
    "stalled_worker_timeout": SILENT_S_MAX,
    "concurrency": 4,
}


def enqueue(task: Any, **arguments: Any) -> None:
    """Adds a job in the caller's transaction, also when the caller is a job itself. `arguments` are plain JSON."""
    configure_task(
        name=task.name,
        job_manager=JobManager(DjangoConnector()),
        lock=task.lock,
        queueing_lock=task.queueing_lock,
        queue=task.queue,
        priority=task.priority,
        task_kwargs=arguments,
    ).defer()


@app.periodic(cron="* * * * * */5")  # the sixth field is the seconds
@app.task(queueing_lock="core.rerun_stalled")
async def rerun_stalled(timestamp: int) -> None:  # noqa: ARG001
    """Starts again what a killed worker had begun."""
    for job in await stalled():
        log.warning("job %s (%s) lost its worker and is started again", job.id, job.task_name)
        await app.job_manager.retry_job(job)


async def stalled() -> Iterable[jobs.Job]:
    """Jobs whose worker has fallen silent."""
    return await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S_MAX)


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="core.forget_failed")
async def forget_failed(timestamp: int) -> None:  # noqa: ARG001
    """Deletes jobs that failed or were cancelled a month ago; successful ones go when they end."""
    await app.job_manager.delete_old_jobs(
        nb_hours=FAILED_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


@app.periodic(cron="27 2 * * *")
@app.task(queueing_lock="core.make_partitions")
def make_partitions(timestamp: int) -> None:  # noqa: ARG001
    """Keeps the partitions of the coming months ready. Daily, so that one missed night does not matter."""
    ensure_partitions(datetime.now(UTC))
