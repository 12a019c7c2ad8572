"""An act by itself is two statements, and the second is its transaction: all of it is there afterwards, or nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from huangpu.core.db import execute, one_act
from huangpu.core.errors import Conflict
from huangpu.core.log.models import Event, Payload, Pending
from huangpu.flows.commerce.models import Agreement, Commitment
from huangpu.flows.goods.models import Movement, Stock
from huangpu.flows.process import acts
from huangpu.flows.process.acts import Part
from tests.core.test_busy import locked_by_another
from tests.flows.process.test_trades import NOW, City, build, conclude, consistent

pytestmark = pytest.mark.django_db(transaction=True)

COUNTED = (Agreement, Commitment, Event, Payload, Pending, Movement, Stock)


def counts() -> list[int]:
    return [model.objects.count() for model in COUNTED]


@pytest.fixture
def city() -> City:
    city = build()
    conclude(city)  # the first trade opens the accounts
    return city


def seen(work: Any) -> list[str]:
    """The statements of some work, BEGIN and COMMIT among them."""
    with CaptureQueriesContext(connection) as queries:
        work()
    return [query["sql"].strip() for query in queries]


def test_alone_an_act_is_two_statements(city: City) -> None:
    trade = conclude(city)
    buyer = city.actor(city.buyer)
    statements = seen(lambda: acts.perform(actor=buyer, agreement_id=trade.id, parts=[Part(1)], now=NOW))
    assert len(statements) == 2
    assert "FROM commerce_agreement" in statements[0]
    assert "process_change" in statements[1]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (
            {"pay_at_once": True, "price": 20_000_000},
            "transfer.exceeds_floor",
        ),  # the ledger comes last: all else is written
        ({"quantity": "5000"}, "stock.insufficient"),
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_what_a_lower_room_refuses_leaves_nothing(city: City, wrong: dict[str, Any], code: str, within: bool) -> None:
    before = counts()
    if within:  # as a page's request, which goes on to show what was wrong
        with transaction.atomic():
            with pytest.raises(Conflict) as refused:
                _conclude_wrongly(city, wrong)
            assert counts() == before
    else:
        with pytest.raises(Conflict) as refused:
            _conclude_wrongly(city, wrong)
    assert refused.value.code == code
    assert counts() == before
    assert not consistent()


def test_the_ledger_says_in_words_what_is_missing(city: City) -> None:
    with pytest.raises(Conflict) as refused:
        _conclude_wrongly(city, {"pay_at_once": True, "price": 20_000_000})
    facts = refused.value.params
    assert (facts["book"], facts["asked_minor"], facts["missing"]) == ("wallet", 20_000_000, 10_000_000)
    assert "200,000.00" in str(facts["asked"])


@pytest.mark.parametrize("within", [False, True])
def test_who_waits_too_long_for_a_trade_is_told_to_try_again(city: City, within: bool) -> None:
    trade = conclude(city)
    pay: Any = {"actor": city.actor(city.buyer), "agreement_id": trade.id, "parts": [Part(1)], "now": NOW}
    execute("SET lock_timeout = '20ms'")
    try:
        with (
            locked_by_another(trade.id, Agreement),
            pytest.raises(Conflict) as told,
            one_act() if within else nullcontext(),
        ):
            acts.perform(**pay)
    finally:
        execute("RESET lock_timeout")
    assert told.value.code == "database.busy"
    acts.perform(**pay)
    assert not consistent()


def _conclude_wrongly(city: City, wrong: dict[str, Any]) -> None:
    line = {
        "key": "1", "name": {"en": "Steel"}, "quantity": wrong.get("quantity", "10"), "unit": "TNE",
        "amount": wrong.get("price", 100_000), "item": str(city.item), "from_place": str(city.yard.id),
        "to_place": str(city.gate.id),
    }  # fmt: skip
    acts.conclude(
        actor=city.actor(city.buyer), marketplace_id=city.market.id, template="manufacturing.purchase",
        parameters={"lines": [line], "fee": 500, "pay_within": 3, "deliver_within": 10, "inspect_within": 2,
                    "pay_at_once": wrong.get("pay_at_once", False)},
        parties={"buyer": city.buyer.id, "seller": city.seller.id}, title={"en": "Steel"}, currency="CNY", now=NOW,
    )  # fmt: skip
