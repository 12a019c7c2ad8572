"""`huangpu chaos`: nothing acknowledged is lost or doubled when processes are killed; a client that lies is found out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from uuid import uuid4

import pytest

from huangpu.channels.chaos.audit import exactly_once
from huangpu.channels.chaos.journal import ACKNOWLEDGED, REFUSED, UNANSWERED, Call
from huangpu.channels.chaos.market import Firm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the victims are found in /proc")


def chaos(*arguments: str, timeout: int) -> subprocess.CompletedProcess[str]:
    """A run on a house of its own, not the tests'."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUANGPU_", "DATABASE_URL"))}
    command = [sys.executable, "-m", "huangpu", "chaos", *arguments]
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=timeout)


def killed(report: str) -> int:
    found = re.search(r"^kills: (\d+)", report, re.MULTILINE)
    assert found, report
    return int(found[1])


def test_six_kills_lose_nothing() -> None:
    done = chaos("--kills", "6", "--seed", "2010", timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "PASS"
    assert killed(done.stdout) == 6


@pytest.mark.soak
@pytest.mark.parametrize("planted", ["lost", "doubled"])
def test_a_client_that_lies_is_found_out(planted: str) -> None:
    done = chaos("--kills", "2", "--planted", planted, timeout=600)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "WRONG: " in done.stdout


@pytest.mark.soak
def test_fifty_kills_lose_nothing() -> None:
    done = chaos("--kills", "50", timeout=3600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert killed(done.stdout) == 50


def call(outcome: str) -> Call:
    return Call("trade.deliver", "/trades/1/perform", uuid4().hex, Firm(uuid4(), "token"), {}, outcome)


def test_the_reckoning_sees_what_is_lost_doubled_undone_and_strange() -> None:
    lost, doubled, refused, unknown = (call(one) for one in (ACKNOWLEDGED, ACKNOWLEDGED, REFUSED, UNANSWERED))
    found = Counter({doubled.key: 2, refused.key: 1, "nobody's": 1})
    said = list(exactly_once("acts", [lost, doubled, refused, unknown], found))
    assert [line.split(": ")[1] for line in said] == [
        "1 acknowledged, but not there",
        "1 there more than once",
        "1 refused, but there",
        "1 there, but nobody sent them",
    ]
    right = [call(ACKNOWLEDGED), call(REFUSED), unknown]
    assert not list(exactly_once("acts", right, Counter({right[0].key: 1})))
    assert not list(exactly_once("acts", right, Counter({right[0].key: 1, unknown.key: 1})))
