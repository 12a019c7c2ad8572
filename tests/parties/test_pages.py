"""The pages of parties: what is shown to whom, and the small forms."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest
from django.test import Client

from huangpu.core.ids import uuid7
from huangpu.parties import acts, gb32100
from huangpu.parties.middleware import SESSION_KEY
from huangpu.parties.models import ApiToken, Invitation, Marketplace, Membership, Organisation

from .conftest import NOW, City

CODE = gb32100.make(Random(4))


def browser(city: City, who: str = "") -> Client:
    client = Client(headers={"Accept-Language": "en"})
    if who:
        client.force_login(city.people[who], backend="django.contrib.auth.backends.ModelBackend")
    return client


def send(client: Client, path: str, **fields: Any) -> Any:
    return client.post(path, {"idempotency_key": str(uuid7()), **fields})


def text(answer: Any) -> str:
    return str(answer.content.decode())


def settings_of(city: City) -> str:
    return f"/o/{city.buyer.pk}/settings/"


@pytest.mark.parametrize("who", ["", "stranger", "rival", "clerk", "owner", "operator", "mayor", "regulator"])
def test_pages_that_everybody_may_see(city: City, who: str) -> None:
    client = browser(city, who)
    for path in (
        "/organisations/",
        f"/o/{city.buyer.pk}/",
        "/marketplaces/",
        "/m/auto/",
        f"/m/auto/o/{city.buyer.pk}/",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert text(answer).count("<h1") == 1
    assert ("Approver" in text(client.get(f"/o/{city.buyer.pk}/"))) is (who in ("clerk", "owner", "mayor", "regulator"))


@pytest.mark.parametrize(
    ("who", "settings", "operate", "open_market"),
    [
        ("", 302, 302, 302),
        ("stranger", 403, 403, 403),
        ("rival", 403, 403, 403),
        ("clerk", 200, 403, 403),
        ("owner", 200, 403, 403),
        ("operator", 403, 200, 403),
        ("mayor", 403, 200, 200),
    ],
)
def test_pages_for_some(city: City, who: str, settings: int, operate: int, open_market: int) -> None:
    client = browser(city, who)
    assert client.get(settings_of(city)).status_code == settings
    assert client.get("/m/auto/operator/").status_code == operate
    assert client.get("/marketplaces/new/").status_code == open_market


def test_what_does_not_exist_is_404(city: City) -> None:
    for path in (f"/o/{uuid7()}/", "/m/nowhere/"):
        assert browser(city).get(path).status_code == 404


def test_a_person_registers_an_organisation_and_acts_for_it(city: City) -> None:
    client = browser(city, "owner")
    wrong = send(client, "/organisations/new/", scheme="CN-USCC", value=CODE[:-1] + "O", name_zh="", email="x")
    assert wrong.status_code == 422
    assert "Perhaps “0” is meant" in text(wrong)
    assert "no e-mail address" in text(wrong)
    assert 'aria-invalid="true"' in text(wrong)
    right = send(client, "/organisations/new/", scheme="CN-USCC", value=CODE, name_zh="江南造船", name_en="Jiangnan")
    made = Organisation.objects.get(identifiers__value=CODE)
    assert right["Location"] == f"/o/{made.pk}/settings/"
    assert client.session[SESSION_KEY] == str(made.pk)
    assert client.get(right["Location"]).status_code == 200


def test_switching_stays_on_the_page_and_never_leaves_the_site(city: City) -> None:
    Membership.objects.create(organisation=city.seller, person=city.people["owner"], roles=["clerk"])
    client = browser(city, "owner")
    there = send(client, "/act-for/", organisation=str(city.seller.pk), next="/marketplaces/")
    assert (there.status_code, there["Location"]) == (302, "/marketplaces/")
    assert "Acting for" in text(client.get("/marketplaces/"))
    assert client.get("/marketplaces/").wsgi_request.actor.organisation_id == city.seller.pk
    away = send(client, "/act-for/", organisation=str(city.buyer.pk), next="https://evil.example/")
    assert away["Location"] == "/"
    assert send(browser(city, "clerk"), "/act-for/", organisation=str(city.seller.pk)).status_code == 403


def test_an_invitation_is_shown_once_and_accepted_on_its_page(city: City) -> None:
    client = browser(city, "owner")
    shown = send(client, settings_of(city), do="invite", roles=["finance"])
    assert (shown.status_code, shown["Cache-Control"]) == (200, "no-store")
    found = re.search(r"/join/[\w-]+/", text(shown))
    assert found
    assert found.group() not in text(client.get(settings_of(city)))
    guest = browser(city, "stranger")
    page = guest.get(found.group())
    assert "finance" in text(page)
    assert page["Referrer-Policy"] == "same-origin"
    assert send(guest, found.group())["Location"] == f"/o/{city.buyer.pk}/"
    assert Membership.objects.get(person=city.people["stranger"]).roles == ["finance"]
    assert guest.get(found.group()).status_code == 404
    assert browser(city).get(found.group()).status_code == 302


def test_the_small_forms_of_the_settings(city: City) -> None:
    client, path = browser(city, "owner"), settings_of(city)
    assert "Nobody signs in as" in text(send(client, path, do="add_member", username="nobody", roles=["clerk"]))
    assert send(client, path, do="add_member", username="stranger", roles=["clerk"]).status_code == 302
    person = str(city.people["stranger"].pk)
    assert send(client, path, do="roles", person=person, roles=["buyer", "finance"]).status_code == 302
    assert Membership.objects.get(person_id=person).roles == ["buyer", "finance"]
    assert send(client, path, do="end", person=person).status_code == 302
    last = send(client, path, do="end", person=str(city.people["owner"].pk))
    assert last.status_code == 422
    assert "only owner" in text(last)
    assert "Choose at least one role" in text(send(client, path, do="token", name="ERP", marketplace="auto"))
    made = send(client, path, do="token", name="ERP", marketplace="auto", roles=["buyer"])
    assert re.search(r"hp_[\w-]{43}", text(made))
    assert send(client, path, do="revoke", token=str(ApiToken.objects.get().pk)).status_code == 302
    send(client, path, do="invite", roles=["clerk"])
    invitation = Invitation.objects.get()
    assert send(client, path, do="withdraw", invitation=str(invitation.pk)).status_code == 302
    assert send(client, path, do="identifier", scheme="LEI", value="213800KUD8LAJWSQ9D15").status_code == 302
    assert send(client, path, do="facts", name_zh="浦江汽车", country="CN", phone="nonsense").status_code == 422
    assert send(client, path, do="facts", name_zh="浦江汽车", country="CN", phone="+86 21 1234 5678").status_code == 302
    assert Organisation.objects.get(pk=city.buyer.pk).phone == "+86 21 1234 5678"


def test_a_form_sent_twice_acts_once(city: City) -> None:
    client, key = browser(city, "owner"), str(uuid7())
    for _ in range(2):
        answer = client.post(settings_of(city), {"idempotency_key": key, "do": "invite", "roles": ["clerk"]})
    assert Invitation.objects.count() == 1
    assert answer.status_code == 409


def test_who_leaves_comes_back_to_the_public_page(city: City) -> None:
    client = browser(city, "clerk")
    left = send(client, settings_of(city), do="end", person=str(city.people["clerk"].pk))
    assert left["Location"] == f"/o/{city.buyer.pk}/"


def test_an_operator_verifies_on_the_page_of_its_marketplace(city: City) -> None:
    made = acts.register_organisation(
        actor=city.actor("stranger"),
        facts=acts.organisations.rules.Facts(name={"en": "Jiangnan"}, identifiers=(("CN-USCC", CODE),)),
        now=NOW,
    )
    client, path = browser(city, "operator"), f"/m/auto/o/{made.pk}/"
    assert "Choose the code" in text(send(client, path, level="2"))
    assert send(client, path, level="2", identifiers=[str(made.identifiers.get().pk)]).status_code == 302
    assert Organisation.objects.get(pk=made.pk).verification == 2
    assert "Found in the register" in text(browser(city).get(f"/o/{made.pk}/"))
    assert send(browser(city, "rival"), path, level="0").status_code == 403
    assert Organisation.objects.get(pk=made.pk).verification == 2


def test_the_operators_page(city: City) -> None:
    client, path = browser(city, "operator"), "/m/auto/operator/"
    fields = {
        "do": "settings",
        "name_zh": "汽车市场",
        "colour": "#aa3311",
        "sectors": ["manufacturing"],
        "markets": ["tender"],
    }
    assert send(client, path, **fields, fee_percent="0.25").status_code == 302
    market = Marketplace.objects.get(slug="auto")
    assert (market.fee_ppm, market.colour, market.profile["markets"]) == (2500, "#aa3311", ["tender"])
    wrong = send(client, path, **fields, fee_percent="much")
    assert wrong.status_code == 422
    assert "no percentage" in text(wrong)
    assert "0.25 % of a trade" in text(browser(city).get("/m/auto/"))
    assert send(client, path, do="grant", username="stranger", role="operator").status_code == 302
    assert send(client, path, do="revoke", person=str(city.people["operator"].pk), role="operator").status_code == 302
    assert client.get(path).status_code == 403


def test_the_city_opens_a_marketplace(city: City) -> None:
    client = browser(city, "mayor")
    fields = {"slug": "bio", "operator": str(city.seller.pk), "name_en": "Biomedicine", "colour": "#0b5c8a"}
    assert send(client, "/marketplaces/new/", **{**fields, "slug": "Bio!"}).status_code == 422
    assert send(client, "/marketplaces/new/", **fields)["Location"] == "/m/bio/operator/"


def test_the_admin_shows_and_hides(city: City) -> None:
    person = city.people["mayor"]
    person.is_staff = person.is_superuser = True
    person.save()
    client = browser(city, "mayor")
    for table in ("organisation", "marketplace", "person", "marketplacerole", "apitoken", "invitation"):
        assert client.get(f"/admin/parties/{table}/").status_code == 200, table
    assert client.get(f"/admin/parties/organisation/{city.buyer.pk}/change/").status_code == 200
    assert client.get("/admin/parties/organisation/add/").status_code == 403
