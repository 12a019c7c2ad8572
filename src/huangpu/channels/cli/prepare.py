"""What must be so before pages are served, and how a second start knows that it is so already."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from huangpu.channels.cli.supervise import CannotServe
from huangpu.channels.cli.translations import PACKAGE
from huangpu.core import processes
from huangpu.environment import Environment

LIBRARIES = ("django", "django-allauth", "django-ninja", "procrastinate")


def code_hash(*patterns: str) -> str:
    """Changes when one of these files of the package does, or a library that brings migrations or static files."""
    digest = hashlib.sha256()
    for library in LIBRARIES:
        digest.update(f"{library}={importlib.metadata.version(library)}\n".encode())
    for path in _files(patterns):
        found = path.stat()
        digest.update(f"{path.relative_to(PACKAGE)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_prepared(env: Environment, what: str, state: str) -> bool:
    """Whether `what` was brought to this state in this data folder. Never so for a database that lies elsewhere."""
    if env.database_url and what == "tables":
        return False
    return _states(env).get(what) == state


def remember(env: Environment, what: str, state: str) -> None:
    """Notes the state that `what` was brought to."""
    file = env.data / "prepared.json"
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({**_states(env), what: state}))
    fresh.replace(file)


def migrate_if_stale(env: Environment) -> bool:
    """Migrates when the code has changed since it was done. Returns whether it did."""
    state = code_hash("**/migrations/*.py", "**/models.py")
    if is_prepared(env, "tables", state):
        return False
    print("Bringing the tables to this code …", flush=True)
    run(["migrate", "--quiet"], "the tables cannot be brought to this code")
    remember(env, "tables", state)
    return True


def collect_static_if_stale(env: Environment) -> bool:
    """Collects the static files when they have changed since it was done. Returns whether it did."""
    state = code_hash("**/static/**/*", "settings.py")
    if is_prepared(env, "static", state) and (env.data / "static").is_dir():
        return False
    print("Collecting static files …", flush=True)
    run(["django", "collectstatic", "--noinput", "--verbosity", "0"], "the static files cannot be collected")
    remember(env, "static", state)
    return True


def run(arguments: list[str], failure: str) -> None:
    """Runs one of our commands in a process of its own. Refuses with CannotServe when it fails; it has said why."""
    process = processes.start(
        [sys.executable, "-m", "huangpu", *arguments], stop_signal=signal.SIGTERM, stdin=subprocess.DEVNULL
    )
    try:
        status = process.wait()
    except KeyboardInterrupt:
        processes.end_group(process, signal.SIGTERM, 10)
        raise
    if status:
        raise CannotServe(f"{failure} (status {status}, see above)")


def _files(patterns: Iterable[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in PACKAGE.glob(pattern) if path.is_file()})


def _states(env: Environment) -> dict[str, str]:
    try:
        found = json.loads((env.data / "prepared.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
