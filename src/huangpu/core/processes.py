"""Child processes that end when their parent does, however it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
# loaded before any fork: between fork and exec nothing may be imported
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def start(command: Sequence[str | Path], *, stop_signal: signal.Signals, **options: Any) -> subprocess.Popen[bytes]:
    """Starts a process in a group of its own, which gets `stop_signal` when this process dies, by kill -9 too.

    To be called from the main thread: Linux sends the signal when the *thread* that forked ends. Its own group keeps it
    out of the terminal's Ctrl-C, so that the parent stops its children in the right order.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child started from a thread would be stopped when that thread ends")
    process: subprocess.Popen[bytes] = subprocess.Popen(
        command, process_group=0, preexec_fn=_tied_to(os.getpid(), stop_signal), **options
    )
    if _LIBC is None:
        _watch(process, stop_signal)
    return process


def stop_with_parent(stop_signal: signal.Signals) -> None:
    """Asks the kernel to stop this very process when its parent ends (on Linux; elsewhere it does nothing)."""
    _tied_to(os.getppid(), stop_signal)()


def end_group(process: subprocess.Popen[bytes], stop_signal: signal.Signals, wait_s: float) -> None:
    """Stops a process with its signal, and with SIGKILL what is left of its group after `wait_s` seconds."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
    # usually nothing is left (macOS answers EPERM for a group of zombies)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of this machine on which nobody listens now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _tied_to(parent: int, stop_signal: signal.Signals) -> Callable[[], None]:
    def arrange() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
            if os.getppid() != parent:  # it died before the line above took effect
                os._exit(1)

    return arrange


def _watch(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """Where the kernel has no such signal: a shell that waits for the end of a pipe that only we hold open."""
    reader, writer = os.pipe()
    script = 'read _; kill -s "$1" "$0" 2>/dev/null'
    name = stop_signal.name.removeprefix("SIG")
    subprocess.Popen(["/bin/sh", "-c", script, str(process.pid), name], stdin=reader, process_group=0)
    os.close(reader)
    _watched[process.pid] = writer


_watched: dict[int, int] = {}
