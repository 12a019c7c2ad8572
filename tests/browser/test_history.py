"""Imported history in a browser: list, one procedure, in both languages, at a desk and on a phone."""

from __future__ import annotations

import pytest

from huangpu.core import clock
from huangpu.core.names import named
from huangpu.markets.history.files import found, take
from huangpu.markets.history.models import Procedure
from huangpu.markets.history.standards.ocds.schema import DATA
from huangpu.parties.actor import SYSTEM
from huangpu.parties.models import Marketplace, Organisation


@pytest.mark.django_db(transaction=True)
def test_history_is_accessible_and_found_by_its_words(new_page, axe, shots):
    house = Organisation.objects.create(name=named("上海市商务平台", "City of Shanghai"))
    city = Marketplace.objects.create(slug="auto", name=named("汽车市场", "Auto market"), operator=house, is_city=True)
    for file in found([DATA / "records"]):
        take(file, actor=SYSTEM, marketplace_id=city.pk, clock=clock.now)
    source = Procedure.objects.get(ocid="ocds-be6bcu-UA-2017-04-10-002020-b")
    for language, size, theme in [("en", "desktop", "light"), ("zh-hans", "phone", "dark")]:
        page = new_page(language=language, size=size, theme=theme)
        page.goto("/m/auto/history/")
        axe(page)
        page.get_by_role("searchbox").fill("масажний")
        page.locator(".hp-toolbar button").click()
        assert page.locator("tbody tr").count() == 1
        page.goto(f"/m/auto/history/{source.pk}/")
        axe(page)
    shots("/m/auto/history/", "history-list")
    shots(f"/m/auto/history/{source.pk}/", "history-procedure")
