"""Money from wallet to wallet in a real browser: sent by one, accepted by another on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.test_tender import signed_in
from tests.small_city import City, found

from huangpu.core.verify import all_checks
from huangpu.flows.funds import acts as funds
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Identifier


@pytest.fixture
def city(transactional_db: None) -> City:  # noqa: ARG001
    made = found()
    Identifier.objects.create(organisation=made.seller, scheme="CN-USCC", value="91310113MA1FL0002Y")
    funds.top_up(actor=SYSTEM, marketplace_id=made.market.pk, organisation_id=made.buyer.pk, amount=1_000_00, currency="CNY",
                 now=made.market.created_at)  # fmt: skip
    return made


def test_sent_and_accepted(new_page: Any, live_server: Any, axe: Any, shots: Any, city: City) -> None:
    sender, receiver = new_page(), new_page(language="zh-hans", size="phone")
    signed_in(sender, Actor(city.owner.pk, city.buyer.pk), live_server.url)
    signed_in(receiver, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    sender.goto("/m/manufacturing/sendings/")
    axe(sender)
    sender.locator("#f-receiver").fill("91310113MA1FL0002Y")
    sender.locator("#f-amount").fill("2,000")
    sender.get_by_role("button", name="Send").click()
    sender.wait_for_selector("text=you may still send")
    sender.locator("#f-amount").fill("88.80")
    sender.locator("#f-note").fill("Lunch")
    sender.get_by_role("button", name="Send").click()
    sender.wait_for_selector("text=is on its way")
    receiver.goto("/m/manufacturing/sendings/")
    axe(receiver)
    shots("/m/manufacturing/sendings/", "sendings", receiver.context.cookies())
    receiver.get_by_role("button", name="收款").click()
    receiver.wait_for_selector("text=已收款")
    sender.reload()
    sender.wait_for_selector("text=Accepted")
    assert [check for check in all_checks() if not check.ok] == []
