"""The tutorials are true: every request of the page is sent in its order, every answer it shows is compared."""

from __future__ import annotations

import contextlib
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from huangpu.channels.cli.verify import run as verify
from huangpu.city.demo import fill
from huangpu.core import clock
from huangpu.core.log.sequencer import sequence
from huangpu.flows.process import deadlines
from huangpu.markets.auction import jobs as auctions
from huangpu.markets.tender import jobs as tenders

from .pages import Answer, Reader, Request, blocks

DOCS = Path(__file__).parents[2] / "docs"
TRADE = DOCS / "tutorial" / "a-trade-by-api.md"


class City:
    """The demo city as a reader meets it: browsers by their cookie files, a clock that `sleep` moves, a house at work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.begun, self.slept = datetime.now(clock.UTC), timedelta()
        self.browsers: dict[str | None, Client] = {}
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + self.slept)

    def browser(self, jar: str | None) -> Client:
        return self.browsers.setdefault(jar, Client(enforce_csrf_checks=True))

    def csrf(self, jar: str) -> str:
        return self.browser(jar).cookies["csrftoken"].value

    def wait(self, seconds: int) -> None:
        """Time passes, and the worker does what it does every two seconds."""
        self.slept += timedelta(seconds=seconds)
        auctions.close_due()
        tenders.sweep(clock.now())
        deadlines.sweep(clock.now())
        sequence()

    def send(self, request: Request) -> Answer:
        client = self.browser(request.jar) if request.jar else Client(enforce_csrf_checks=True)
        headers = {name: value for name, value in request.headers.items() if name != "Content-Type"}
        path = "/" + request.url.split("/", 3)[3]
        if request.body is None and request.form:
            came = client.post(path, request.form, headers=headers)
        else:
            body = (request.body or "").encode()
            came = client.generic(request.method, path, body, "application/json", headers=headers)
        return Answer(came.status_code, {k.lower(): v for k, v in came.items()}, came.content.decode())


def console(command: str) -> str:
    """The commands that a page may show. `huangpu verify` runs in this process, on the test's own database."""
    assert command == ".venv/bin/huangpu verify", f"the test cannot run “{command}”"
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert verify(as_json=False)
    return shown.getvalue()


@pytest.fixture
def city(db: None, monkeypatch: pytest.MonkeyPatch) -> City:  # noqa: ARG001
    """Its marketplaces, firms and people; its older trades and its imported history play no part in the page."""
    monkeypatch.setattr(fill, "trade_everywhere", lambda _city: None)
    monkeypatch.setattr(fill, "_history", lambda _city: None)
    fill.fill(1, lambda *_: None)
    return City(monkeypatch)


@pytest.mark.django_db(transaction=True)
def test_a_trade_by_api(city: City, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    reader = Reader(city.send, city.csrf, city.wait, clock.now, console)
    reader.run(TRADE)
    asked = sum(block.text.count("curl ") for block in blocks(TRADE) if block.language == "bash")
    assert reader.requests == asked > 30
    assert reader.compared == sum(block.language in ("http", "console") for block in blocks(TRADE)) > 20
