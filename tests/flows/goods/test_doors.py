"""The warehouse by API and by page, for those who may and for those who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from huangpu.core.ids import uuid7
from huangpu.flows.goods import acts
from huangpu.flows.goods.models import Place, Shipment, Stock
from huangpu.parties.models import Membership
from tests.flows.funds.test_doors import client_of
from tests.flows.goods.test_delivered_lots import concluded, do, ordinal_of, w  # noqa: F401
from tests.flows.goods.warehouse import NOW, D, Warehouse

API, PAGES = "/api/v1/m/manufacturing", "/m/manufacturing/stock"


@pytest.fixture
def keeper(w: Warehouse) -> Client:  # noqa: F811
    return client_of(w.keeper, w.city.seller)


def send(client: Client, path: str, body: dict[str, Any], method: str = "post") -> Any:
    call = getattr(client, method)
    return call(f"{API}/{path}", body, content_type="application/json", headers={"Idempotency-Key": str(uuid7())})


def posted(client: Client, path: str, **fields: str) -> Any:
    return client.post(f"{PAGES}/{path}", {"idempotency_key": str(uuid7()), **fields})


def test_a_warehouse_by_api(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    made = send(keeper, "places", {"code": "W9", "name": {"en": "Depot"}}).json()
    renamed = send(keeper, f"places/{made['id']}", {"code": "W9", "name": {"zh-hans": "九号库"}}, "put").json()
    assert renamed["name"] == {"zh-hans": "九号库"} == keeper.get(f"{API}/places/{made['id']}").json()["name"]
    assert [one["code"] for one in keeper.get(f"{API}/places").json()["items"]] == ["W9", "S1", "W1"]
    (stock,) = send(
        keeper, "stock", {"place": made["id"], "item": str(w.coil.pk), "quantity": "12.5", "lot": "L1"}
    ).json()
    assert (stock["on_hand"], stock["free"], stock["unit"], stock["item_code"], stock["lot"]) == (
        "12.5",
        "12.5",
        "TNE",
        "M001",
        "L1",
    )
    at = f"stock/{stock['id']}"
    assert send(keeper, f"{at}/count", {"counted": "12"}).json()["on_hand"] == "12"
    assert send(keeper, f"{at}/write-off", {"quantity": "0.5", "reason": "damaged"}).json()["on_hand"] == "11.5"
    moved = send(keeper, f"{at}/relocate", {"to_place": str(w.yard.pk), "quantity": "1.5"}).json()
    assert (moved["place_code"], moved["on_hand"]) == ("W1", "1.5")
    assert keeper.get(f"{API}/{at}").json()["on_hand"] == "10"
    pieces = {"place": made["id"], "item": str(w.pump.pk), "quantity": "2", "serials": ["A1", "A2"]}
    assert send(keeper, "stock", pieces).status_code == 200
    assert send(keeper, "stock", pieces).json()["code"] == "serial.elsewhere"
    for query, count in (("", 4), ("?lot=L1", 2), ("?serial=A2", 1), ("?q=pump", 2), ("?q=卷", 2),
                         ("?q=A1", 1), ("?state=reserved", 0),
                         (f"?place={made['id']}", 3), (f"?item={w.coil.pk}", 2), ("?state=free", 4)):  # fmt: skip
        assert len(keeper.get(f"{API}/stock{query}").json()["items"]) == count, query
    kinds = [one["kind"] for one in keeper.get(f"{API}/movements").json()["items"]]
    assert kinds == ["taken_in", "taken_in", "relocated", "adjusted", "adjusted", "taken_in"]
    lost = keeper.get(f"{API}/movements?stock={stock['id']}").json()["items"][1]
    assert (lost["reason"], lost["quantity"], lost["from_place"], lost["to_place"]) == ("damaged", "0.5", "W9", None)


def test_movements_come_page_by_page(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    for n in range(1, 6):
        w.take_in(w.coil, str(n))
    seen, path = [], f"{API}/movements?limit=2"
    while path:
        page = keeper.get(path).json()
        seen += [one["quantity"] for one in page["items"]]
        path = page["next"]
    assert seen == ["5", "4", "3", "2", "1"]


def test_a_delivery_by_api_names_its_pieces_and_shows_as_a_shipment(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    w.take_in(w.pump, "3", serials=("A1", "A2", "A3"))
    trade = concluded(w, "2", w.pump)
    ordinal = ordinal_of(trade, "deliver")
    lots = [{"commitment": ordinal, "serials": ["A1", "A3"], "from_place": str(w.yard.pk)}]
    Membership.objects.filter(person=w.keeper).update(roles=["warehouse", "clerk"])
    told = {"parts": [{"ordinal": ordinal}], "lots": lots, "details": {"carrier": "顺丰", "tracking": "SF1"}}
    assert send(keeper, f"trades/{trade.number}/perform", told).status_code == 200
    (shipment,) = keeper.get(f"{API}/shipments").json()["items"]
    assert shipment["lines"][0]["lots"] == [{"lot": "", "serial": one, "quantity": "1"} for one in ("A1", "A3")]
    buyer = client_of(w.city.owner, w.city.buyer)
    assert buyer.get(f"{API}/shipments/{shipment['id']}").json() == shipment
    page = buyer.get(f"{PAGES}/shipments/{shipment['id']}/").content.decode()
    assert "A3" in page
    assert f"/trades/{trade.number}/" in page
    assert {one["serial"] for one in buyer.get(f"{API}/stock?state=inspecting").json()["items"]} == {"A1", "A3"}
    assert [one["kind"] for one in buyer.get(f"{API}/movements").json()["items"]] == ["received", "received"]
    assert [one["kind"] for one in keeper.get(f"{API}/movements").json()["items"]][:2] == ["delivered", "delivered"]
    assert trade.number in buyer.get(f"{PAGES}/shipments/").content.decode()


READS = ("places", "stock", "movements", "shipments", "epcis")


def test_who_may_read_and_who_may_write(w: Warehouse) -> None:  # noqa: F811
    coil = w.take_in(w.coil, "10")
    doings = (
        ("places", {"code": "X", "name": {"en": "X"}}, "post"),
        (f"places/{w.yard.pk}", {"code": "X", "name": {"en": "X"}}, "put"),
        ("stock", {"place": str(w.yard.pk), "item": str(w.coil.pk), "quantity": "1"}, "post"),
        (f"stock/{coil.id}/count", {"counted": "1"}, "post"), (f"stock/{coil.id}/write-off", {"quantity": "1"}, "post"),
        (f"stock/{coil.id}/relocate", {"quantity": "1", "to_place": str(w.shop.pk)}, "post"),
    )  # fmt: skip
    for role, reads, writes in (("warehouse", 200, 200), ("owner", 200, 200), ("auditor", 200, 403), ("clerk", 200, 403),
                                ("finance", 403, 403), ("buyer", 403, 403)):  # fmt: skip
        Membership.objects.filter(person=w.keeper).update(roles=[role])
        client = client_of(w.keeper, w.city.seller)
        assert {client.get(f"{API}/{path}").status_code for path in READS} == {reads}, role
        assert client.get(f"{PAGES}/").status_code == reads
        if writes == 403:
            assert {send(client, *one).status_code for one in doings} == {403}, role
    neighbour = client_of(w.city.owner, w.city.buyer)
    for path in (f"places/{w.yard.pk}", f"stock/{coil.id}"):
        assert neighbour.get(f"{API}/{path}").status_code == 404
    for path in (f"{coil.id}/", f"places/{w.yard.pk}/"):
        assert neighbour.get(f"{PAGES}/{path}").status_code == 404
    assert {send(neighbour, *one).status_code for one in doings[1:]} == {404, 422}
    assert neighbour.get(f"{API}/stock").json()["items"] == []
    assert neighbour.get(f"{API}/movements").json()["items"] == []
    assert Client().get(f"{API}/stock").status_code == 401
    assert w.on_hand(coil) == 10


def test_a_warehouse_by_pages(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    assert "Hot-rolled coil" not in keeper.get(f"{PAGES}/").content.decode()
    opened = posted(keeper, "places/", code="W9", name_zh="九号库", name_en="Depot")
    place = Place.objects.get(code="W9")
    assert opened.url == f"{PAGES}/places/{place.pk}/"
    wrong = posted(keeper, "places/", code="W9", name_zh="九号库", gln="123")
    assert wrong.status_code == 422
    taken = posted(keeper, "take-in/", place=str(place.pk), item="M001", quantity="12.5", lot="L1")
    stock = Stock.objects.get(place=place)
    assert taken.url == f"{PAGES}/{stock.pk}/"
    for fields, said in (
        ({"item": "M404"}, "catalogue"),
        ({"quantity": "-1"}, "quantity"),
        ({"serials": "A A"}, "serial"),
    ):
        refused = posted(keeper, "take-in/", **{"place": str(place.pk), "item": "M001", "quantity": "2", **fields})
        assert refused.status_code == 422
        assert said in refused.content.decode()
    posted(keeper, "take-in/", place=str(place.pk), item="M002", serials="A1, A2\nA3")
    assert set(Stock.objects.filter(place=place).values_list("serial", flat=True)) == {"", "A1", "A2", "A3"}
    posted(keeper, f"{stock.pk}/", do="count", counted="12", reason="counted")
    posted(keeper, f"{stock.pk}/", do="write-off", quantity="1", reason="lost", note="fell into the river")
    posted(keeper, f"{stock.pk}/", do="relocate", quantity="4", to_place=str(w.yard.pk))
    assert Stock.objects.get(pk=stock.pk).on_hand == 7
    assert posted(keeper, f"{stock.pk}/", do="write-off", quantity="8", reason="lost").status_code == 422
    assert posted(keeper, f"{stock.pk}/", do="nothing").status_code == 302
    page = keeper.get(f"{PAGES}/{stock.pk}/").content.decode()
    assert "fell into the river" in page
    posted(keeper, f"places/{place.pk}/", code="W8", name_zh="八号库")
    place.refresh_from_db()
    assert (place.code, place.name) == ("W8", {"zh-hans": "八号库"})
    listed = keeper.get(f"{PAGES}/?q=coil").content.decode()
    assert "Hot-rolled coil" in listed
    assert "Pump" not in listed
    assert "Nothing matches" in keeper.get(f"{PAGES}/?q=zinc").content.decode()
    for path in (
        "movements/",
        f"movements/?place={place.pk}",
        "movements/?place=nonsense",
        f"places/{place.pk}/",
        "take-in/",
    ):
        assert keeper.get(f"{PAGES}/{path}").status_code == 200
    for typed in ("", "...", "-1", "1e99"):  # nothing written is no count of nothing
        wrong = keeper.post(f"{PAGES}/{stock.pk}/", {"do": "count", "counted": typed, "reason": "counted"})
        assert wrong.status_code == 422, typed
    posted(keeper, f"{stock.pk}/", do="count", counted="0", reason="counted")
    assert Stock.objects.get(pk=stock.pk).on_hand == 0


def test_an_item_that_no_catalogue_knows_has_a_page_too(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    unknown = acts.take_in(
        actor=w.actor(), marketplace_id=w.city.market.pk, place_id=w.yard.pk, item_id=uuid7(), quantity=D(1), now=NOW
    )
    for path in ("", f"{unknown.id}/", "movements/", f"places/{w.yard.pk}/"):
        assert "Unnamed item" in keeper.get(f"{PAGES}/{path}").content.decode()


def test_a_long_list_costs_as_many_statements_as_a_short_one(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert keeper.get(path).status_code == 200
        return len(seen)

    w.take_in(w.coil, "1")
    trade = concluded(w, "1", w.coil)
    do(w, trade, "deliver", carrier="SF")
    paths = [
        f"{API}/stock",
        f"{API}/movements",
        f"{API}/epcis",
        f"{PAGES}/",
        f"{PAGES}/movements/",
        f"{PAGES}/shipments/",
    ]
    few = [cost(path) for path in paths]
    for n in range(12):
        w.take_in(w.coil, "1", lot=f"L{n}")
        do(w, concluded(w, "1", w.coil), "deliver", carrier="SF")
    assert Shipment.objects.count() == 13
    assert [cost(path) for path in paths] == few
