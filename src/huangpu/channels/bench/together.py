"""Processes that do the same thing at the same time, as many clients would: started, told to go at once, counted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable


def together(module: str, processes: int, *arguments: str) -> int:
    """Runs `python -m module ARGUMENTS… NUMBER` in so many processes, each of which calls `count_for`; returns the sum.

    Raises RuntimeError when one of them failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    children = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
        )
        for number in range(processes)
    ]
    for child in children:  # each says that it is ready, then all start at once
        assert child.stdout is not None
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    counts = [child.communicate()[0] for child in children]
    if any(child.returncode for child in children):
        raise RuntimeError(f"a process of {module} failed")
    return sum(int(count) for count in counts)


def count_for(seconds: float, one: Callable[[], None]) -> None:
    """In such a process: says that it is ready, waits for the word, prints how often `one` was done in that time."""
    print("ready", flush=True)
    sys.stdin.readline()
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        one()
        done += 1
    print(done, flush=True)
