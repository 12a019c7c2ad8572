"""What a bench is given: its size, the server, pgbench, and the reference figure of that server."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from huangpu.core.postgres import DatabaseUnusable, binaries

CLIENTS = 8
TPCB_SCALE = 10


@dataclass(frozen=True, slots=True)
class Throughput:
    """What pgbench said: transactions a second, and their mean latency in milliseconds."""

    tps: float
    latency_ms: float


@dataclass
class Run:
    """One run of a bench. Progress goes to standard error, so that standard output holds measures only."""

    quick: bool
    planted: bool
    url: str  # the throwaway database, as the application role
    owner_url: str  # the same, as its owner
    _tpcb: Throughput | None = field(default=None, init=False)

    @property
    def seconds(self) -> int:
        """How long a figure is measured."""
        return 5 if self.quick else 30

    def say(self, text: str) -> None:
        """A line of progress."""
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def tpcb(self) -> Throughput:
        """The reference: pgbench's TPC-B with 8 clients on the same server, in a database of its own; measured once a run."""
        if self._tpcb is None:
            self.say("reference: TPC-B, 8 clients")
            with throwaway_database(self.owner_url) as url:
                _pgbench(["-i", "-q", "-s", str(TPCB_SCALE), url])
                self._tpcb = self.pgbench(url=url)
            self.say(f"reference: {self._tpcb.tps:.0f} transactions/s")
        return self._tpcb

    def pgbench(
        self, script: str | None = None, *, url: str | None = None, clients: int = CLIENTS, seconds: int | None = None
    ) -> Throughput:
        """Runs a pgbench script (TPC-B without one) on the bench's database as the application role.

        Prepared statements, as Django's driver uses them. Raises RuntimeError when a transaction failed.
        """
        options = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds or self.seconds)]
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            if script is not None:
                file.write(script)
                file.flush()
                options += ["-f", file.name]
            said = _pgbench([*options, url or self.url])
        failed = re.search(r"number of failed transactions: (\d+)", said)
        if failed and int(failed[1]):
            raise RuntimeError(f"{failed[1]} transactions failed:\n{said}")
        return Throughput(_figure(r"tps = ([\d.]+) \(without", said), _figure(r"latency average = ([\d.]+)", said))

    def pgbench_p99(self, *, url: str, seconds: int) -> float:
        """The 99th percentile of TPC-B's latency in milliseconds, from a run that writes down every transaction."""
        with tempfile.TemporaryDirectory() as folder:
            prefix = f"{folder}/each"
            _pgbench(["-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds), "-l",
                      f"--log-prefix={prefix}", url])  # fmt: skip
            # client, number, microseconds, …
            took = sorted(
                int(line.split()[2]) for log in Path(folder).iterdir() for line in log.read_text().splitlines()
            )
        return took[int(0.99 * (len(took) - 1))] / 1_000


def pgbench_program() -> Path:
    """pgbench, from the same folder as the server's binaries."""
    found = binaries() / "pgbench"
    if not found.exists():
        raise DatabaseUnusable(f"{binaries()} has no pgbench: the benches need it for their reference")
    return found


@contextmanager
def throwaway_database(owner_url: str) -> Iterator[str]:
    """An empty database on that server for the length of the block; yields its DSN for the owner."""
    name = f"huangpu_bench_{uuid4().hex[:12]}"
    with psycopg.connect(owner_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield with_database(owner_url, name)
    finally:
        with psycopg.connect(owner_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def with_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    shape = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    return shape if "://" in shape else shape.replace(":/", "://", 1)  # urlunsplit drops an empty host's slashes


def _pgbench(arguments: list[str]) -> str:
    done = subprocess.run([pgbench_program(), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pgbench ended with status {done.returncode}:\n{done.stderr}")
    return done.stdout


def _figure(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"pgbench said nothing like {pattern}:\n{text}")
    return float(found[1])
