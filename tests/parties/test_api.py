"""The API of parties, by session and by token."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from huangpu.core.ids import uuid7
from huangpu.parties import gb32100
from huangpu.parties.models import ApiToken, MarketplaceRole, Membership, Organisation

from .conftest import City

CODE = gb32100.make(Random(3))
NEW = {"name": {"zh-hans": "江南造船", "en": "Jiangnan"}, "identifiers": [{"scheme": "cn-uscc", "value": CODE}]}
SETTINGS = {"name": {"en": "Biomedicine"}, "fee_ppm": 3000}


class Caller:
    """One person's or one token's calls."""

    def __init__(self, city: City, who: str = "", token: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if who:
            self.client.force_login(city.people[who], backend="django.contrib.auth.backends.ModelBackend")

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {**self.headers, "Idempotency-Key": str(uuid7())}
        call = getattr(self.client, method)
        answer = (
            call(f"/api/v1/{path}", body, content_type="application/json", headers=headers)
            if body is not None
            else call(f"/api/v1/{path}", headers=headers)
        )
        return answer.status_code, answer.json() if answer.content else None


def test_who_am_i(city: City) -> None:
    status, mine = Caller(city, "buyer")("get", "me")
    assert (status, mine["username"], mine["roles"]) == (200, "buyer", ["buyer"])
    assert mine["organisation"] == str(city.buyer.pk)
    status, nobody = Caller(city)("get", "me")
    assert (status, nobody["person"], nobody["roles"]) == (200, None, [])


def test_an_organisation_from_registration_to_verification(city: City) -> None:
    stranger = Caller(city, "stranger")
    status, made = stranger("post", "organisations", NEW)
    assert (status, made["identifiers"][0]["value"], made["verification"]) == (201, CODE, 0)
    status, found = Caller(city)("get", "organisations?q=造船")
    assert (status, [one["id"] for one in found["items"]]) == (200, [made["id"]])
    status, wrong = stranger(
        "post", f"organisations/{made['id']}/identifiers", {"scheme": "CN-USCC", "value": CODE[:-1] + "O"}
    )
    assert (status, wrong["code"], wrong["field"]) == (422, "identifier.character", "value")
    facts = {"name": NEW["name"], "phone": "+86 21 5888 1234"}
    status, edited = stranger("put", f"organisations/{made['id']}", facts)
    assert (status, edited["phone"]) == (200, "+86 21 5888 1234")
    found_code = {"level": 2, "identifiers": [made["identifiers"][0]["id"]]}
    assert stranger("post", f"organisations/{made['id']}/verification", found_code)[0] == 403
    status, verified = Caller(city, "mayor")("post", f"organisations/{made['id']}/verification", found_code)
    assert (status, verified["verification"]) == (200, 2)
    assert verified["identifiers"][0]["verified_at"]


def test_members_by_invitation_and_by_hand(city: City) -> None:
    owner, path = Caller(city, "owner"), f"organisations/{city.buyer.pk}"
    status, invitation = owner("post", f"{path}/invitations", {"roles": ["clerk"]})
    assert status == 201
    status, joined = Caller(city, "stranger")("post", "invitations/accept", {"secret": invitation["secret"]})
    assert (status, joined["roles"]) == (200, ["clerk"])
    person = joined["person"]
    assert owner("put", f"{path}/members/{person}", {"roles": ["finance"]})[1]["roles"] == ["finance"]
    assert owner("delete", f"{path}/members/{person}")[0] == 204
    assert owner("post", f"{path}/members", {"person": person, "roles": ["auditor"]})[0] == 201
    status, members = owner("get", f"{path}/members")
    assert (status, members[-1]["username"], members[-1]["roles"]) == (200, "stranger", ["auditor"])
    assert Caller(city, "rival")("get", f"{path}/members")[0] == 403
    status, wrong = owner("delete", f"{path}/members/{city.people['owner'].pk}")
    assert (status, wrong["code"]) == (409, "parties.last_owner")


def test_a_token_is_shown_once_and_used(city: City) -> None:
    owner = Caller(city, "owner")
    status, made = owner("post", "m/auto/tokens", {"name": "ERP", "roles": ["buyer"]})
    assert (status, made["marketplace"], made["roles"]) == (201, "auto", ["buyer"])
    machine = Caller(city, token=made["secret"])
    assert machine("get", "me")[1]["roles"] == ["buyer"]
    status, more = machine("post", "m/auto/tokens", {"name": "More", "roles": ["owner"]})
    assert (status, more["code"]) == (422, "token.more_than_own")
    assert machine("post", "m/steel/tokens", {"name": "There", "roles": ["buyer"]})[0] == 403
    status, listed = machine("get", "tokens")
    assert [one["name"] for one in listed] == ["ERP"]
    assert "secret" not in listed[0]
    assert owner("delete", f"tokens/{made['id']}")[0] == 204
    assert machine("get", "me")[0] == 401


def test_the_answer_with_a_secret_is_not_kept(city: City) -> None:
    owner = Client()
    owner.force_login(city.people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    call = lambda: owner.post(  # noqa: E731
        "/api/v1/m/auto/tokens",
        {"name": "ERP", "roles": ["buyer"]},
        content_type="application/json",
        headers={"Idempotency-Key": "same"},
    )
    first, second = call(), call()
    assert (first.status_code, first["Cache-Control"]) == (201, "no-store")
    assert second.json()["code"] == "idempotency.answer_not_kept"
    assert ApiToken.objects.count() == 1


def test_marketplaces_are_opened_and_configured(city: City) -> None:
    mayor = Caller(city, "mayor")
    status, made = mayor("post", "marketplaces", {**SETTINGS, "slug": "bio", "operator": str(city.seller.pk)})
    assert (status, made["slug"], made["operator"]) == (201, "bio", str(city.seller.pk))
    office = {"person": str(city.people["stranger"].pk), "role": "operator"}
    assert mayor("post", "m/bio/offices", office)[0] == 204
    operator = Caller(city, "stranger")
    assert operator("put", "m/bio", {**SETTINGS, "fee_ppm": 1000})[1]["fee_ppm"] == 1000
    assert operator("put", "m/auto", SETTINGS)[0] == 403
    status, wrong = operator("delete", f"m/bio/offices/operator/{office['person']}")
    assert (status, wrong["code"]) == (409, "marketplace.last_operator")
    status, listed = Caller(city)("get", "marketplaces")
    assert [one["slug"] for one in listed["items"]] == ["bio", "steel", "auto"]
    assert Caller(city)("get", "m/bio")[1]["name"] == {"en": "Biomedicine"}


READS = ["me", "organisations", "organisations/{buyer}", "marketplaces", "m/auto"]
CLOSED_READS = {
    "organisations/{buyer}/members": {"owner", "buyer", "mayor", "regulator"},
    "tokens": {"owner", "buyer", "rival"},
}
WRITES: dict[str, tuple[str, Any, set[str]]] = {
    "organisations": ("post", NEW, {"owner", "buyer", "rival", "stranger", "operator", "mayor", "regulator"}),
    "organisations/{buyer}": ("put", {"name": {"en": "N"}}, {"owner"}),
    "organisations/{buyer}/identifiers": ("post", {"scheme": "XX", "value": "1"}, {"owner"}),
    "organisations/{buyer}/verification": ("post", {"level": 0}, {"mayor"}),
    "m/auto/organisations/{buyer}/verification": ("post", {"level": 0}, {"operator", "mayor"}),
    "organisations/{buyer}/members": ("post", {"person": "{rival}", "roles": ["clerk"]}, {"owner"}),
    "organisations/{buyer}/invitations": ("post", {"roles": ["clerk"]}, {"owner"}),
    "m/auto/tokens": ("post", {"name": "T", "roles": ["buyer"]}, {"owner", "buyer", "rival"}),
    "marketplaces": ("post", {**SETTINGS, "slug": "bio", "operator": "{rival_house}"}, {"mayor"}),
    "m/auto": ("put", SETTINGS, {"operator", "mayor"}),
    "m/auto/offices": ("post", {"person": "{rival}", "role": "arbiter"}, {"operator", "mayor"}),
}
WHO = ["owner", "buyer", "rival", "stranger", "operator", "mayor", "regulator", ""]


def filled(city: City, given: Any) -> Any:
    if isinstance(given, dict):
        return {key: filled(city, value) for key, value in given.items()}
    if isinstance(given, str):
        given = given.replace("{buyer}", str(city.buyer.pk)).replace("{rival}", str(city.people["rival"].pk))
        return given.replace("{rival_house}", str(city.seller.pk))
    return given


@pytest.mark.parametrize("who", WHO)
def test_each_endpoint_is_open_to_whom_the_matrix_says(city: City, who: str) -> None:
    for path in READS:
        assert Caller(city, who)("get", filled(city, path))[0] == 200, path
    for path, allowed in CLOSED_READS.items():
        status = Caller(city, who)("get", filled(city, path))[0]
        assert status == (200 if who in allowed else 401 if not who else 403), path
    for path, (method, body, allowed) in WRITES.items():
        status, answer = Caller(city, who)(method, filled(city, path), filled(city, body))
        assert status in ((200, 201, 204) if who in allowed else (401,) if not who else (403,)), (path, answer)
        if path == "organisations" and status == 201:  # so that the next call still acts for the same one
            Membership.objects.filter(organisation_id=UUID(answer["id"])).delete()
            Organisation.objects.filter(pk=answer["id"]).delete()


def test_what_does_not_exist_is_404(city: City) -> None:
    owner, no = Caller(city, "owner"), uuid7()
    assert owner("get", f"organisations/{no}")[0] == 404
    assert owner("delete", f"tokens/{no}")[0] == 404
    assert owner("delete", f"invitations/{no}")[0] == 404
    assert owner("put", f"organisations/{city.buyer.pk}/members/{no}", {"roles": ["clerk"]})[0] == 404
    MarketplaceRole.objects.all().delete()
    assert Caller(city, "mayor")("get", "m/nowhere")[0] == 404
