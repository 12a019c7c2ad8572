"""The jobs that wait, done here and now: what the worker would do."""

from __future__ import annotations

import json

from procrastinate.contrib.django import app

from huangpu.core.db import rows

ROUNDS_MAX = 20


def run_jobs(*, most: int = 1000) -> list[str]:
    """Does what is waiting, and what comes of it, in order; returns the names of the tasks."""
    done: list[str] = []
    for _round in range(ROUNDS_MAX):
        waiting = rows(
            "DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM procrastinate_jobs WHERE status = 'todo'"
            " ORDER BY id LIMIT %s) RETURNING id, task_name, args", [most],
        )  # fmt: skip
        if not waiting:
            break
        for _id, name, arguments in sorted(waiting):
            app.tasks[name].func(**(json.loads(arguments) if isinstance(arguments, str) else arguments))
            done.append(name)
    return done
