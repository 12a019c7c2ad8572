"""The other two lanes of `bench ledger`: a writer that commits for 8 and for 64 callers of one event loop, and batches of 1,000
from two processes. Through Python, as the product's doors use them."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator

from huangpu.channels.bench.measure import Measure, at_least, at_most
from huangpu.channels.bench.run import Run
from huangpu.channels.bench.together import count_for, together

BATCH, BATCH_CLIENTS = 1_000, 2
FLOORS = {8: 2.5, 64: 5.0}
BATCH_FLOOR = 10.0


def measures(run: Run, seconds: int, reference_url: str) -> Iterator[Measure]:
    """The lanes against TPC-B just before each; the reference's p99 from a run that writes down every transaction."""
    run.say("TPC-B once more, each transaction's latency written down")
    p99 = run.pgbench_p99(url=reference_url, seconds=seconds)
    for callers, floor in FLOORS.items():
        tpcb = run.pgbench(url=reference_url, seconds=seconds).tps
        run.say(f"one writer commits for {callers} callers, {seconds} s")
        found = _measured("group", callers, seconds, run.planted)
        yield at_least(f"ledger.group{callers}", found["rate"], "durable answers/s", floor, tpcb)
        judged = 1.0 if callers == 8 else None
        yield at_most(f"ledger.group{callers}.p99", found["p99_ms"], "ms", judged, p99)
    tpcb = run.pgbench(url=reference_url, seconds=seconds).tps
    run.say(f"{BATCH_CLIENTS} processes post batches of {BATCH}, {seconds} s")
    batches = together(__name__, BATCH_CLIENTS, "batch", str(seconds), "planted" if run.planted else "real")
    yield at_least("ledger.batch", batches * BATCH / seconds, "transfers/s", BATCH_FLOOR, tpcb)


def _measured(what: str, callers: int, seconds: int, planted: bool) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, what, str(seconds), "planted" if planted else "real", str(callers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _batch(seconds: int, planted: bool, number: int) -> None:
    from huangpu.channels.bench.ledger import random_transfer
    from huangpu.flows.funds.lanes import post_each

    dice = random.Random(number)

    def one() -> None:
        groups = [[random_transfer(dice)] for _ in range(BATCH)]
        for part in [[group] for group in groups] if planted else [groups]:  # planted: each by itself
            assert all(isinstance(answer, list) for answer in post_each(part))

    one()
    count_for(seconds, one)


def _group(seconds: int, planted: bool, callers: int) -> None:
    """So many callers ask one after the other; prints answers a second and the 99th percentile of their waiting."""
    from huangpu.channels.bench.ledger import random_transfer
    from huangpu.flows.funds.lanes import GroupCommit

    took = list[float]()

    async def call(lane: GroupCommit, number: int, end: float) -> None:
        dice = random.Random(number)
        while (begun := time.monotonic()) < end:
            await lane.post([random_transfer(dice)])
            took.append(time.monotonic() - begun)

    async def all_of_them() -> None:
        async with GroupCommit(groups_max=1 if planted else 1_000) as lane:  # planted: a commit for each caller
            await lane.post([random_transfer(random.Random(0))])
            end = time.monotonic() + seconds
            await asyncio.gather(*(call(lane, number, end) for number in range(callers)))

    asyncio.run(all_of_them())
    took.sort()
    print(json.dumps({"rate": len(took) / seconds, "p99_ms": took[int(0.99 * (len(took) - 1))] * 1_000}))


if __name__ == "__main__":
    import django

    django.setup()
    {"group": _group, "batch": _batch}[sys.argv[1]](int(sys.argv[2]), sys.argv[3] == "planted", int(sys.argv[4]))
