"""A document in the browser: sent with a delivery, found behind its mark, read; at a desk and on a phone, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_tender import signed_in
from tests.flows.process.test_documents import PDF, Street, build
from tests.markets.tender.conftest import make_world

from huangpu.core import clock
from huangpu.flows.process import notices

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = {
    "en": ("1 document", "Delivery note", "A file may have at most", "delivered for"),
    "zh-hans": ("1 份文件", "送货单", "每个文件最多", "交货"),
}


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def note(folder: Path, name: str, content: bytes = PDF) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def no_wider(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url


@pytest.mark.parametrize(("language", "size"), [("en", "desktop"), ("zh-hans", "phone")])
def test_a_note_is_sent_with_a_delivery_and_lies_behind_its_mark(
    new_page: Callable[..., Page], live_server: Any, axe: Any, shots: Any, tmp_path: Path, settings: Any, language: str,
    size: str,
) -> None:  # fmt: skip
    street: Street = build()
    count, kind, too_large, told = WORDS[language]
    seller, buyer = new_page(language=language, size=size), new_page(language=language, size=size)
    for page, name in ((seller, "seller"), (buyer, "buyer")):
        signed_in(page, street.actor(name), live_server.url)
    seller.goto(street.page)
    axe(seller)
    form = seller.locator("#act-deliver")
    form.locator("input[type=file]").set_input_files(note(tmp_path, "送货单 2026-117.pdf"))
    expect(form.locator("select[name=kind]")).to_have_value("delivery_note")
    form.locator("button[type=submit]").click()
    expect(seller.locator(".hp-message-success")).to_have_count(1)

    buyer.goto(street.page)
    if size == "phone":
        mark = buyer.locator(".hp-lanes-order .hp-step", has=buyer.locator(".hp-step-papers")).first
        expect(mark).to_contain_text(count)
        mark.locator("a").first.click()
    else:
        mark = buyer.locator(".hp-chip", has=buyer.locator(".hp-paper-sheet"))
        expect(mark).to_have_count(1)
        assert count in (mark.get_attribute("aria-label") or "")
        mark.focus()
        buyer.keyboard.press("Enter")
    opened = buyer.locator(".hp-timeline > li:target")
    expect(opened).to_be_in_viewport()
    expect(opened.locator(".hp-papers")).to_contain_text(kind)
    with buyer.expect_download() as download:
        opened.locator(".hp-papers a").click()
    assert download.value.suggested_filename == "送货单 2026-117.pdf"
    assert Path(download.value.path()).read_bytes() == PDF
    axe(buyer)
    no_wider(buyer)

    buyer.locator("#attach input[type=file]").set_input_files(
        [note(tmp_path, "a.pdf"), note(tmp_path, "b.csv", b"a,b\n")]
    )
    buyer.locator("#attach select[name=to]").select_option(index=1)
    buyer.locator("#attach button").click()
    expect(buyer.locator("section[aria-labelledby=documents] tbody tr")).to_have_count(3)
    no_wider(buyer)
    shots(street.page, "trade-documents", buyer.context.cookies())

    settings.HUANGPU = replace(settings.HUANGPU, document_bytes_max=1_000)
    buyer.goto(street.page)
    field = buyer.locator("#attach input[type=file]")
    field.set_input_files(note(tmp_path, "large.pdf", PDF.ljust(2_000)))
    assert too_large in field.evaluate("one => one.validationMessage")
    field.evaluate("one => one.setCustomValidity('')")  # as where no script runs
    buyer.locator("#attach button").click()
    expect(buyer.locator("main")).to_contain_text(too_large)
    axe(buyer)

    notices.catch_up()
    buyer.goto("/notices/")
    expect(buyer.locator(".hp-timeline")).to_contain_text(told)
    axe(buyer)
    shots("/notices/", "trade-notices", buyer.context.cookies())
    buyer.locator(".hp-timeline li", has_text=told).first.locator("button[name=open]").click()
    expect(buyer.locator(".hp-timeline > li:target .hp-papers")).to_contain_text("2026-117.pdf")


def test_a_drafts_document(
    new_page: Callable[..., Page], live_server: Any, axe: Any, shots: Any, tmp_path: Path,
) -> None:  # fmt: skip
    world = make_world()
    world.at = clock.now()
    tender = world.plan()
    buyer = new_page()
    signed_in(buyer, world.buyer, live_server.url)
    path = f"/m/{world.marketplace.slug}/tenders/{tender.number}/"
    buyer.goto(path)
    buyer.locator("#attach input[type=file]").set_input_files(note(tmp_path, "技术规格书.pdf"))
    buyer.locator("#attach [name=title]").fill("Technical specification 技术规格书")
    buyer.locator("#attach button").click()
    expect(buyer.locator("#documents .hp-papers li")).to_have_count(1)
    axe(buyer)
    no_wider(buyer)
    shots(path, "tender-documents", buyer.context.cookies())
