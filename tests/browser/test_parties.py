"""The pages of parties in a real browser: both languages, desk and phone; register, invite, switch by hand."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from huangpu.core import clock
from huangpu.core.names import named
from huangpu.parties import acts, gb32100
from huangpu.parties.actor import SYSTEM
from huangpu.parties.models import Person
from huangpu.parties.queries import actor_for
from huangpu.parties.rules import Facts, Settings


@pytest.fixture
def town(transactional_db: None) -> dict[str, Any]:  # noqa: ARG001
    random, now = Random(11), clock.now()
    code = lambda: (("CN-USCC", gb32100.make(random)),)  # noqa: E731
    house = Facts(
        name=named("上海市电子商务服务中心", "Shanghai E-Commerce Centre"),
        identifiers=code(),
        address="上海市黄浦区中山东一路 1 号",
        phone="+86 21 6321 0000",
        email="service@example.org",
    )
    city = acts.found_city(actor=SYSTEM, operator=house, settings=Settings(name=named("上海", "Shanghai")), now=now)
    settings = Settings(
        name=named("浦江汽车采购市场", "Pujiang Automotive Procurement"),
        tagline=named("招标、竞价、交付，一处完成", "Tender, auction, delivery in one place"),
        colour="#8a2f0b",
        fee_ppm=3000,
        markets=("tender", "auction"),
    )
    market = acts.open_marketplace(actor=SYSTEM, slug="auto", operator_id=city.operator_id, settings=settings, now=now)
    people = [Person.objects.create_user(*one) for one in (("wang", "", None), ("li", "", None))]
    Person.objects.filter(username="wang").update(name="王晓梅")
    Person.objects.filter(username="li").update(name="李强")
    acts.grant_marketplace_role(
        actor=SYSTEM, marketplace_id=market.pk, person_id=people[0].pk, role="operator", now=now
    )
    wang = actor_for(person_id=people[0].pk)
    facts = Facts(
        name=named("上海浦江汽车零部件有限公司", "Shanghai Pujiang Auto Parts Co., Ltd."),
        identifiers=(*code(), ("LEI", "213800KUD8LAJWSQ9D15")),
        district="pudong",
        industry="automobiles",
        address="上海市浦东新区金桥路 88 号",
        phone="+86 21 5888 1234",
        website="https://pujiang.example.com",
    )
    parts = acts.register_organisation(actor=wang, facts=facts, now=now)
    acts.register_organisation(actor=wang, facts=Facts(name=named("宝山特种钢厂"), identifiers=code()), now=now)
    found = list(parts.identifiers.filter(scheme="CN-USCC").values_list("pk", flat=True))
    acts.verify_organisation(actor=SYSTEM, organisation_id=parts.pk, level=2, identifier_ids=found, now=now)
    wang = actor_for(person_id=people[0].pk, organisation_id=parts.pk)
    acts.add_member(actor=wang, organisation_id=parts.pk, person_id=people[1].pk, roles=["buyer", "finance"], now=now)
    acts.create_token(actor=wang, marketplace_id=market.pk, name="ERP", roles=["buyer"], now=now)
    acts.invite(actor=wang, organisation_id=parts.pk, roles=["clerk"], email="zhang@example.org", now=now)
    return {"parts": parts, "people": people}


def sign_in(page: Any, person: Person, live_server: Any) -> None:
    """A session without the sign-in page, which has tests of its own."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])


def test_the_pages_are_accessible_and_fit(town, new_page, axe, shots, live_server):
    page = new_page()
    sign_in(page, town["people"][0], live_server)
    own = f"/o/{town['parts'].pk}/"
    addresses = {
        "organisation": own,
        "settings": f"{own}settings/",
        "organisations": "/organisations/",
        "register": "/organisations/new/",
        "marketplaces": "/marketplaces/",
        "marketplace": "/m/auto/",
        "operator": "/m/auto/operator/",
    }
    for name, address in addresses.items():
        page.goto(address)
        assert page.locator("h1").count() == 1
        axe(page)
        shots(
            address,
            f"parties-{name}",
            page.context.cookies(),
            ["en-desktop-light", "zh-phone-light", "zh-desktop-dark"],
        )


def test_a_person_invites_another_who_joins_and_both_see_it(town, new_page, axe, live_server):
    owner, guest = new_page(), new_page(language="zh-hans", size="phone")
    sign_in(owner, town["people"][0], live_server)
    sign_in(guest, Person.objects.create_user("zhang", name="张伟"), live_server)
    owner.goto(f"/o/{town['parts'].pk}/settings/")
    form = owner.locator("form:has(input[value=invite])")
    form.get_by_label("warehouse").check()
    form.get_by_role("button").click()
    link = owner.locator(".hp-secret").inner_text()
    guest.goto(link)
    axe(guest)
    guest.locator("main form button").click()
    guest.wait_for_url("**/o/**")
    owner.goto(f"/o/{town['parts'].pk}/")
    assert "张伟" in owner.locator("main").inner_text()


def test_switching_the_organisation_is_visible(town, new_page, live_server):
    page = new_page()
    sign_in(page, town["people"][0], live_server)
    page.goto("/marketplaces/")
    page.locator(".hp-acting > summary").click()
    page.locator(".hp-acting button", has_text="宝山特种钢厂").click()
    page.wait_for_url("**/marketplaces/")
    assert "宝山特种钢厂" in page.locator(".hp-acting > summary").inner_text()
