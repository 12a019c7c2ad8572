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

_stack = ExitStack()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _stack.close()


@pytest.fixture(autouse=True)
def _no_job_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that commits, Django empties its own tables only: those of the jobs are not its own."""
    marker = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction"))
    if commits:
        request.getfixturevalue("transactional_db")  # so that this one ends first, while the database may be used
    yield
    if commits:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture(autouse=True)
def _no_language_stays() -> Iterator[None]:
    """A request of the test client leaves its language behind in the thread; no test begins with another's."""
    yield
    from django.utils import translation

    translation.deactivate()


def _embedded() -> None:
    os.environ.setdefault("HUANGPU_DEMO", "1")
    if os.environ.get("DATABASE_URL"):
        return
    folder = Path(tempfile.mkdtemp(prefix="huangpu-test-"))
    folder.chmod(0o755)
    os.environ["HUANGPU_DATA"] = str(folder)
    from huangpu.core.postgres import serve

    _stack.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DATABASE_URL"] = _stack.enter_context(serve(folder, fsync="off", full_page_writes="off"))


def _compile_catalogues() -> None:
    """The catalogues that are newer than what was made of them: sentences are tested in both languages."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source in Path(__file__).parent.glob("**/locale/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            with source.open("rb") as text, target.open("wb") as compiled:
                write_mo(compiled, read_po(text))


_compile_catalogues()
_embedded()
