"""A pytest plugin (`-p huangpu.testing`), loaded before Django's settings are: the suite runs on a PostgreSQL of its own.

That is the one at $DATABASE_URL, or an embedded one in a folder that goes when the run ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

_stack = ExitStack()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _stack.close()


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


_embedded()
