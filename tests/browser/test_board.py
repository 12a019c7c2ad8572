"""The front pages in a real browser: read by axe, looked at in both languages, light and dark, at a desk and on a phone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from tests.city.board.scripted import DAY, Script, begin

from huangpu.city.board import acts
from huangpu.core import clock
from huangpu.markets.tender import acts as tenders
from huangpu.markets.tender import sealing


@pytest.fixture
def script(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:  # noqa: ARG001
    store = sealing.FolderKeyStore(tmp_path / "keys")
    for module in (sealing, tenders.bidding, tenders.drafting):
        monkeypatch.setattr(module, "keys", lambda: store)
    cache.clear()
    made = begin()
    made.market.profile = {"jurisdiction": "CN", "markets": ["tender", "auction"]}
    made.market.save()
    for day in range(12, 5, -1):
        made.tender(day % 3, clock.now() - day * DAY, str(60 + 9 * day), budget=90_000 + 7_000 * day)
    made.tender(0, clock.now() - timedelta(hours=5), None, budget=48_000_000)
    acts.catch_up()
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("script")
def test_the_fronts_can_be_read_by_everybody(page: Any, live_server: Any, axe: Any, shots: Any, scheme: str) -> None:
    for path, name in (("/", "city"), ("/m/steel/", "market")):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(live_server.url + path)
        axe(page)
        page.get_by_text("As a table").click()
        assert page.get_by_role("table").get_by_role("row").count() >= 4
        axe(page)
        if scheme == "light":
            shots(path, f"board-{name}")


@pytest.mark.usefixtures("script")
def test_from_the_city_to_a_tender_in_two_clicks(page: Any, live_server: Any) -> None:
    page.goto(live_server.url + "/")
    page.locator(".hp-market-card").click()
    assert page.locator("h1").inner_text()
    page.locator(".hp-now a strong").first.click()
    page.wait_for_url("**/m/steel/tenders/T-*/")


def test_the_strands_stand_still_for_whom_motion_disturbs(script: Script, page: Any, live_server: Any) -> None:  # noqa: ARG001
    page.emulate_media(reduced_motion="reduce")
    page.goto(live_server.url + "/")
    assert page.locator(".hp-drift").first.evaluate("one => getComputedStyle(one).animationName") == "none"
