"""Who is acting: from the session, from a token, and where."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from huangpu.core.errors import NotSignedIn, Refused
from huangpu.core.web.api import Api
from huangpu.parties.middleware import SESSION_KEY
from huangpu.parties.models import ApiToken, MarketplaceRole, Membership
from huangpu.parties.queries import actor_for, actor_for_token, secret_hash
from huangpu.parties.tokens import AUTH

from .conftest import NOW, City

api = Api(urls_namespace="parties-test", auth=AUTH)


@api.get("/me")
def me(request: Any) -> dict[str, Any]:
    return {"organisation": str(request.actor.organisation_id), "roles": sorted(request.actor.roles)}


@api.get("/m/{slug}/me")
def me_there(request: Any, slug: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "marketplace": str(request.actor.marketplace_id),
        "office": sorted(request.actor.market_roles),
    }


@api.post("/me")
def change(request: Any) -> dict[str, Any]:
    return {"done": request.actor.person_id is not None}


def page(request: Any, slug: str = "") -> HttpResponse:
    return HttpResponse(
        f"{request.marketplace.slug if request.marketplace else slug or '-'} {request.actor.organisation_id}"
    )


urlpatterns = [path("api/v1/", api.urls), path("m/<slug>/", page), path("", page)]
pytestmark = pytest.mark.urls(__name__)


def token(city: City, name: str = "buyer", roles: tuple[str, ...] = ("buyer",), secret: str = "hp_test") -> ApiToken:
    return ApiToken.objects.create(
        organisation=city.buyer,
        marketplace=city.market,
        created_by=city.people[name],
        name="test",
        roles=list(roles),
        secret_hash=secret_hash(secret),
    )


def test_a_person_acts_for_the_first_organisation_until_another_is_chosen(city: City) -> None:
    Membership.objects.create(organisation=city.seller, person=city.people["buyer"], roles=["clerk"])
    first = city.actor("buyer")
    assert (first.organisation_id, first.roles) == (city.buyer.pk, {"buyer"})
    second = city.actor("buyer", city.seller)
    assert (second.organisation_id, second.roles) == (city.seller.pk, {"clerk"})


def test_an_organisation_that_is_not_ones_own_gives_nothing(city: City) -> None:
    assert city.actor("buyer", city.seller).organisation_id == city.buyer.pk
    assert city.actor("stranger", city.seller).organisation_id is None
    assert city.actor("stranger", city.seller).roles == frozenset()


def test_an_ended_membership_and_a_closed_account_give_nothing(city: City) -> None:
    Membership.objects.filter(person=city.people["clerk"]).update(ended_at=NOW)
    assert city.actor("clerk").organisation_id is None
    city.people["finance"].is_active = False
    city.people["finance"].save()
    assert city.actor("finance").person_id is None


def test_offices_count_where_they_are_held(city: City) -> None:
    assert city.actor("operator", market=city.market).market_roles == {"operator"}
    assert city.actor("operator", market=city.other_market).market_roles == frozenset()
    assert city.actor("operator").city_roles == frozenset()
    assert city.actor("mayor", market=city.market).market_roles == frozenset()
    assert city.actor("mayor").city_roles == {"operator"}
    assert city.actor("regulator").city_roles == {"regulator"}


def test_who_acts_is_one_statement(city: City, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        actor_for(person_id=city.people["buyer"].pk, organisation_id=city.buyer.pk, marketplace_id=city.market.pk)


def test_a_token_never_has_more_than_its_maker_has_now(city: City) -> None:
    token(city, roles=("buyer", "finance", "operator"))
    assert actor_for_token("hp_test", marketplace_id=None).actor.roles == {"buyer"}
    Membership.objects.filter(person=city.people["buyer"]).update(roles=["owner"])
    assert actor_for_token("hp_test", marketplace_id=None).actor.roles == {"buyer", "finance"}
    assert actor_for_token("hp_test", marketplace_id=None).actor.market_roles == frozenset()
    MarketplaceRole.objects.create(marketplace=city.market, person=city.people["buyer"], role="operator")
    assert actor_for_token("hp_test", marketplace_id=None).actor.market_roles == {"operator"}


@pytest.mark.parametrize("secret", ["", "hp_", "hp_other", "test", "hp_test "])
def test_an_unknown_token_is_nobody(city: City, secret: str) -> None:
    token(city)
    with pytest.raises(NotSignedIn) as refused:
        actor_for_token(secret, marketplace_id=None)
    assert refused.value.code == "token.unknown"


def test_a_token_ends_with_its_revocation_its_makers_membership_and_account(city: City) -> None:
    made = token(city)
    ends: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
        (ApiToken.objects.filter(pk=made.pk), {"revoked_at": NOW}, {"revoked_at": None}),
        (Membership.objects.filter(person=city.people["buyer"]), {"ended_at": NOW}, {"ended_at": None}),
        (type(city.people["buyer"]).objects.filter(username="buyer"), {"is_active": False}, {"is_active": True}),
    ]
    for rows, end, again in ends:
        rows.update(**end)
        with pytest.raises(NotSignedIn):
            actor_for_token("hp_test", marketplace_id=None)
        rows.update(**again)
        assert actor_for_token("hp_test", marketplace_id=None).actor.organisation_id == city.buyer.pk


def test_a_token_is_bound_to_its_marketplace(city: City, client: Client) -> None:
    token(city)
    with pytest.raises(Refused) as refused:
        actor_for_token("hp_test", marketplace_id=city.other_market.pk)
    assert refused.value.code == "token.other_marketplace"
    header = {"Authorization": "Bearer hp_test"}
    there = client.get("/api/v1/m/steel/me", headers=header)
    assert (there.status_code, there.json()["code"]) == (403, "token.other_marketplace")
    here = client.get("/api/v1/m/auto/me", headers=header)
    assert (here.status_code, here.json()["marketplace"]) == (200, str(city.market.pk))
    assert client.get("/api/v1/me", headers=header).json() == {"organisation": str(city.buyer.pk), "roles": ["buyer"]}


@pytest.mark.parametrize("header", ["Bearer hp_wrong", "Bearer", "Basic aaa", "hp_test"])
def test_the_api_refuses_what_is_no_token_even_beside_a_session(city: City, client: Client, header: str) -> None:
    token(city)
    client.force_login(city.people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/v1/me", headers={"Authorization": header}).status_code == 401


def test_the_api_takes_a_session_and_asks_for_its_csrf_token_to_change(city: City) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.get("/api/v1/me").json()["organisation"] == "None"  # a visitor may read
    assert browser.post("/api/v1/me", headers={"Idempotency-Key": "0"}).status_code == 401
    browser.force_login(city.people["buyer"], backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/api/v1/me").json()["roles"] == ["buyer"]
    assert browser.post("/api/v1/me", headers={"Idempotency-Key": "1"}).status_code == 403
    browser.cookies["csrftoken"] = "a" * 32
    assert browser.post("/api/v1/me", headers={"X-CSRFToken": "a" * 32, "Idempotency-Key": "2"}).status_code == 200


def test_a_token_needs_no_csrf_token(city: City) -> None:
    token(city)
    machine = Client(enforce_csrf_checks=True)
    header = {"Authorization": "Bearer hp_test", "Idempotency-Key": "1"}
    assert machine.post("/api/v1/me", headers=header).json() == {"done": True}


def test_pages_know_marketplace_and_organisation(city: City, client: Client) -> None:
    client.force_login(city.people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/m/auto/").content.decode() == f"auto {city.buyer.pk}"
    assert client.get("/").content.decode() == f"- {city.buyer.pk}"
    assert client.get("/m/nowhere/").status_code == 404
    assert client.get("/api/v1/m/nowhere/me").status_code == 404


def test_a_broken_session_does_no_harm(city: City, client: Client) -> None:
    client.force_login(city.people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[SESSION_KEY] = "no uuid"
    session.save()
    assert client.get("/").content.decode() == f"- {city.buyer.pk}"


def test_a_page_does_not_listen_to_tokens(city: City, client: Client) -> None:
    token(city)
    assert client.get("/", headers={"Authorization": "Bearer hp_test"}).content.decode() == "- None"
