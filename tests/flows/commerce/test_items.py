"""The catalogue by act, API and page."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from huangpu.core.errors import HuangpuError, InvalidMany, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event
from huangpu.flows.commerce import acts
from huangpu.flows.commerce.acts import ItemFacts
from huangpu.flows.commerce.models import Item
from tests.flows.funds.test_doors import client_of
from tests.flows.goods.warehouse import GTIN, NOW, Warehouse, build

API = "/api/v1/m/manufacturing/items"


@pytest.fixture
def w(db: None) -> Warehouse:  # noqa: ARG001
    return build()


def send(client: Client, path: str, body: dict[str, Any], method: str = "post") -> Any:
    call = getattr(client, method)
    return call(f"{API}{path}", body, content_type="application/json", headers={"Idempotency-Key": str(uuid7())})


def test_what_is_wrong_with_an_item_is_said_all_at_once(w: Warehouse) -> None:
    common: dict[str, Any] = {"actor": w.actor(), "marketplace_id": w.city.market.pk, "now": NOW}
    with pytest.raises(InvalidMany) as refused:
        acts.create_item(facts=ItemFacts(" ", {"en": " "}, "tonne", "123", "shipbuilding"), **common)
    codes = [one.code for one in refused.value.errors]
    assert codes == ["item.code", "item.name", "unit.invalid", "item.industry", "item.gtin"]
    with pytest.raises(HuangpuError) as taken, transaction.atomic():
        acts.create_item(facts=ItemFacts("M001", {"en": "Again"}, "TNE"), **common)
    assert taken.value.code == "item.code_taken"
    with pytest.raises(Refused):
        acts.create_item(facts=ItemFacts("M9", {"en": "X"}, "TNE"), **{**common, "actor": w.actor("auditor")})
    with pytest.raises(NotFound):
        acts.edit_item(
            item_id=w.coil.pk, facts=ItemFacts("M9", {"en": "X"}, "TNE"),
            **{**common, "actor": w.actor("owner", of=w.city.buyer)},
        )  # fmt: skip
    assert Item.objects.count() == 2
    assert [one.audience for one in Event.objects.filter(kind="commerce.item_created")] == [[w.city.seller.pk]] * 2


def test_by_api(w: Warehouse) -> None:
    client = client_of(w.keeper, w.city.seller)
    made = send(client, "", {"code": "M003", "name": {"zh-hans": "阀门"}, "unit": "C62", "gtin": GTIN[1:]}).json()
    assert (made["code"], made["gtin"]) == ("M003", GTIN[1:])
    changed = send(client, f"/{made['id']}", {"code": "M003", "name": {"en": "Valve"}, "unit": "SET"}, "put").json()
    assert (changed["name"], changed["unit"], changed["gtin"]) == ({"en": "Valve"}, "SET", "")
    assert client.get(f"{API}/{made['id']}").json() == changed
    assert [one["code"] for one in client.get(API).json()["items"]] == ["M003", "M002", "M001"]
    assert [one["code"] for one in client.get(f"{API}?q=水").json()["items"]] == ["M002"]
    neighbour = client_of(w.city.owner, w.city.buyer)
    assert neighbour.get(API).json()["items"] == []
    assert neighbour.get(f"{API}/{made['id']}").status_code == 404
    assert Client().get(API).status_code == 401


def test_by_page(w: Warehouse) -> None:
    client, pages = client_of(w.keeper, w.city.seller), "/m/manufacturing/stock/items/"
    fields = {"code": "M003", "name_zh": "阀门", "name_en": "Valve", "unit": "C62"}
    assert client.post(f"{pages}new/", {**fields, "gtin": "12", "idempotency_key": str(uuid7())}).status_code == 422
    assert client.post(f"{pages}new/", {**fields, "idempotency_key": str(uuid7())}).status_code == 302
    item = Item.objects.get(code="M003")
    assert "Valve" in client.get(f"{pages}{item.pk}/").content.decode()
    client.post(f"{pages}{item.pk}/", {**fields, "name_en": "Ball valve", "idempotency_key": str(uuid7())})
    item.refresh_from_db()
    assert item.name == {"zh-hans": "阀门", "en": "Ball valve"}
    assert "Ball valve" in client.get(f"{pages}?q=ball").content.decode()
    assert client_of(w.city.owner, w.city.buyer).get(f"{pages}{item.pk}/").status_code == 404
    auditor = client_of(w.city.owner, w.city.seller)
    assert "disabled" in auditor.get(f"{pages}{item.pk}/").content.decode()
    assert auditor.get(f"{pages}new/").status_code == 403
