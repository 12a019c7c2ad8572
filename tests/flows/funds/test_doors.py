"""The wallet by page and by API, for those who may and for those who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts, queries
from huangpu.flows.funds.rules import AccountSpec, Hold
from huangpu.parties.middleware import SESSION_KEY
from huangpu.parties.models import Organisation, Person
from tests.small_city import City, found

pytestmark = pytest.mark.django_db


@pytest.fixture
def city(db: None) -> City:  # noqa: ARG001
    return found()


def client_of(person: Person, organisation: Organisation | None) -> Client:
    client = Client()
    client.force_login(person)
    if organisation:
        session = client.session
        session[SESSION_KEY] = str(organisation.pk)
        session.save()
    return client


def money(city: City, organisation: Organisation) -> tuple[int, int]:
    wallet = queries.wallet(city.market.id, organisation.id, "CNY")
    return wallet.available, wallet.held


def send(client: Client, path: str, amount: Any, key: str = "") -> Any:
    return client.post(
        f"/api/v1/m/manufacturing/wallet/{path}",
        {"amount": amount},
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid7())},
    )


def test_the_wallet_by_api(city: City) -> None:
    client = client_of(city.owner, city.buyer)
    empty = client.get("/api/v1/m/manufacturing/wallet").json()
    assert (empty["balance"], empty["held"], empty["available"], empty["currency"]) == (0, 0, 0, "CNY")
    assert client.get("/api/v1/m/manufacturing/wallet/transfers").json()["items"] == []
    for _ in range(2):
        assert send(client, "top-up", 500_000, "once").json()["wallet"]["balance"] == 500_000
    assert send(client, "withdraw", 100_000).status_code == 200
    refused = send(client, "withdraw", 400_001)
    assert (refused.status_code, refused.json()["code"]) == (409, "transfer.exceeds_floor")
    assert money(city, city.buyer) == (400_000, 0)
    first = client.get("/api/v1/m/manufacturing/wallet/transfers?limit=1").json()
    assert (first["items"][0]["kind"], first["items"][0]["posted"], first["items"][0]["balance"]) == (
        "withdrawal", -100_000, 400_000,
    )  # fmt: skip
    rest = client.get(first["next"]).json()
    assert [line["kind"] for line in rest["items"]] == ["top_up"]
    for wrong in (0, -5, 2**53, "much", 1.5):
        assert send(client, "top-up", wrong).status_code == 422


@pytest.mark.parametrize("path", ["top-up", "withdraw"])
def test_who_may_not_move_money(city: City, path: str) -> None:
    assert send(Client(), path, 1).status_code == 401
    assert send(client_of(city.owner, city.seller), path, 1).status_code == 403  # an auditor there
    assert send(client_of(city.operator, None), path, 1).status_code == 403


def test_the_books_are_the_operators(city: City) -> None:
    send(client_of(city.owner, city.buyer), "top-up", 700)
    books = client_of(city.operator, None).get("/api/v1/m/manufacturing/books").json()
    assert {(book["book"], book["posted_debit"], book["posted_credit"]) for book in books} == {
        ("bank", 700, 0), ("wallet", 0, 700),
    }  # fmt: skip
    assert client_of(city.owner, city.buyer).get("/api/v1/m/manufacturing/books").status_code == 403
    assert "¥7.00" in client_of(city.operator, None).get("/m/manufacturing/books/").content.decode()
    assert client_of(city.owner, city.buyer).get("/m/manufacturing/books/").status_code == 403


def test_the_wallet_page_tops_up_and_says_what_is_wrong(city: City) -> None:
    client = client_of(city.owner, city.buyer)
    key = str(uuid7())
    for _ in range(2):
        form = {"amount": "1,234.50", "act": "top_up", "idempotency_key": key}
        assert client.post("/m/manufacturing/wallet/move/", form).status_code == 302
    assert money(city, city.buyer) == (123_450, 0)
    wrong = client.post("/m/manufacturing/wallet/move/", {"amount": "12,3x", "act": "withdraw", "idempotency_key": "a"})
    assert wrong.status_code == 422
    assert "12,3x" in wrong.content.decode()
    much = client.post("/m/manufacturing/wallet/move/", {"amount": "2000", "act": "withdraw", "idempotency_key": "b"})
    assert much.status_code == 409
    assert "CN¥2,000.00 is asked for" in much.content.decode()
    acts.ensure_accounts([AccountSpec(city.market.id, "escrow", None, "CNY")])
    escrow = AccountSpec(city.market.id, "escrow", None, "CNY").id
    wallet = AccountSpec(city.market.id, "wallet", city.buyer.id, "CNY").id
    acts.post([Hold(id=uuid7(), marketplace_id=city.market.id, debit=wallet, credit=escrow, amount=23_450, kind="escrow",
                    reference=uuid7())])  # fmt: skip
    page = client.get("/m/manufacturing/wallet/").content.decode()
    for text in ("CN¥1,000.00", "CN¥234.50", "CN¥1,234.50", "Held in escrow", "Topped up from the bank"):
        assert text in page
    auditor = client_of(city.owner, city.seller).get("/m/manufacturing/wallet/").content.decode()
    assert "No movements yet" in auditor
    assert "Top up</button>" not in auditor
    assert Client().get("/m/manufacturing/wallet/").status_code == 302
