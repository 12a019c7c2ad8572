"""Payments by API, from the request to the day's bill."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from huangpu.core.ids import uuid7
from huangpu.parties import acts as parties
from huangpu.payments.operations.models import Operation
from tests.payments.checkout.conftest import NOW, Shop
from tests.waiting_jobs import run_jobs

M = "/api/v1/m/manufacturing"


@pytest.fixture
def call(shop: Shop) -> Any:
    """A call in the name of the payee, or of the payer."""
    tokens = {
        who: parties.create_token(
            actor=replace(actor, roles=frozenset({"owner", *roles})),
            name="t",
            marketplace_id=shop.city.market.pk,
            roles=roles,
            now=NOW,
        )
        for who, actor, roles in (("payee", shop.payee, ["clerk", "finance"]), ("payer", shop.payer, ["owner"]))
    }

    def ask(method: str, path: str, body: Any = None, who: str = "payee", key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {tokens[who][1]}", "Idempotency-Key": key or str(uuid7())}
        text = "" if body is None else json.dumps(body)
        return Client().generic(method, M + path, text, "application/json", headers=headers)

    return ask


def test_from_the_request_to_the_bill(shop: Shop, call: Any) -> None:
    shop.fill_wallet(10_000)
    body = {"title": "台灯 Lamps", "amount": 2_580, "reference": "A-1", "back": "https://shop.example/a-1"}
    key = str(uuid7())
    made = call("POST", "/checkouts", body, key=key)
    assert (made.status_code, made.json()["state"]) == (201, "open")
    assert call("POST", "/checkouts", body, key=key).json() == made.json()
    assert call("POST", "/checkouts", body).json()["code"] == "checkout.reference_used"
    id = made.json()["id"]
    assert Client().get(made.json()["link"]).status_code == 200
    assert call("POST", f"/checkouts/{id}/pay", who="payer").json()["state"] == "paying"
    run_jobs()
    paid = call("GET", f"/checkouts/{id}").json()
    assert paid["state"] == "paid"
    payment = call("GET", f"/payments/{paid['payment']}").json()
    assert (payment["captured"], [one["verb"] for one in payment["operations"]]) == (2_580, ["purchase"])
    back = call("POST", f"/payments/{payment['id']}/refunds", {"amount": 80})
    assert (back.status_code, back.json()["state"]) == (201, "asked")
    run_jobs()
    assert call("POST", f"/payments/{payment['id']}/refunds", {"amount": 2_501}).json()["code"] == "payment.exhausted"
    assert shop.wallet(shop.payer) == 10_000 - 2_500
    day = call("GET", "/takings").json()[-1]
    assert (day["captured"], day["refunded"], day["net"]) == (2_580, 80, 2_500)

    bill = call("GET", f"/takings/{day['day']}/bill")
    digest = base64.b64encode(hashlib.sha256(bill.content).digest()).decode()
    assert bill["Repr-Digest"] == f"sha-256=:{digest}:"
    lines = list(csv.DictReader(io.StringIO(bill.content.decode())))
    assert [(line["verb"], line["amount"], line["reference"]) for line in lines] == [
        ("purchase", "2580", "A-1"), ("refund", "-80", "A-1"),
    ]  # fmt: skip
    assert call("GET", "/takings?first=2026-01-02&last=2026-01-01").json()["code"] == "takings.days"


def test_a_bill_is_of_the_marketplaces_day(shop: Shop, call: Any) -> None:
    """What ended a second before midnight in Shanghai is on that day's bill, not on the next."""
    shop.fill_wallet(10_000)
    made = call("POST", "/checkouts", {"title": "x", "amount": 5}).json()
    call("POST", f"/checkouts/{made['id']}/pay", who="payer")
    run_jobs()
    zone = ZoneInfo("Asia/Shanghai")
    midnight = NOW.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for ended, lines in ((midnight, 1), (midnight - timedelta(seconds=1), 0)):
        Operation.objects.update(ended_at=ended)
        assert call("GET", f"/takings/{midnight.date()}/bill").content.count(b"\n") == 1 + lines


def test_what_is_wrong_is_told_with_its_field(call: Any) -> None:
    for body, field in (
        ({"title": "", "amount": 5}, "title"),
        ({"title": "x", "amount": 0}, "amount"),
        ({"title": "x", "amount": 1.5}, "amount"),
        ({"title": "x", "amount": 5, "currency": "XXX-"}, "currency"),
        ({"title": "x", "amount": 5, "channel": "pos"}, "channel"),
        ({"title": "x", "amount": 5, "minutes_open": 0}, "minutes_open"),
        ({"title": "x", "amount": 5, "back": "javascript:x"}, "back"),
    ):
        answer = call("POST", "/checkouts", body)
        fields = {answer.json().get("field"), *(one["field"] for one in answer.json().get("errors", []))}
        assert answer.status_code == 422, body
        assert any(field in (one or "") for one in fields), (body, answer.json())
    assert call("GET", f"/checkouts/{uuid7()}").json()["code"] == "checkout.unknown"
    assert call("POST", f"/payments/{uuid7()}/refunds", {"amount": 1}).json()["code"] == "payment.unknown"
