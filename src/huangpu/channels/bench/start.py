"""`huangpu bench start`: how long a stranger waits."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import huangpu
from huangpu.channels.bench.measure import Measure, at_most
from huangpu.channels.bench.registry import bench
from huangpu.channels.bench.run import Run
from huangpu.core import processes

PROJECT = Path(huangpu.__file__).parent.parent.parent
FIRST_PAGE_S_MAX, MIGRATIONS_S_MAX, WARM_S_MAX = 120, 20, 3


@bench("start", database=False)
def start(run: Run) -> Iterator[Measure]:
    """Seconds from a fresh clone of HEAD to the first page, of the migrations, and of a second start.

    The planted twin forgets its data before the second start. With `--quick` the installation is that of this process: only
    the clone, its data and its start are fresh. Without it, `make install` makes a new environment in the clone.
    """
    with tempfile.TemporaryDirectory(prefix="huangpu-bench-start-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        clone, began = place / "clone", time.monotonic()
        run.say(f"cloning {PROJECT}")
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(PROJECT), str(clone)], check=True)
        env = _environment(clone, run.quick)
        if not run.quick:
            run.say("make install")
            subprocess.run(["make", "-s", "install"], cwd=clone, env=env, check=True, stdout=subprocess.DEVNULL)
        command = [str(clone / ".venv/bin/huangpu")] if not run.quick else [sys.executable, "-m", "huangpu"]
        run.say("first start")
        _until_first_page([*command, "demo"], clone, env)
        yield at_most("start: fresh clone to first page", time.monotonic() - began, "s", FIRST_PAGE_S_MAX)

        run.say("migrations of an empty database")
        fresh = {**env, "HUANGPU_DATA": str(clone / "var-migrations")}
        began = time.monotonic()
        subprocess.run([*command, "migrate", "--quiet"], cwd=clone, env=fresh, check=True)
        yield at_most("start: migrations", time.monotonic() - began, "s", MIGRATIONS_S_MAX)

        if run.planted:
            subprocess.run([*command, "clean-demo"], cwd=clone, env=env, check=True, stdout=subprocess.DEVNULL)
        run.say("second start")
        began = time.monotonic()
        _until_first_page([*command, "demo"], clone, env)
        yield at_most("start: warm", time.monotonic() - began, "s", WARM_S_MAX)
        for data in (env, fresh):
            subprocess.run([*command, "clean-demo"], cwd=clone, env=data, check=True, stdout=subprocess.DEVNULL)


def _environment(clone: Path, quick: bool) -> dict[str, str]:
    ours = ("DATABASE_URL", "VIRTUAL_ENV", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("HUANGPU_")}
    if quick:
        env["PYTHONPATH"] = str(clone / "src")
    ports = processes.free_ports(2)
    return {**env, "HUANGPU_PORT": str(ports[0]), "HUANGPU_LIVE_PORT": str(ports[1])}


def _until_first_page(command: list[str], clone: Path, env: dict[str, str]) -> None:
    """Starts, waits until the front page answers 200, stops. Raises RuntimeError when it does not come up."""
    with tempfile.TemporaryFile("w+") as said:
        process = processes.start(
            command, stop_signal=signal.SIGTERM, cwd=clone, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            end = time.monotonic() + FIRST_PAGE_S_MAX * 3
            while (status := _status(int(env["HUANGPU_PORT"]))) is None:
                if process.poll() is not None or time.monotonic() > end:
                    said.seek(0)
                    raise RuntimeError(f"it did not come up:\n{said.read()}")
                time.sleep(0.02)
        finally:
            processes.end_group(process, signal.SIGTERM, 30)
    if status != 200:
        raise RuntimeError(f"the front page answered {status}")


def _status(port: int) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
