"""EPCIS documents: each holds to the standard's structure, and says what happened."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from huangpu.core import clock
from huangpu.core.ids import uuid7
from huangpu.flows.goods import acts, standard
from huangpu.flows.goods.models import Shipment
from huangpu.flows.goods.rules import Lot
from huangpu.flows.goods.standard import Happening, What, Where, Who, document
from huangpu.flows.process import acts as process
from tests.flows.funds.test_doors import client_of
from tests.flows.goods.epcis_profile import CHECKER, events_of
from tests.flows.goods.test_delivered_lots import concluded, do, ordinal_of, w  # noqa: F401
from tests.flows.goods.warehouse import GLN, GTIN, NOW, D, Warehouse

BASE, HOST = "https://city.example", "http://testserver"
ZONE = ZoneInfo("Asia/Shanghai")


def read(client: Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/m/manufacturing/{path}", query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/ld+json"), answer.content
    assert answer["GS1-EPCIS-Version"] == "2.0"
    return events_of(answer.content.decode())


@pytest.fixture
def keeper(w: Warehouse) -> Client:  # noqa: F811
    return client_of(w.keeper, w.city.seller)


def test_of_a_trade_from_the_yard_to_the_gate(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    w.take_in(w.coil, "10", lot="L1")
    trade = concluded(w, "8", w.coil, from_place=str(w.yard.pk), lot="L1")
    do(w, trade, "deliver", "5", carrier="SF", tracking="SF1")
    do(w, trade, "accept")
    shipped, accepted = read(keeper, f"trades/{trade.number}/epcis")
    despatch = Shipment.objects.get(reference_id=trade.id)
    lot = f"https://id.gs1.org/01/{GTIN}/10/L1"
    assert (shipped["type"], shipped["action"], shipped["bizStep"], shipped["disposition"]) == (
        "ObjectEvent", "OBSERVE", "shipping", "in_transit",
    )  # fmt: skip
    assert shipped["eventID"] == f"urn:uuid:{despatch.event_id}"
    assert (shipped["eventTime"], shipped["eventTimeZoneOffset"]) == (clock.rfc3339(NOW), "+08:00")
    assert shipped["quantityList"] == [{"epcClass": lot, "quantity": 5, "uom": "TNE"}]
    assert shipped["readPoint"] == {"id": f"https://id.gs1.org/414/{GLN}"}
    assert "bizLocation" not in shipped  # under way
    order = {"type": "po", "bizTransaction": f"{HOST}/id/bt/{trade.number}"}
    assert shipped["bizTransactionList"] == [order, {"type": "desadv", "bizTransaction": f"{HOST}/id/bt/{despatch.pk}"}]
    assert shipped["sourceList"][0] == {"type": "owning_party", "source": f"{HOST}/id/party/{w.city.seller.pk}"}
    assert shipped["destinationList"] == [
        {"type": "owning_party", "destination": f"{HOST}/id/party/{w.city.buyer.pk}"},
        {"type": "location", "destination": f"{HOST}/id/loc/{w.gate.pk}"},
    ]
    assert (accepted["type"], accepted["bizStep"], accepted["bizTransactionList"]) == (
        "TransactionEvent",
        "accepting",
        [order],
    )
    assert accepted["bizLocation"] == {"id": f"{HOST}/id/loc/{w.gate.pk}"}
    assert accepted["quantityList"] == shipped["quantityList"]
    buyer = client_of(w.city.owner, w.city.buyer)
    assert read(buyer, f"shipments/{despatch.pk}/epcis") == [shipped]
    stranger = client_of(w.city.operator, None)
    assert stranger.get(f"/api/v1/m/manufacturing/shipments/{despatch.pk}/epcis").status_code == 403
    assert Client().get(f"/api/v1/m/manufacturing/trades/{trade.number}/epcis").status_code in (401, 403, 404)


def test_pieces_are_named_and_what_goes_back_is_returned(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    w.take_in(w.pump, "2", serials=("A1", "A2"))
    trade = concluded(w, "2", w.pump)
    named = {"commitment": ordinal_of(trade, "deliver"), "serials": ["A1", "A2"], "from_place": str(w.yard.pk)}
    do(w, trade, "deliver", lots=[named])
    option = next(one["key"] for one in trade.options if one["undoes"])
    process.resolve(actor=w.actor("owner", of=w.city.buyer), agreement_id=trade.id, option=option, now=NOW)
    shipped, returned = read(keeper, f"trades/{trade.number}/epcis")
    assert shipped["epcList"] == [f"{HOST}/id/obj/{w.pump.pk}/A1", f"{HOST}/id/obj/{w.pump.pk}/A2"]
    assert "quantityList" not in shipped
    assert (returned["bizStep"], returned["disposition"]) == ("shipping", "returned")
    assert returned["sourceList"][0]["source"].endswith(str(w.city.buyer.pk))
    assert returned["destinationList"][0]["destination"].endswith(str(w.city.seller.pk))


def test_a_line_without_an_item_is_called_by_its_trade(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    trade = concluded(w, "2", w.pump, item=None, to_place=None)
    do(w, trade, "deliver")
    (shipped,) = read(keeper, f"trades/{trade.number}/epcis")
    name = f"{HOST}/id/class/{trade.number}-{ordinal_of(trade, 'deliver')}"
    assert shipped["quantityList"] == [{"epcClass": name, "quantity": 2}]


def test_of_a_warehouse_in_a_span_of_time(w: Warehouse, keeper: Client) -> None:  # noqa: F811
    coil, pump = w.take_in(w.coil, "10.25", lot="L1"), w.take_in(w.pump, "1", serials=("A1",))
    actor = w.actor()
    acts.adjust(actor=actor, stock_id=coil.id, counted=D("9"), now=NOW)
    acts.write_off(actor=actor, stock_id=coil.id, quantity=D(1), reason="damaged", now=NOW)
    acts.relocate(actor=actor, stock_id=pump.id, to_place_id=w.shop.pk, quantity=D(1), now=NOW)
    acts.adjust(actor=actor, stock_id=coil.id, counted=D("8.5"), reason="found", now=NOW)
    found = read(keeper, "epcis")
    steps = [(one["action"], one["bizStep"], one.get("disposition")) for one in found]
    assert steps == [
        ("ADD", "commissioning", "active"), ("ADD", "commissioning", "active"), ("OBSERVE", "stock_taking", None),
        ("DELETE", "decommissioning", "inactive"), ("DELETE", "decommissioning", "damaged"), ("OBSERVE", "storing", None),
        ("OBSERVE", "stock_taking", None), ("ADD", "commissioning", "active"),
    ]  # fmt: skip
    quantities = [one["quantityList"][0]["quantity"] for one in found if "quantityList" in one]
    assert quantities == [10.25, 9, 1.25, 1, 8.5, 0.5]
    assert found[1]["epcList"] == [f"{HOST}/id/obj/{w.pump.pk}/A1"] == found[5]["epcList"]
    assert (found[5]["readPoint"]["id"], found[5]["bizLocation"]["id"]) == (
        f"https://id.gs1.org/414/{GLN}", f"{HOST}/id/loc/{w.shop.pk}",
    )  # fmt: skip
    later = clock.now() + timedelta(minutes=1)
    assert read(keeper, "epcis", since=clock.rfc3339(later), until=clock.rfc3339(later + timedelta(days=1))) == []
    assert read(client_of(w.city.owner, w.city.buyer), "epcis") == []  # a neighbour's goods are not one's own
    wrong = keeper.get(
        "/api/v1/m/manufacturing/epcis", {"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "epcis.span")


def test_page_by_page(w: Warehouse, keeper: Client, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    from huangpu.flows.process import traceability

    for _ in range(5):
        w.take_in(w.coil, "1")
    whole = traceability.of_organisation
    monkeypatch.setattr(traceability, "of_organisation", lambda *a, **k: whole(*a, **k, limit=2))
    seen, path = [], "/api/v1/m/manufacturing/epcis"
    while path:
        answer = keeper.get(path)
        seen += [one["eventID"] for one in events_of(answer.content.decode())]
        path = answer.get("Link", "").partition(">")[0].lstrip("<")
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("kind", standard.STEPS)
def test_every_kind_holds_to_the_structure(kind: str) -> None:
    goods = [
        What(D("12.345678"), "TNE", uuid7(), GTIN, [Lot("批 1/ä", "", D("12.345678"))]),
        What(D(2), "C62", uuid7(), GTIN[1:], [Lot("", "S/1", D(1)), Lot("", "S 2" * 20, D(1))]),
        What(D("123456789012.000001"), "KGM", None, line="PO-2026-000001-2"),
    ]
    one = Happening(
        uuid7(), kind, NOW, NOW, goods, Where(uuid7(), GLN), Where(uuid7()), Who(uuid7(), GLN), Who(uuid7()),
        number="PO-2026-000001", despatch=uuid7(), reason="lost", part=1,
    )  # fmt: skip
    text = document([one, Happening(uuid7(), kind, NOW, NOW, goods, number="PO-1")], base=BASE, zone=ZONE, now=NOW)
    first, _second = events_of(text)
    assert first["quantityList"][0]["epcClass"].startswith(f"{BASE}/id/class/")  # no name that a GS1 link can carry
    assert "123456789012.000001" in text  # exact, though no float holds it
    read_exactly: Any = json.loads(text, parse_float=Decimal)
    assert read_exactly["epcisBody"]["eventList"][0]["quantityList"][1]["quantity"] == D("123456789012.000001")


def test_the_checks_find_what_is_wrong() -> None:
    one = Happening(uuid7(), "shipped", datetime(2026, 1, 1, tzinfo=ZONE), NOW, [What(D(1), "TNE", uuid7())])
    good = json.loads(document([one], base=BASE, zone=ZONE, now=NOW))
    assert CHECKER.is_valid(good)
    for name, value in (("bizStep", "sending"), ("disposition", "gone"), ("eventTimeZoneOffset", "8"), ("action", "PUT"),
                        ("eventTime", "yesterday"), ("quantityList", []), ("surplus", 1), ("type", "TransactionEvent"),
                        ("epcList", ["no uri"])):  # fmt: skip
        bad = json.loads(json.dumps(good))
        bad["epcisBody"]["eventList"][0][name] = value
        assert not CHECKER.is_valid(bad), name
