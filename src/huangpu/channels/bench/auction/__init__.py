"""`bench auction`: answered durable bids over HTTP on one auction, and how soon a thousand watchers see them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from huangpu.channels.bench.measure import Measure, at_least, at_most
from huangpu.channels.bench.registry import bench
from huangpu.channels.bench.run import Run
from huangpu.core import processes

CLIENTS = 8  # bidders, each with one connection that waits for its answer
WATCHERS = 1000
WEB_WORKERS = 2
WEB_THREADS = 4  # as `huangpu serve` has it
RATE_FLOOR, P99_MS_FLOOR = 300, 300
SETTLE_S = 2.0
SAMPLE_MAX = 3000
START_MINOR = 10**12


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer as its bidder got it."""

    sequence: int
    accepted: bool
    at: float  # time.monotonic, which all processes of a machine share


@bench("auction")
def auction(run: Run) -> Iterator[Measure]:
    """Answered durable bids a second on one auction over HTTP with 2 workers, and p99 until 1,000 watchers have a frame.

    Served as the product serves: granian, tokens, Idempotency-Key, the live process with its streams. The latency counts
    from the moment a bidder has its answer to the moment the last of the watchers has a frame with that number or a later
    one. The planted twin holds the auction's lock for 20 ms a bid.
    """
    place = _open_auction()
    with tempfile.TemporaryDirectory(prefix="huangpu-bench-auction-") as folder, _served(run, place) as ports:
        seen = Path(folder) / "frames"
        with _watching(place, ports[1], seen) as watchers:
            run.say(f"{CLIENTS} bidders bid for {run.seconds} s before {WATCHERS} watchers")
            answers, took = _bid(place, ports[0], run.seconds)
            time.sleep(SETTLE_S)
            _stop(watchers)
        latencies = sorted(_latencies(answers, _frames(seen)))
    _check(place, answers)
    yield at_least("auction.answered", len(answers) / took, "bids/s", RATE_FLOOR)
    p99 = latencies[int(len(latencies) * 0.99)] * 1000
    yield at_most("auction.frame_p99", p99, f"ms to {WATCHERS} watchers", P99_MS_FLOOR)
    yield at_most("auction.frame_p50", latencies[len(latencies) // 2] * 1000, f"ms to {WATCHERS} watchers")


def _open_auction() -> dict[str, Any]:
    """A marketplace, a buyer, as many bidders as clients, each with a token, and an auction that runs."""
    from django.conf import settings

    from huangpu.core import clock
    from huangpu.core.ids import uuid7
    from huangpu.markets.auction import acts
    from huangpu.markets.auction.rules import AuctionRules
    from huangpu.markets.auction.stream import Pass, seal
    from huangpu.parties.acts.tokens import create_token
    from huangpu.parties.models import Marketplace, Membership, Organisation, Person
    from huangpu.parties.queries import actor_for

    now = clock.now()
    house, buyer = (Organisation.objects.create(name={"en": name}) for name in ("Operator", "Buyer"))
    market = Marketplace.objects.create(slug="bench", name={"en": "Bench"}, operator=house)

    def actor(organisation: Organisation, name: str, roles: list[str]) -> Any:
        person = Person.objects.create(username=name)
        Membership.objects.create(organisation=organisation, person=person, roles=roles)
        return actor_for(person_id=person.pk, organisation_id=organisation.pk, marketplace_id=market.pk)

    bidders, tokens = [], []
    for number in range(1, CLIENTS + 1):
        organisation = Organisation.objects.create(name={"en": f"Bidder {number}"})
        clerk = actor(organisation, f"clerk{number}", ["clerk"])
        token = create_token(actor=clerk, marketplace_id=market.pk, name="bench", roles=["clerk"], now=now)
        tokens.append(token[1])
        bidders.append((organisation.pk, str(number), START_MINOR))
    made = acts.schedule(
        actor=actor(buyer, "buyer", ["buyer"]),
        marketplace_id=market.pk,
        subject_id=uuid7(),
        lot_id=None,
        currency="CNY",
        bidders=bidders,
        rules=AuctionRules(duration_s=3600, step_minor=10, step_ppm=0, base="lead"),
        opens_at=now + timedelta(seconds=1),
        now=now,
    )
    secret = settings.SECRET_KEY
    return {"id": str(made.id), "tokens": tokens, "secret": secret, "pass": seal(Pass(made.id, None, False))}


@contextmanager
def _served(run: Run, place: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """The web server and the live process of the product, on free ports."""
    web, live = processes.free_ports(2)
    env = {**os.environ, "DATABASE_URL": run.url, "HUANGPU_SECRET_KEY": place["secret"]}
    env |= {"HUANGPU_PORT": str(web), "HUANGPU_LIVE_PORT": str(live), "DJANGO_SETTINGS_MODULE": "huangpu.settings"}
    door = "huangpu.channels.bench.auction.planted" if run.planted else "huangpu.channels.cli.web"
    common = [
        sys.executable,
        "-m",
        "granian",
        "--host",
        "127.0.0.1",
        "--no-ws",
        "--log-level",
        "warning",
        "--workers-kill-timeout",
        "1",
    ]
    threads = ["--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)]
    commands = [
        [*common, f"{door}:application", "--interface", "wsgi", "--port", str(web), *threads],
        [*common, "huangpu.channels.cli.live:application", "--interface", "asgi", "--port", str(live)],
    ]
    # what a server says is no measure
    started = [processes.start(one, stop_signal=signal.SIGTERM, env=env, stdout=sys.stderr) for one in commands]
    try:
        for port, path in ((web, "/api/v1/m/bench/auctions"), (live, "/")):
            _wait_for(port, path)
        yield web, live
    finally:
        for process in started:
            processes.end_group(process, signal.SIGTERM, 10)


def _wait_for(port: int, path: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers at port {port}{path}")


@contextmanager
def _watching(place: dict[str, Any], port: int, seen: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with all the watchers; it says when every one of them has its snapshot."""
    path = f"/auctions/{place['id']}?pass={place['pass']}"
    command = [
        sys.executable,
        "-m",
        "huangpu.channels.bench.auction.watchers",
        str(port),
        path,
        str(WATCHERS),
        str(seen),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != b"watching":
            raise RuntimeError("the watchers could not be opened")
        yield process
    finally:
        process.kill()
        process.wait()


def _stop(watchers: subprocess.Popen[bytes]) -> None:
    watchers.communicate(b"stop\n", timeout=60)


def _bid(place: dict[str, Any], port: int, seconds: int) -> tuple[list[Answered], float]:
    """Bids as fast as answers come; one thread a bidder. Returns all answers and the seconds it took."""
    answers: list[list[Answered]] = [[] for _ in range(CLIENTS)]
    wrong: list[str] = []
    begin = time.monotonic()
    end = begin + seconds

    def run_one(number: int) -> None:
        try:
            _bidder(port, place["id"], place["tokens"][number], end, answers[number])
        except Exception as failed:
            wrong.append(f"bidder {number}: {failed!r}")

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError("; ".join(wrong))
    return [one for some in answers for one in some], time.monotonic() - begin


def _bidder(port: int, auction_id: str, token: str, end: float, answers: list[Answered]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    path = f"/api/v1/m/bench/auctions/{auction_id}/bids"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    amount, tries = START_MINOR - 10, 0
    while time.monotonic() < end:
        tries += 1
        body = json.dumps({"amount_minor": amount})
        connection.request("POST", path, body, {**headers, "Idempotency-Key": uuid4().hex})
        response = connection.getresponse()
        said = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {said[:300]!r}")
        answer = json.loads(said)
        answers.append(Answered(answer["sequence"], answer["accepted"], time.monotonic()))
        amount = answer["leading_minor"] - (1 if tries % 10 == 0 else 10)  # every tenth is refused: below the step
    connection.close()


def _frames(seen: Path) -> list[list[tuple[int, float]]]:
    """What each watcher saw: (sequence, when) of each frame, in order."""
    return [[(int(s), float(t)) for s, t in json.loads(line)] for line in seen.read_text().splitlines()]


def _latencies(answers: Sequence[Answered], frames: Sequence[Sequence[tuple[int, float]]]) -> Iterator[float]:
    """Seconds from each answer (or from an even sample of them) until the last watcher had it."""
    if len(frames) != WATCHERS:
        raise RuntimeError(f"only {len(frames)} of {WATCHERS} watchers stayed to the end")
    stepped = [[frame[0] for frame in own] for own in frames]
    every = max(1, len(answers) // SAMPLE_MAX)
    for answer in sorted(answers, key=lambda one: one.sequence)[::every]:
        last = 0.0
        for sequences, own in zip(stepped, frames, strict=True):
            place = bisect_left(sequences, answer.sequence)
            if place == len(own):
                raise RuntimeError(f"a watcher was never shown bid {answer.sequence}")
            last = max(last, own[place][1])
        yield max(0.0, last - answer.at)


def _check(place: dict[str, Any], answers: Sequence[Answered]) -> None:
    """Every answer stands in the log as it was given, the log is dense, and the auction is what the rules make of it."""
    from huangpu.core.verify import all_checks
    from huangpu.markets.auction.models import Entry

    log = dict(Entry.objects.filter(auction_id=place["id"], kind="bid").values_list("sequence", "accepted"))
    lost = [one.sequence for one in answers if log.get(one.sequence) is not one.accepted]
    if lost or len(log) != len(answers):
        raise RuntimeError(f"{len(answers)} answers, {len(log)} bids in the log; not as answered: {lost[:5]}")
    failed = [f"{check.name}: {check.detail}" for check in all_checks() if not check.ok]
    if failed:
        raise RuntimeError("; ".join(failed))
