"""A task for test_jobs.py: its first run never ends, its second one says that it ran."""

from __future__ import annotations

import os
from pathlib import Path

from huangpu.core.jobs import app


@app.task(name="tests.leave_a_mark")
def leave_a_mark(folder: str) -> None:
    place = Path(folder)
    if (place / "second").exists():
        (place / "again").write_text(str(os.getpid()))
        return
    (place / "begun").write_text(str(os.getpid()))
    os.read(os.open(place / "never", os.O_RDWR), 1)  # a pipe that nobody writes to
