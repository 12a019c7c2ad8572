"""The wallet by page and by API, for those who may and for those who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts, queries
from huangpu.flows.funds.rules import AccountSpec, Hold, Transfer
from huangpu.flows.information import references
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
        f"/api/v1/m/manufacturing/wallets/CNY/{path}",
        {"amount": amount},
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid7())},
    )


def test_the_wallet_by_api(city: City) -> None:
    client = client_of(city.owner, city.buyer)
    empty = client.get("/api/v1/m/manufacturing/wallets/CNY").json()
    assert (empty["posted"], empty["held"], empty["available"], empty["currency"]) == (0, 0, 0, "CNY")
    assert client.get("/api/v1/m/manufacturing/wallets/CNY/statement").json()["items"] == []
    for _ in range(2):
        assert send(client, "top-up", 500_000, "once").json()["posted"] == 500_000
    assert send(client, "withdraw", 100_000).status_code == 200
    refused = send(client, "withdraw", 400_001)
    assert (refused.status_code, refused.json()["code"]) == (409, "transfer.exceeds_floor")
    assert money(city, city.buyer) == (400_000, 0)
    first = client.get("/api/v1/m/manufacturing/wallets/CNY/statement?limit=1").json()
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
    key, base = str(uuid7()), "/m/manufacturing/wallet/"
    for _ in range(2):
        assert client.post(f"{base}CNY/top-up/", {"amount": "1,234.50", "idempotency_key": key}).status_code == 302
    assert money(city, city.buyer) == (123_450, 0)
    wrong = client.post(f"{base}CNY/withdraw/", {"amount": "12,3x", "idempotency_key": "a"})
    assert (wrong.status_code, "12,3x" in wrong.content.decode()) == (422, True)
    much = client.post(f"{base}CNY/withdraw/", {"amount": "2000", "idempotency_key": "b"})
    assert (much.status_code, "CN¥2,000.00 is asked for" in much.content.decode()) == (409, True)
    escrow = AccountSpec(city.market.id, "escrow", None, "CNY")
    acts.ensure_accounts([escrow])
    wallet = AccountSpec(city.market.id, "wallet", city.buyer.id, "CNY").id
    acts.post([Hold(id=uuid7(), marketplace_id=city.market.id, debit=wallet, credit=escrow.id, amount=23_450, kind="escrow",
                    reference=uuid7())])  # fmt: skip
    page = client.get(base).content.decode()
    for text in ("CN¥1,000.00", "CN¥234.50", "CN¥1,234.50", "Set aside in escrow", "Paid in from the bank"):
        assert text in page
    auditor = client_of(city.owner, city.seller).get(base).content.decode()
    assert "Nothing has moved yet" in auditor
    assert "Top up</button>" not in auditor
    assert Client().get(base).status_code in (302, 401)


def test_what_a_transfer_was_for_is_a_link(city: City) -> None:
    """A room above tells what a reference is: here a trade's number."""
    reference = uuid7()
    references.register(
        lambda ids: {id: references.Origin("PO-2026-000007", "/there/") for id in ids if id == reference}
    )
    wallet = AccountSpec(city.market.id, "wallet", city.buyer.id, "CNY")
    bank = AccountSpec(city.market.id, "bank", None, "CNY")
    acts.ensure_accounts([wallet, bank])
    acts.post([Transfer(id=uuid7(), marketplace_id=city.market.id, debit=bank.id, credit=wallet.id, amount=5, kind="payment",
                        reference=reference)])  # fmt: skip
    page = client_of(city.owner, city.buyer).get("/m/manufacturing/wallet/").content.decode()
    assert '<a href="/there/">PO-2026-000007</a>' in page
