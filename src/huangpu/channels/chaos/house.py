"""The house that is tormented: `huangpu serve` as it is, on a throwaway folder and free ports."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from huangpu.channels.simulators.setting_up import set_up
from huangpu.core import processes

START_S_MAX = 120
STOP_S_MAX = 40
WEB, LIVE = "huangpu.channels.cli.web:application", "huangpu.channels.cli.live:application"
BANKS = "huangpu.channels.simulators.wsgi:application"
VICTIMS = ("web worker", "web master", "job worker", "live process", "PostgreSQL", "banks", "terminals' listener")


class House:
    """An installation of its own. `start` it, `kill` parts of it, `stop` it."""

    def __init__(self, folder: Path) -> None:
        self.web_port, self.live_port, self.banks_port, self.pos_port = processes.free_ports(4)
        self.folder = folder
        self.said = folder / "serve.log"
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("HUANGPU_", "DATABASE_URL"))}
        self.environment = {
            **ours,
            "HUANGPU_DATA": str(folder),
            "HUANGPU_PORT": str(self.web_port),
            "HUANGPU_LIVE_PORT": str(self.live_port),
            "HUANGPU_SIMULATORS_PORT": str(self.banks_port),
            "HUANGPU_POS_PORT": str(self.pos_port),
            "HUANGPU_WORKERS": "2",
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def banks_url(self) -> str:
        return f"http://127.0.0.1:{self.banks_port}"

    def start(self) -> None:
        """Migrates and serves, with simulated banks. Raises RuntimeError when the first answer does not come."""
        set_up(self.folder, self.banks_url)
        subprocess.run(
            [sys.executable, "-m", "huangpu", "migrate", "--quiet"], env=self.environment, check=True, timeout=300
        )
        with self.said.open("wb") as output:
            self.process = processes.start(
                [sys.executable, "-m", "huangpu", "serve"], stop_signal=signal.SIGTERM, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        if not self.whole_within(START_S_MAX):
            raise RuntimeError(f"the house did not come up:\n{self.said.read_text()}")

    def alive(self) -> bool:
        """Whether the supervisor runs: the one process that nothing brings back."""
        return self.process is not None and self.process.poll() is None

    def whole_within(self, seconds: float) -> bool:
        """Waits until every part runs, and pages and streams answer. False when that takes longer, or never happens."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.alive():
            if all(self.parts(victim) for victim in VICTIMS) and self._answer():
                return True
            time.sleep(0.1)
        return False

    def _answer(self) -> bool:
        return all(_answers(port) for port in (self.web_port, self.live_port, self.banks_port))

    def parts(self, victim: str) -> list[int]:
        """The processes that can be killed as this victim now; none while it is being started again."""
        assert self.process is not None
        children = dict(_children(self.process.pid))
        web = [pid for pid, command in children.items() if WEB in command]
        live = [pid for pid, command in children.items() if LIVE in command]
        match victim:
            case "web worker":
                return [pid for master in web for pid in _workers(master)]
            case "web master":
                return web
            case "live process":
                return live + [pid for master in live for pid in _workers(master)]
            case "banks":
                banks = [pid for pid, command in children.items() if BANKS in command]
                return banks + [pid for master in banks for pid in _workers(master)]
            case "terminals' listener":
                return [pid for pid, command in children.items() if "huangpu pos --host" in command]
            case "job worker":
                return [pid for pid, command in children.items() if command.endswith("worker --supervised")]
        return [pid for pid, command in children.items() if command.split(" ")[0].endswith("/postgres")]

    def kill(self, victim: str, random: Random) -> bool:
        """`kill -9` of one process of the victim. False when there is none at this instant."""
        found = self.parts(victim)
        if not found:
            return False
        try:
            os.kill(random.choice(sorted(found)), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> list[str]:
        """Stops it in order. Returns what went wrong: a status that is not 0, processes that stayed."""
        if self.process is None:
            return []
        everything = {pid: command for pid, command in _descendants(self.process.pid)}
        before = self.process.poll()
        processes.end_group(self.process, signal.SIGTERM, STOP_S_MAX)
        wrong = []
        if before is not None or self.process.returncode != 0:
            wrong.append(f"`huangpu serve` ended with status {self.process.returncode}")
        end = time.monotonic() + 5
        while (left := [pid for pid in everything if _command(pid)]) and time.monotonic() < end:
            time.sleep(0.1)
        wrong += [f"process {pid} stayed: {everything[pid][:80]}" for pid in left]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return wrong


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _workers(master: int) -> list[int]:
    return [pid for pid, command in _children(master) if "resource_tracker" not in command]


def _descendants(pid: int) -> Iterator[tuple[int, str]]:
    for child, command in _children(pid):
        yield child, command
        yield from _descendants(child)


def _children(parent: int) -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _parent(entry) == parent and (command := _command(int(entry.name))):
            found.append((int(entry.name), command))
    return found


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _command(pid: int) -> str:
    """The command line; empty for one that has ended, also when nobody has asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
