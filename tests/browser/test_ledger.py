"""The signed days of the ledger in a real browser: nothing wider than a phone, though a digest is long."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.browser.test_tender import signed_in
from tests.small_city import City, found

from huangpu.core.clock import SHANGHAI
from huangpu.flows.funds import acts, days
from huangpu.flows.funds.models import Account, Transfer
from huangpu.parties.actor import SYSTEM, Actor


@pytest.fixture
def city(transactional_db: None) -> City:  # noqa: ARG001
    return found()


def test_a_signed_day_is_read(page: Any, live_server: Any, axe: Any, shots: Any, city: City) -> None:
    market, past = city.market.id, datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    acts.top_up(actor=SYSTEM, marketplace_id=market, organisation_id=city.seller.pk, amount=1_000_000_00, currency="CNY",
                now=past)  # fmt: skip
    Account.objects.filter(marketplace_id=market).update(opened_at=past)
    Transfer.objects.filter(marketplace_id=market).update(posted_at=past)
    for day in (date(2026, 11, 20), date(2026, 11, 21)):
        days.close_day(actor=SYSTEM, marketplace_id=market, day=day, now=days.end_of(day, SHANGHAI))
    signed_in(page, Actor(city.operator.pk, None), live_server.url)
    page.goto("/m/manufacturing/books/")
    page.get_by_role("link", name="Signed days of the ledger").click()
    axe(page)
    shots("/m/manufacturing/ledger/", "ledger", page.context.cookies())
    page.get_by_role("link", name="2026-11-21").click()
    page.wait_for_selector("text=Check it yourself")
    axe(page)
    shots("/m/manufacturing/ledger/2026-11-21/CNY/", "ledger-day", page.context.cookies())
