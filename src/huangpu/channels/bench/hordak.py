"""`huangpu bench hordak`: our transfers a second against django-hordak's, on the same server, from as many processes.

django-hordak is nothing that the project needs: the variable HORDAK_PYTHON names a Python that has it and psycopg
(`python3 -m venv x && x/bin/pip install django-hordak "psycopg[binary]"`). Without it nothing is compared, and that is said.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from huangpu.channels.bench import ledger
from huangpu.channels.bench.measure import Measure, at_least
from huangpu.channels.bench.registry import bench
from huangpu.channels.bench.run import Run, throwaway_database
from huangpu.channels.bench.together import together

PYTHON = "HORDAK_PYTHON"
PROCESSES = 4
FLOOR = 4.0
SIDE = Path(__file__).with_name("hordak_side.py")


@bench("hordak")
def hordak(run: Run) -> Iterator[Measure]:
    """Transfers a second, one a transaction, against django-hordak's from 4 processes; needs HORDAK_PYTHON."""
    python = os.environ.get(PYTHON)
    if not python:
        run.say(f"{PYTHON} names no Python that has django-hordak: nothing is compared")
        return
    seconds = 3 if run.quick else 15
    with throwaway_database(run.owner_url) as url:
        run.say(f"django-hordak: {PROCESSES} processes, {seconds} s")
        theirs = _theirs(python, url, seconds)
    run.say(
        f"ours, {seconds} s: the call alone as `bench ledger` measures it, then {PROCESSES} processes through Python"
    )
    ledger.open_accounts(run, hot_slots=0 if run.planted else 16)
    script = ledger.script(
        run, ledger.WALLETS, hot=run.planted
    )  # the planted twin: one account that everybody pays into
    yield at_least("hordak.single", run.pgbench(script, seconds=seconds).tps, "transfers/s", FLOOR, theirs)
    ours = together(ledger.__name__, PROCESSES, str(seconds)) / seconds
    yield at_least("hordak.python", ours, "transfers/s through Python", None, theirs)


def _theirs(python: str, url: str, seconds: int) -> float:
    """Transfers a second of django-hordak's own `transfer_to`, each in a transaction of its own."""
    # -P: this folder has a hordak.py of its own
    done = subprocess.run([python, "-P", str(SIDE), url, str(PROCESSES), str(seconds)], capture_output=True, text=True)
    found = re.search(r"^transfers (\d+)$", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        print(done.stdout, done.stderr, file=sys.stderr)
        raise RuntimeError("django-hordak's side failed")
    return int(found[1]) / seconds
