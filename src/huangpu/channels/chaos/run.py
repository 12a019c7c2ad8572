"""One run: a house, clients at work, `kill -9` at random instants, and the reckoning at the end."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event, Thread

from huangpu.channels.pos.terminal import Device

from . import payments, tills
from .audit import audit
from .clients import threads
from .house import VICTIMS, House
from .journal import ACKNOWLEDGED, REFUSED, Client, Journal
from .market import Market, open_market

AGREEMENTS_A_KILL, AGREEMENTS_MIN = 6, 60
PAUSE_S = (0.2, 2.0)  # between two kills, at random
BACK_S_MAX = 60.0  # within which a call is acknowledged again, and in the end the whole house is there
DRAIN_S_MAX = 120.0


@dataclass
class Result:
    """What a run found. It passed when nothing is wrong."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    journal: Journal = field(default_factory=Journal)
    tills: list[Device] = field(default_factory=list)
    outage_s_max: float = 0.0  # the longest time without an acknowledged call
    checks: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report, for people."""
        calls = self.journal.calls
        outcomes = Counter(call.outcome for call in calls)
        kinds = Counter(call.kind for call in calls if call.outcome == ACKNOWLEDGED)
        refusals = Counter(str(call.answer.get("code")) for call in calls if call.outcome == REFUSED)
        again = [call for call in calls if call.attempts > 1]
        return [
            f"seed {self.seed}, {self.seconds:.0f} s",
            f"kills: {self.kills.total()} ({_listed(self.kills)})",
            f"acts: {outcomes[ACKNOWLEDGED]} acknowledged, {outcomes[REFUSED]} refused; {len(again)} were sent again,"
            f" {sum(call.replayed for call in calls)} got the answer that had been lost;"
            f" at most {self.outage_s_max:.1f} s without an answer",
            f"acknowledged: {_listed(kinds)}",
            *([f"refused: {_listed(refusals)}"] if refusals else []),
            f"checks of `huangpu verify`: {self.checks}",
            *(f"WRONG: {line}" for line in self.wrong),
            "FAIL" if self.wrong else "PASS",
        ]


def torment(kills: int, seed: int, seconds_max: float, planted: str | None, say: Callable[[str], None]) -> Result:
    """Runs all of it on a throwaway folder. To be called from the main thread of a process that has not set Django up."""
    random, result, began = Random(seed), Result(seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="huangpu-chaos-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        folder.chmod(0o755)
        house = House(folder)
        try:
            say("a house is made and started")
            house.start()
            market = _prepared(house, max(AGREEMENTS_MIN, AGREEMENTS_A_KILL * kills))
            result.tills = [tills.device(till, folder, house.pos_port) for till in market.tills]
            say(f"it serves at {house.url}; {len(market.agreements)} agreements are prepared; the killing begins")
            _under_fire(house, market, kills, seconds_max, planted, random, result, say)
            say("the killing is over; what was acknowledged is compared with what is there")
            _reckon(market, result, folder)
        finally:
            result.wrong += house.stop()
            result.seconds = time.monotonic() - began
    return result


def _prepared(house: House, agreements: int) -> Market:
    os.environ.update({name: value for name, value in house.environment.items() if name.startswith("HUANGPU_")})
    os.environ.pop("DATABASE_URL", None)
    from huangpu.channels.cli.database import set_up_django
    from huangpu.environment import environment

    environment.cache_clear()
    set_up_django()
    from django.db import connections

    market = open_market(agreements, datetime.now(UTC))
    connections.close_all()
    return market


def _under_fire(
    house: House, market: Market, kills: int, seconds_max: float, planted: str | None, random: Random, result: Result,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    stop = Event()

    def client() -> Client:
        return Client(house.url, result.journal, stop, Random(random.random()), planted)

    at_work = threads(market, client)
    at_work += [Thread(target=tills.work, args=(client(), one), daemon=True) for one in result.tills]
    for thread in at_work:
        thread.start()
    try:
        _kill(house, kills, time.monotonic() + seconds_max, random, result, say)
        if not house.whole_within(BACK_S_MAX):
            missing = [victim for victim in VICTIMS if not house.parts(victim)]
            result.wrong.append(
                f"the house was not whole again after {BACK_S_MAX:.0f} s: {', '.join(missing) or 'no answer'}"
            )
    finally:
        stop.set()
        _drained(at_work, result)


def _kill(
    house: House, kills: int, end: float, random: Random, result: Result, say: Callable[[str], None]
) -> None:  # fmt: skip
    """Each victim in turn, in an order that changes every round; always after a call was acknowledged since the last one,
    so that every kill meets a house at work."""
    order: list[str] = []
    while result.kills.total() < kills:
        if not _acknowledged_more(result) or not house.alive():
            result.wrong.append(f"nothing was acknowledged for {BACK_S_MAX:.0f} s after the last kill")
            return
        if time.monotonic() > end:
            result.wrong.append(f"only {result.kills.total()} of {kills} kills in the time that was given")
            return
        time.sleep(random.uniform(*PAUSE_S))
        order = order or random.sample(VICTIMS, len(VICTIMS))
        victim = next((one for one in order if house.kill(one, random)), None)
        if victim is not None:
            order.remove(victim)
            result.kills[victim] += 1
            say(f"kill {result.kills.total()}/{kills}: {victim}")


def _acknowledged_more(result: Result) -> bool:
    """Waits until a call that began later than now is acknowledged."""
    seen, began = len(result.journal.calls), time.monotonic()
    while time.monotonic() < began + BACK_S_MAX:
        if any(call.outcome == ACKNOWLEDGED for call in result.journal.calls[seen:]):
            result.outage_s_max = max(result.outage_s_max, time.monotonic() - began)
            return True
        time.sleep(0.02)
    return False


def _drained(at_work: list[Thread], result: Result) -> None:
    end = time.monotonic() + DRAIN_S_MAX
    for thread in at_work:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in at_work):
        result.wrong.append(f"clients were still at work {DRAIN_S_MAX:.0f} s after they were told to stop")


def _reckon(market: Market, result: Result, folder: Path) -> None:
    from django.db import connections

    from huangpu.core.verify import all_checks

    result.wrong += tills.tills(result.tills)
    if left := payments.ask_the_rest(folder):
        result.wrong.append(f"{left} operations have no end although their banks answer")
    result.wrong += audit(market, result.journal)
    result.wrong += payments.payments(market, result.journal, folder)
    for check in all_checks():
        result.checks += 1
        if not check.ok:
            result.wrong.append(f"verify: {check.name}: {check.detail}")
    connections.close_all()


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
