"""Imported history on pages and by API; a new tender opened from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.test import Client

from huangpu.core.errors import NotFound, NotSignedIn
from huangpu.core.ids import uuid7
from huangpu.core.names import named
from huangpu.markets.history import queries
from huangpu.markets.history.files import found, take
from huangpu.markets.history.models import Procedure
from huangpu.markets.history.standards.ocds.schema import DATA
from huangpu.markets.tender.acts.from_history import open_from_history, terms_of_history
from huangpu.markets.tender.models import Line, Tender
from huangpu.markets.tender.terms import check
from huangpu.parties.actor import ANONYMOUS, SYSTEM, Actor
from huangpu.parties.models import Marketplace, Membership, Organisation, Person

from .conftest import NOW

ROOM = Path(queries.__file__).parent


@pytest.fixture
def market(city: Marketplace) -> Marketplace:
    for file in found([DATA]):
        take(file, actor=SYSTEM, marketplace_id=city.pk, clock=lambda: NOW)
    return Marketplace.objects.create(slug="auto", name=named("汽车", "Auto"), operator=city.operator)


@pytest.fixture
def buyer(market: Marketplace) -> Actor:
    organisation = Organisation.objects.create(name=named("浦江", "Pujiang"))
    person = Person.objects.create(username="buyer")
    Membership.objects.create(organisation=organisation, person=person, roles=["buyer"])
    return Actor(person.pk, organisation.pk, market.pk, frozenset({"buyer"}))


def signed_in(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_procedure_has_a_page_in_both_languages(market: Marketplace, language: str) -> None:
    client, address = Client(headers={"accept-language": language}), f"/m/{market.slug}/history/"
    listed = client.get(address).content.decode()
    assert "Стіл масажний" in listed
    assert ("历史采购" in listed) == (language == "zh-hans")
    for procedure in Procedure.objects.all():
        answer = client.get(f"{address}{procedure.pk}/")
        assert answer.status_code == 200
        text = answer.content.decode()
        assert procedure.ocid in text
        assert text.count("<h1") == 1


@pytest.mark.parametrize(
    ("asked", "ocid"),
    [
        ("масажний", "ocds-be6bcu-UA-2016-06-02-000468-c"),
        ("Перемишлян", "ocds-be6bcu-UA-2017-01-20-000582-a"),  # the buyer, by the beginning of a word
        ("ocds-ngfbwp-19733168", "ocds-ngfbwp-19733168"),
    ],
)
def test_search_finds_by_title_party_and_ocid(market: Marketplace, asked: str, ocid: str) -> None:
    assert ocid in set(queries.listing(market.pk, text=asked).values_list("ocid", flat=True))
    assert not queries.listing(market.pk, text=f"{asked} nothing-has-this").exists()


def test_filters_and_pages_of_the_api(market: Marketplace) -> None:
    assert market.slug == "auto"
    client = Client()
    first = client.get("/api/v1/m/auto/history?country=UA&limit=6").json()
    second = client.get(first["next"]).json()
    assert len(first["items"]) + len(second["items"]) == 10
    assert {item["country"] for item in first["items"]} == {"UA"}
    cancelled = client.get("/api/v1/m/auto/history?status=cancelled").json()["items"]
    assert [item["ocid"] for item in cancelled] == ["ocds-be6bcu-UA-2016-12-29-000657-c"]
    whole = client.get(f"/api/v1/m/auto/history/{cancelled[0]['id']}").json()
    assert whole["items"][0]["unit"] == "KWH"
    assert whole["awards"]
    assert whole["parties"][0]["identifiers"]
    assert client.get(f"/api/v1/m/auto/history/{uuid7()}").status_code == 404


def test_another_marketplace_sees_the_citys_history_but_not_a_neighbours(market: Marketplace) -> None:
    Procedure.objects.filter(ocid="ocds-ngfbwp-19733168").update(marketplace_id=market.pk)
    other = Marketplace.objects.create(slug="steel", name=named("钢铁"), operator=market.operator)
    assert queries.listing(market.pk).count() == 24
    assert queries.listing(other.pk).count() == 23


def test_every_procedure_can_begin_a_tender(market: Marketplace) -> None:
    for procedure in Procedure.objects.all():
        check(terms_of_history(queries.draft_of(procedure), market.currency))


def test_a_tender_opened_from_history_keeps_what_it_can(market: Marketplace, buyer: Actor) -> None:
    source = Procedure.objects.get(ocid="ocds-be6bcu-UA-2017-01-20-000582-a")
    made = open_from_history(actor=buyer, procedure_id=source.pk, marketplace=market, now=NOW)
    assert (made.stage, made.origin_id, made.currency, made.budget_minor) == ("draft", source.pk, "CNY", None)
    assert made.title == source.title
    lines = Line.objects.filter(lot__tender=made).order_by("number")
    assert [(str(line.quantity), line.unit, line.code) for line in lines] == [
        ("4301.000000", "KGM", "15810000-9"),
        ("4745.000000", "H87", "15810000-9"),
        ("1293.000000", "KGM", "15810000-9"),
    ]
    same = Marketplace.objects.create(slug="ua", name=named("基辅"), operator=market.operator, currency="UAH")
    kept = open_from_history(actor=buyer, procedure_id=source.pk, marketplace=same, now=NOW)
    assert kept.budget_minor == source.amount_minor


def test_opening_is_for_buyers_only(market: Marketplace) -> None:
    source = Procedure.objects.earliest("id")
    with pytest.raises(NotSignedIn):
        open_from_history(actor=ANONYMOUS, procedure_id=source.pk, marketplace=market, now=NOW)
    with pytest.raises(NotFound):
        open_from_history(actor=SYSTEM, procedure_id=uuid7(), marketplace=market, now=NOW)


def test_the_button_is_shown_to_a_buyer_and_leads_to_a_draft(market: Marketplace, buyer: Actor) -> None:
    assert market.slug == "auto"
    source = Procedure.objects.earliest("id")
    address = f"/m/auto/history/{source.pk}/"
    assert f"{address}tender/" not in Client().get(address).content.decode()
    client = signed_in(buyer)
    page = client.get(address).content.decode()
    assert f'action="{address}tender/"' in page
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key
    answers: list[Any] = [client.post(f"{address}tender/", {"idempotency_key": key[1]}) for _ in range(2)]
    made = Tender.objects.get()
    assert [answer["Location"] for answer in answers] == [f"/m/auto/tenders/{made.number}/"] * 2


def test_a_draft_by_api(market: Marketplace, buyer: Actor) -> None:
    assert market.slug == "auto"
    address = f"/api/v1/m/auto/history/{Procedure.objects.earliest('id').pk}/tender"
    answer = signed_in(buyer).post(address, headers={"Idempotency-Key": uuid7().hex})
    assert answer.status_code == 201, answer.content
    assert answer.json()["number"] == Tender.objects.get().number


def test_the_catalogue_is_complete() -> None:
    with (ROOM / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file)
    said = {message.id for message in catalogue if message.id}
    assert all(message.string for message in catalogue if message.id)
    source = "\n".join(path.read_text() for path in [*ROOM.rglob("*.py"), *ROOM.rglob("*.html")])
    used = set(re.findall(r'{% translate "([^"]+)"', source)) | set(re.findall(r'(?<!p)\b_\(\s*"([^"]+)"', source))
    assert used - said == set()
