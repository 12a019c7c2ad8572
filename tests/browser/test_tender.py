"""The pages of tenders in a real browser: the rows of the form, the live total of a bid, every page looked at."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from tests.markets.tender.conftest import World, lot_terms, make_world

from huangpu.core import clock
from huangpu.core.names import named
from huangpu.markets.tender import acts
from huangpu.markets.tender.models import Bid, Line, Lot, Tender
from huangpu.markets.tender.rules import Criterion
from huangpu.parties.models import Person


@pytest.fixture
def world(transactional_db: None) -> World:  # noqa: ARG001
    made = make_world()
    made.marketplace.sectors = ["manufacturing"]
    made.marketplace.save()
    made.at = clock.now() - timedelta(days=4)
    return made


def signed_in(page: Any, actor: Any, address: str) -> list[dict[str, str]]:
    """Signs a page's browser in as the person, and returns its cookies."""
    person = Person.objects.get(pk=actor.person_id)
    session = SessionStore()
    session["_auth_user_id"] = str(person.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = person.get_session_auth_hash()
    session.save()
    cookie = {"name": "sessionid", "value": str(session.session_key), "url": address}
    page.context.add_cookies([cookie])
    return [cookie]


def rich(world: World, **changes: Any) -> Tender:
    """A tender with two lots and a criterion, published."""
    lots = [
        lot_terms(("行星齿轮减速机 P3NB", "12", "C62"), ("合成齿轮油 220", "2.5", "TNE"), budget=52_000_000),
        lot_terms(("联轴器", "40", "SET"), budget=8_000_000),
    ]
    plain = {
        "title": named("二号轧线减速机更换", "Gear units for rolling line 2"),
        "description": named("含安装指导，随机文件中文。", "With guidance on installation; documents in Chinese."),
        "lots": lots,
        "criteria": [Criterion("quality", named("质量与业绩", "Quality and references"), 300)],
        "delivery_place": "上海市宝山区富锦路 885 号",
        "industry": "equipment",
    }
    return world.published(**{**plain, **changes})


def decided(world: World) -> Tender:
    """The same, opened, scored and awarded."""
    world.at = clock.now() - timedelta(days=4)
    tender = rich(world, bids_until=world.at + timedelta(days=3), questions_until=None, two_persons=True)
    for place, (one, two) in enumerate((("38250.5", "1750"), ("36900", "1820"), ("40100", "1699.9"))):
        world.bid(tender, place, one, at=world.at + timedelta(hours=place + 1))
        world.bid(tender, place, two, lot=2, at=world.at + timedelta(hours=place + 1))
    now = world.at + timedelta(days=3)
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=now)
    for bid in Bid.objects.filter(tender=tender):
        acts.score(
            actor=world.approver,
            bid_id=bid.id,
            criterion="quality",
            points=Decimal(95 - 10 * (bid.number or 0)),
            now=now,
        )
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=now)
    lot = Lot.objects.get(tender=tender, number=1)
    acts.award(actor=world.approver, tender_id=tender.id, lot_id=lot.id, now=now)
    return tender


def test_a_draft_is_written_with_rows_added_by_keyboard(
    world: World, new_page: Any, live_server: Any, axe: Any
) -> None:
    page = new_page()
    signed_in(page, world.buyer, live_server.url)
    page.goto(f"/m/{world.marketplace.slug}/tenders/new/")
    page.fill("[name=title_en]", "Bearings")
    page.fill("[name=line_name]", "Bearing 6204")
    page.fill("[name=line_quantity]", "100")
    page.get_by_role("button", name="Add a line").focus()
    page.keyboard.press("Enter")
    page.locator("[name=line_name]").nth(1).wait_for()
    assert page.evaluate("document.activeElement === document.querySelectorAll('[name=line_name]')[1]")
    page.keyboard.type("Grease")
    page.locator("[name=line_quantity]").nth(1).fill("0")
    page.fill("[name=bids_until]", "2030-01-01T10:00")
    page.locator("[name=title_en]").press("Enter")
    page.wait_for_selector("[name=line_quantity][aria-invalid=true]")
    assert page.locator("[name=line_name]").nth(0).input_value() == "Bearing 6204"
    axe(page)
    page.locator("[name=line_quantity]").nth(1).fill("2.5")
    page.locator("[name=title_en]").press("Enter")
    page.wait_for_url("**/tenders/T-*/")
    assert Tender.objects.get().lots.get().lines.count() == 2
    axe(page)


def test_the_total_of_a_bid_is_exact_while_it_is_typed(world: World, new_page: Any, live_server: Any, axe: Any) -> None:
    world.at = clock.now()
    tender = rich(world, bids_until=clock.now() + timedelta(days=2), questions_until=None)
    page = new_page(size="phone", language="zh-hans")
    signed_in(page, world.suppliers[0], live_server.url)
    page.goto(f"/m/{world.marketplace.slug}/tenders/{tender.number}/lots/1/bid/")
    prices = page.locator("[data-quantity] input")
    prices.nth(0).fill("0.1")
    prices.nth(1).fill("10.01")
    assert page.locator("[data-sum]").inner_text() == "26.23"  # 1.20 + 25.025 half up
    axe(page)
    page.get_by_role("button", name="密封并发送").click()
    page.wait_for_url("**/#my-bids")
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=clock.now() + timedelta(days=2))
    assert Bid.objects.get().amount_minor == 2623
    axe(page)


def test_every_page_is_accessible_and_looks_right(
    world: World, new_page: Any, live_server: Any, axe: Any, shots: Any
) -> None:
    tender = decided(world)
    world.at = clock.now()
    live = rich(world, bids_until=clock.now() + timedelta(days=2, hours=3), questions_until=None)
    acts.ask(actor=world.suppliers[1], tender_id=live.id, text="法兰采用哪个标准？", now=clock.now())
    question = live.questions.get()
    acts.answer(actor=world.buyer, question_id=question.id, text="DIN 2501, PN 16。", now=clock.now())
    world.bid(live, 0, "38000", at=clock.now())
    base = f"/m/{world.marketplace.slug}/tenders/"
    looks = [
        ("list", base, world.buyer),
        ("live-supplier", f"{base}{live.number}/", world.suppliers[0]),
        ("live-buyer", f"{base}{live.number}/", world.buyer),
        ("bid", f"{base}{live.number}/lots/1/bid/", world.suppliers[0]),
        ("decided", f"{base}{tender.number}/", world.suppliers[0]),
        ("evaluation", f"{base}{tender.number}/evaluation/", world.approver),
        ("new", f"{base}new/", world.buyer),
    ]
    for name, address, actor in looks:
        page = new_page()
        cookies = signed_in(page, actor, live_server.url)
        page.goto(address)
        assert page.locator("h1").count() == 1
        axe(page)
        shots(address, f"tender-{name}", cookies)
    assert Line.objects.filter(lot__tender=tender).count() == 3
