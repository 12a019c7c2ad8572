"""Jobs: they exist when their act does, and a killed worker's job is run again."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.core.job_tasks import leave_a_mark

from huangpu.channels.bench.run import with_database
from huangpu.core.db import row
from huangpu.core.jobs import make_partitions
from huangpu.environment import environment

ROOT = Path(__file__).parents[2]


@pytest.mark.django_db(transaction=True)
def test_a_job_exists_exactly_when_its_transaction_does() -> None:
    with transaction.atomic():
        make_partitions.defer(timestamp=1)
        assert ProcrastinateJob.objects.count() == 1
        transaction.set_rollback(True)
    assert ProcrastinateJob.objects.count() == 0
    with transaction.atomic():
        make_partitions.defer(timestamp=1)
    assert ProcrastinateJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_job_is_run_again(tmp_path: Path) -> None:
    for pipe in ("begun", "never", "again"):
        os.mkfifo(tmp_path / pipe)
    leave_a_mark.defer(folder=str(tmp_path))
    with _worker() as first:
        one = _said(tmp_path / "begun")
        first.send_signal(signal.SIGKILL)
        first.wait()
    (tmp_path / "second").touch()
    with _worker():
        another = _said(tmp_path / "again")
    assert one
    assert another
    assert one != another


@contextmanager
def _worker() -> Iterator[subprocess.Popen[bytes]]:
    """A worker on the tests' database."""
    database = connection.settings_dict["NAME"]
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.core.worker_settings",
        "DATABASE_URL": with_database(environment().application, database),
    }
    process = subprocess.Popen([sys.executable, "-m", "huangpu", "worker"], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        # what it had begun in the database ends with it, before the tables are emptied for the next test
        row("SELECT count(pg_terminate_backend(pid, 20000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip


def _said(pipe: Path) -> str:
    """What is written into a pipe; empty after a minute in which nobody did."""
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as reader:
        ready, _, _ = select.select([reader], [], [], 60)
        return reader.read(100).decode() if ready else ""
