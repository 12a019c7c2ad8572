"""Bidders in real processes: the last second, and kill -9 of a bidding process and of PostgreSQL itself.

An answer counts as given when its process has written it down. Then nothing may be lost, reordered or changed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from huangpu.core.postgres import Keeper

SCRIPT = Path(__file__).with_name("bidding.py")
SHORT, LONG = 3, 50
READY = b"[]"


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Keeper, dict[str, str]]]:
    """An embedded server of its own, durable as in the product, migrated; each test opens its own auction in it."""
    with tempfile.TemporaryDirectory(prefix="huangpu-kill-") as folder:
        Path(folder).chmod(0o755)
        keeper = Keeper(Path(folder))
        url = keeper.start()
        env = {**os.environ, "DATABASE_URL": url, "HUANGPU_DATA": folder, "DJANGO_SETTINGS_MODULE": "huangpu.settings"}
        try:
            subprocess.run([sys.executable, "-m", "huangpu", "migrate", "--quiet"], env=env, check=True)
            yield keeper, env
        finally:
            keeper.stop()


def call(env: dict[str, str], *arguments: str) -> Any:
    done = subprocess.run([sys.executable, SCRIPT, *arguments], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def started(env: dict[str, str], auction: str, bidder: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        command = [sys.executable, str(SCRIPT), "bid", auction, str(bidder)]
        return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL)


def answers(logs: list[Path]) -> dict[int, list[Any]]:
    """What was answered, by sequence; a line that was being written when its process was killed is no answer."""
    found: dict[int, list[Any]] = {}
    for log in logs:
        for line in log.read_bytes().split(b"\n")[:-1]:
            if line == READY:
                continue
            sequence, *rest = json.loads(line)
            assert sequence not in found, "one number was given twice"
            found[sequence] = rest
    return found


def kept(url: str, auction: str) -> dict[int, list[Any]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT sequence, number, amount_minor, accepted, reason FROM auction_entry"
            " WHERE auction_id = %s AND kind = 'bid'",
            [auction],
        )
        return {sequence: rest for sequence, *rest in rows}


def wait_for_answers(logs: list[Path], more_than: int, processes: list[subprocess.Popen[bytes]]) -> None:
    """Blocks until the bidders have written so many answers, or all of them are gone."""
    while sum(log.stat().st_size for log in logs) < more_than and any(one.poll() is None for one in processes):
        os.sched_yield()


def kill_often(house: tuple[Keeper, dict[str, str]], tmp_path: Path, times: int, kill: Callable[..., None]) -> None:
    keeper, env = house
    auction = call(env, "open", "3600")["auction"]
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    logs = [tmp_path / f"bidder-{number}" for number in (1, 2, 3)]
    for log in logs:
        log.touch()
    for _ in range(times):
        begin = sum(log.stat().st_size for log in logs)
        bidders = [started(env, auction, number, log) for number, log in enumerate(logs, 1)]
        wait_for_answers(logs, begin + chance.randrange(200, 3000), bidders)
        kill(keeper, bidders, chance)
        for one in bidders:
            one.kill()
            one.wait()
        for log in logs:  # what was cut off in the middle of a line is not an answer
            text = log.read_bytes()
            log.write_bytes(text[: text.rfind(b"\n") + 1])
    given = answers(logs)
    stored = kept(env["DATABASE_URL"], auction)
    assert given
    assert {sequence: stored.get(sequence) for sequence in given} == given
    assert call(env, "verify") == []


def kill_bidder(_keeper: Keeper, bidders: list[subprocess.Popen[bytes]], chance: random.Random) -> None:
    chance.choice(bidders).send_signal(signal.SIGKILL)


def kill_server(keeper: Keeper, bidders: list[subprocess.Popen[bytes]], _chance: random.Random) -> None:
    assert keeper.process is not None
    keeper.process.send_signal(signal.SIGKILL)
    keeper.process.wait()
    for one in bidders:
        one.wait()  # each ends when its connection is lost
    keeper.revive()


@pytest.mark.parametrize("kill", [kill_bidder, kill_server])
def test_no_answer_is_lost_when_something_is_killed(house: Any, tmp_path: Path, kill: Callable[..., None]) -> None:
    kill_often(house, tmp_path, SHORT, kill)


@pytest.mark.soak
@pytest.mark.parametrize("kill", [kill_bidder, kill_server])
def test_no_answer_is_lost_in_many_kills(house: Any, tmp_path: Path, kill: Callable[..., None]) -> None:
    kill_often(house, tmp_path, LONG, kill)


def test_the_last_second_by_many_processes(house: Any, tmp_path: Path) -> None:
    """Every process bids through the close: what was received before it counts, nothing later does, each is answered."""
    _keeper, env = house
    logs = [tmp_path / f"bidder-{number}" for number in (1, 2, 3)]
    bidders = [started(env, "-", number, log) for number, log in enumerate(logs, 1)]
    wait_for_answers(logs, 3 * len(READY + b"\n") - 1, bidders)  # else slow starters would find it closed
    auction = call(env, "open", "4")["auction"]  # no extension: the close stands
    for one in bidders:
        assert one.stdin is not None
        one.stdin.write(f"{auction}\n".encode())
        one.stdin.close()
    assert [one.wait(120) for one in bidders] == [0, 0, 0]
    given = answers(logs)
    assert given == kept(env["DATABASE_URL"], auction)
    assert sorted(given) == list(range(1, len(given) + 1))
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        wrong = connection.execute(
            "SELECT count(*) FROM auction_entry e JOIN auction_auction a ON a.id = e.auction_id"
            " WHERE (e.accepted AND e.received_at >= a.closes_at) OR (e.reason = 'too_late' AND e.received_at < a.closes_at)"
        ).fetchone()
    assert wrong == (0,)
    assert {reason for *_rest, reason in given.values()} >= {"", "too_late"}
    assert call(env, "verify") == []
