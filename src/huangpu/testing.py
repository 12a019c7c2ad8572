"""A pytest plugin (`-p huangpu.testing`), loaded before Django's settings are: the suite runs on a PostgreSQL of its own.

That is the one at $DATABASE_URL, or an embedded one in a folder that goes when the run ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from huangpu.core.web.catalogues import compile_all

_stack = ExitStack()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _stack.close()


@pytest.fixture(scope="session", autouse=True)
def _emptied_in_our_way() -> None:
    """What a test that commits leaves is emptied by `_empty`."""
    from django.test import TransactionTestCase

    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(_case: object) -> None:
    """Deletes what the tables hold, those of the jobs too.

    Django's own way truncates every table there is, empty or not, and then writes content types and permissions anew: ten
    times as long, after each of some two hundred tests. Foreign keys are not asked meanwhile, since all rows go; only a
    superuser may ask for that, another truncates.
    """
    from django.db import connection, transaction

    kept = {"django_migrations", "django_content_type", "auth_permission"}  # as the migrations left them
    names = {*connection.introspection.django_table_names(only_existing=True, include_views=False)} - kept
    quoted = [
        connection.ops.quote_name(name) for name in sorted(names | {"procrastinate_jobs", "procrastinate_workers"})
    ]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in quoted)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(asked)
        full = [name for (name,) in cursor.fetchall()]
        cursor.execute("SHOW is_superuser")
        if not full:
            return
        if cursor.fetchone() == ("on",):
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("; ".join(f"DELETE FROM {name}" for name in full))
        else:
            cursor.execute(f"TRUNCATE {', '.join(full)} CASCADE")


@pytest.fixture(autouse=True)
def _no_language_stays() -> Iterator[None]:
    """A request of the test client leaves its language behind in the thread; no test begins with another's."""
    yield
    from django.utils import translation

    translation.deactivate()


def _embedded() -> None:
    """A server of its own for each process of a run in parallel: the order of the log waits for the oldest transaction of the
    whole server, and so would one process's tests for another's."""
    os.environ.setdefault("HUANGPU_DEMO", "1")
    worker = os.environ.get("PYTEST_XDIST_WORKER") and os.environ.get("PYTEST_DATABASE_SERVER") == "embedded"
    if os.environ.get("DATABASE_URL") and not worker:
        return
    os.environ["PYTEST_DATABASE_SERVER"] = "embedded"
    folder = Path(tempfile.mkdtemp(prefix="huangpu-test-"))
    folder.chmod(0o755)
    os.environ["HUANGPU_DATA"] = str(folder)
    from huangpu.core.postgres import serve

    _stack.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DATABASE_URL"] = _stack.enter_context(serve(folder, fsync="off", full_page_writes="off"))


compile_all()
_embedded()
