"""Auctions by API and by page: who sees what, a bid once however often it is sent, the pass of a stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from huangpu.core import clock
from huangpu.core.ids import uuid7
from huangpu.markets.auction import acts, stream
from huangpu.markets.auction.models import Auction, Entry
from huangpu.parties.models import Membership, Person

from .conftest import OPENS, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock of the doors to so many seconds after the opening."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: OPENS + timedelta(seconds=seconds))

    set_to(0)
    return set_to


def client_of(organisation_id: UUID | None, role: str) -> Client:
    person = Person.objects.create(username=uuid7().hex)
    Membership.objects.create(organisation_id=organisation_id, person=person, roles=[role])
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def clerks(world: World) -> list[Client]:
    return [client_of(one.organisation_id, "clerk") for one in world.bidders]


def base(auction: Auction) -> str:
    return f"/api/v1/m/auto/auctions/{auction.id}"


def post(client: Client, path: str, body: Any, key: str = "") -> Any:
    return client.post(path, json.dumps(body), "application/json", HTTP_IDEMPOTENCY_KEY=key or uuid7().hex)


def test_a_bid_by_api_is_answered_once(world: World, clerks: list[Client], at: Any) -> None:
    auction = world.scheduled()
    at(5)
    answers = [post(clerks[0], f"{base(auction)}/bids", {"amount_minor": 95_000}, "one") for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert answers[0].json()["sequence"] == 1
    refused = post(clerks[0], f"{base(auction)}/bids", {"amount_minor": 95_000})
    assert (refused.status_code, refused.json()["accepted"], refused.json()["reason"]) == (200, False, "step")
    assert Entry.objects.filter(auction=auction).count() == 2  # the refused one, too
    stranger = post(client_of(world.stranger.organisation_id, "clerk"), f"{base(auction)}/bids", {"amount_minor": 1})
    assert (stranger.status_code, stranger.json()["code"]) == (403, "auction.not_a_bidder")


def test_the_time_that_counts_is_that_of_the_door(world: World, clerks: list[Client], at: Any) -> None:
    auction = world.scheduled()
    at(599.999)
    assert post(clerks[0], f"{base(auction)}/bids", {"amount_minor": 95_000}).json()["accepted"]
    other = world.scheduled()
    at(600)
    assert post(clerks[0], f"{base(other)}/bids", {"amount_minor": 95_000}).json()["reason"] == "too_late"


def test_who_sees_which_amounts(world: World, clerks: list[Client], at: Any) -> None:
    auction = world.scheduled()
    world.bid(auction, 1, 95_000, 1)
    world.bid(auction, 2, 98_000, 2)  # accepted, does not lead
    at(10)

    def amounts(client: Client) -> list[int | None]:
        return [one["amount"] for one in client.get(f"{base(auction)}/log").json()["items"]]

    buyer = client_of(world.buyer.organisation_id, "buyer")
    assert amounts(Client()) == amounts(clerks[2]) == [95_000, None]
    assert amounts(clerks[1]) == amounts(buyer) == [95_000, 98_000]
    assert Client().get(base(auction)).json()["standings"] is None
    assert clerks[0].get(base(auction)).json()["standings"] is None
    seen = buyer.get(base(auction)).json()
    assert [(one["label"], one["organisation"]) for one in seen["standings"]] == [("1", None), ("2", None), ("3", None)]
    assert clerks[1].get(base(auction)).json()["own"] == {
        "number": 2,
        "rank": 2,
        "amount": 98_000,
        "highest_next": 97_900,
        "lowest_next": 1,
    }
    acts.close(actor=world.operator, auction_id=auction.id, now=OPENS + timedelta(seconds=700))
    named = clerks[0].get(base(auction)).json()["standings"]
    assert named[1]["organisation"] == str(world.bidders[1].organisation_id)
    assert Client().get(base(auction)).json()["standings"] is None


@pytest.mark.usefixtures("at")
def test_an_auction_that_is_not_public_exists_for_its_parties_only(world: World, clerks: list[Client]) -> None:
    auction = world.scheduled(is_public=False)
    assert Client().get(base(auction)).status_code == 404
    assert Client().get(f"/m/auto/auctions/{auction.id}/").status_code == 404
    assert Client().get("/api/v1/m/auto/auctions").json()["items"] == []
    for client in (clerks[0], client_of(world.buyer.organisation_id, "auditor")):
        assert client.get(base(auction)).status_code == 200
        assert len(client.get("/api/v1/m/auto/auctions").json()["items"]) == 1


@pytest.mark.usefixtures("at")
def test_scheduling_pausing_and_cancelling_by_api(world: World) -> None:
    buyer = client_of(world.buyer.organisation_id, "buyer")
    body = {
        "subject": str(uuid7()),
        "opens_at": (OPENS + timedelta(minutes=5)).isoformat(),
        "bidders": [{"organisation": str(world.bidders[0].organisation_id), "label": "1", "start_minor": 500}],
        "rules": {"duration_s": 60, "step_minor": 5},
    }
    made = post(buyer, "/api/v1/m/auto/auctions", body)
    assert made.status_code == 201, made.content
    assert (made.json()["phase"], made.json()["rules"]["step_ppm"]) == ("scheduled", 0)
    path = f"/api/v1/m/auto/auctions/{made.json()['id']}"
    assert post(buyer, f"{path}/pause", {}).json()["phase"] == "paused"
    assert post(buyer, f"{path}/resume", {}).json()["phase"] == "scheduled"
    assert post(buyer, f"{path}/close", {}).json()["code"] == "auction.still_running"
    assert post(buyer, f"{path}/cancel", {"reason": "wrong lot"}).json()["phase"] == "cancelled"
    wrong = post(buyer, "/api/v1/m/auto/auctions", {**body, "rules": {"duration_s": 1}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "auction.rules_invalid")


@pytest.mark.usefixtures("at")
def test_a_pass_tells_who_watches_and_cannot_be_changed(world: World, clerks: list[Client]) -> None:
    auction = world.scheduled()
    url = clerks[1].get(f"{base(auction)}/stream-pass").json()["url"]
    token = url.partition("pass=")[2]
    assert stream.unseal(token) == stream.Pass(auction.id, 2, False)
    assert stream.unseal(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    open_to_all = Client().get(f"{base(auction)}/stream-pass").json()["url"].partition("pass=")[2]
    assert stream.unseal(open_to_all) == stream.Pass(auction.id, None, False)


@pytest.mark.usefixtures("at")
def test_a_bid_by_form_and_by_script(world: World, clerks: list[Client]) -> None:
    auction = world.scheduled()
    path = f"/m/auto/auctions/{auction.id}/"
    form = {"amount": "950.00", "idempotency_key": uuid7().hex}
    for _ in range(2):  # the button was pressed twice
        answer = clerks[0].post(path, form)
        assert (answer.status_code, answer["Location"]) == (302, path)
    assert Entry.objects.filter(auction=auction).count() == 1
    spoken = clerks[1].post(path, {"amount": "940", "idempotency_key": "k2"}, HTTP_ACCEPT="application/json").json()
    assert (spoken["sequence"], spoken["accepted"], spoken["rank"]) == (2, True, 1)
    wrong = clerks[1].post(path, {"amount": "9,3x", "idempotency_key": "k3"})
    assert wrong.status_code == 422
    assert "9,3x" in wrong.content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_view_of_the_room_renders(world: World, clerks: list[Client], at: Any, language: str) -> None:
    auction = world.scheduled(budget_minor=120_000)
    world.bid(auction, 1, 95_000, 1)
    at(10)
    for client in (Client(), clerks[0], client_of(world.buyer.organisation_id, "buyer")):
        for path in (f"/m/auto/auctions/{auction.id}/", "/m/auto/auctions/"):
            page = client.get(path, HTTP_ACCEPT_LANGUAGE=language)
            assert page.status_code == 200
            assert ("当前最低价" if language == "zh-hans" else "Leading price") in page.content.decode()
            assert "style=" not in page.content.decode()
