"""Amendments through the acts, the API and the page, down to the ledger, the stock and the log; and two who sign at once."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from huangpu.city.board import verify as figures
from huangpu.core import clock
from huangpu.core.errors import Conflict, HuangpuError, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.flows.commerce.models import Agreement, Commitment, Invoice
from huangpu.flows.commerce.templates import register
from huangpu.flows.funds.models import Transfer
from huangpu.flows.goods.models import Stock
from huangpu.flows.process import acts, amendments, store
from huangpu.flows.process.acts import Part
from huangpu.flows.process.amending import Change
from huangpu.flows.process.models import Amendment
from huangpu.flows.process.rules import Trade
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Membership, Organisation, Person

from .test_trades import NOW, City, build, city, conclude, consistent, do  # noqa: F401
from .test_unlike_a_tender import split_order

D = Decimal


def propose(city: City, trade: Trade, *changes: Change, by: Organisation | None = None, **more: Any) -> Amendment:  # noqa: F811
    return amendments.propose_amendment(
        actor=city.actor(by or city.buyer), agreement_id=trade.id, changes=changes, now=NOW, **more
    )


def sign(city: City, amendment: Amendment, by: Organisation | None = None) -> Amendment:  # noqa: F811
    return amendments.sign_amendment(actor=city.actor(by or city.seller), amendment_id=amendment.id, now=NOW)


def underway(city: City) -> Trade:  # noqa: F811
    """10 t at 1,000.00, paid, 6 t delivered, 4 of them accepted."""
    trade = conclude(city)
    do(city, trade, "hold")
    do(city, trade, "deliver", "6")
    do(city, trade, "accept", "4")
    return trade


def finish(city: City, trade: Trade) -> Trade:  # noqa: F811
    for action in ("deliver", "accept"):
        if Commitment.objects.filter(agreement_id=trade.id, action=action, state="due").exists():
            trade = do(city, trade, action)
    if Commitment.objects.filter(agreement_id=trade.id, action="invoice", state="due").exists():
        trade = do(city, trade, "invoice", number="INV-1")
    return trade


def test_more_is_bought_and_everything_follows_to_the_last_fen(city: City) -> None:  # noqa: F811
    trade = underway(city)
    amendment = propose(city, trade, Change(2, quantity=D(20)), note="more")
    assert (amendment.state, amendment.number) == ("open", 1)
    assert city.worth(city.buyer) == (10_000_000 - 40_000, 60_000)
    assert sign(city, amendment).state == "signed"
    # 4 t of the rest were worth 400.00 and went back; 20 t for 2,000.00 are held
    assert city.worth(city.buyer) == (10_000_000 - 40_000, 20_000 + 200_000)
    assert Stock.objects.get(place=city.yard).reserved == 20
    agreement = Agreement.objects.get(pk=trade.id)
    assert agreement.amount == 100_000 - 40_000 + 200_000
    old = Commitment.objects.get(agreement_id=trade.id, key="deliver/1")
    assert (old.quantity, old.amount, old.state) == (D(6), 60_000, "done")
    assert old.details["agreed"] == {"quantity": "10", "amount": 100_000}
    assert not consistent()
    done = finish(city, trade)
    assert done.state == "fulfilled"
    assert list(Invoice.objects.filter(agreement_id=trade.id).values_list("amount", flat=True)) == [
        260_000
    ]  # of both chains
    assert city.worth(city.buyer) == (10_000_000 - 260_000, 0)
    assert city.worth(city.seller) == (260_000 - 1_300, 0)
    assert Stock.objects.get(place=city.gate, disposition="available").on_hand == 26
    assert Stock.objects.get(place=city.yard).reserved == 0
    assert not consistent()


def test_only_the_difference_needs_to_be_in_the_wallet(city: City) -> None:  # noqa: F811
    trade = conclude(city)
    do(city, trade, "hold")
    free = 10_000_000 - 100_000
    amendment = propose(city, trade, Change(2, amount=100_000 + free))
    sign(city, amendment)
    assert city.worth(city.buyer) == (10_000_000, 10_000_000)
    other = conclude(city)
    poor = propose(city, other, Change(2, amount=100_001))
    with transaction.atomic():
        sign(city, poor)  # not paid yet: owed, not held
    assert [step.state for step in store.load(other.id).promises if step.action == "hold"] == ["ended", "due"]
    assert not consistent()


def test_without_the_money_nothing_is_amended(city: City) -> None:  # noqa: F811
    trade = underway(city)
    amendment = propose(city, trade, Change(2, amount=20_000_000))
    with pytest.raises(HuangpuError) as info, transaction.atomic():
        sign(city, amendment)
    assert info.value.code == "transfer.exceeds_floor"
    amendment.refresh_from_db()
    assert (amendment.state, amendment.signatures.count()) == ("open", 1)
    assert not consistent()


def test_fewer_a_new_time_and_a_new_line(city: City) -> None:  # noqa: F811
    trade = underway(city)
    later = NOW + timedelta(days=40)
    amendment = propose(
        city, trade, Change(2, quantity=D(1), due_at=later), Change(None, D(3), 5_000, later, {"en": "Bolts"}, "C62"),
        by=city.seller,
    )  # fmt: skip
    sign(city, amendment, city.buyer)
    assert city.worth(city.buyer)[1] == 20_000 + 10_000 + 5_000
    assert Stock.objects.get(place=city.yard).reserved == 1
    due = Commitment.objects.filter(agreement_id=trade.id, action="deliver", state="due").order_by("ordinal")
    assert [(one.quantity, one.due_at) for one in due] == [(D(1), later), (D(3), later)]
    assert finish(city, trade).state == "fulfilled"
    assert city.worth(city.buyer) == (10_000_000 - 75_000, 0)
    assert not consistent()


def test_what_is_told_and_to_whom(city: City) -> None:  # noqa: F811
    trade = underway(city)
    for organisation in (city.buyer, city.seller):
        person = Person.objects.create(username=uuid7().hex)
        Membership.objects.create(organisation=organisation, person=person, roles=["owner"])
    amendment = propose(city, trade, Change(2, quantity=D(20)))
    sign(city, amendment)
    kinds = list(
        Event.objects.filter(thread_id=trade.id, kind__contains="amend").order_by("id").values_list("kind", flat=True)
    )
    assert kinds == ["agreement.amendment_proposed", "agreement.amended"]
    body = Payload.objects.get(pk=Event.objects.get(kind="agreement.amended").pk).body
    assert (body["cut"], body["added"], body["terms_hash"]) == (40_000, 200_000, amendment.hash_text)
    assert [step["key"] for step in body["fulfilled"]] == ["refund~1", "hold~1"]
    assert not [check.detail for check in figures.checks() if not check.ok]


def test_who_may_and_when(city: City) -> None:  # noqa: F811
    trade = underway(city)
    change = Change(2, quantity=D(20))
    stranger = Organisation.objects.create(name={"en": "Stranger"})
    for actor, kind in (
        (city.actor(stranger), NotFound),
        (city.actor(city.buyer, "warehouse"), Refused),
        (Actor(uuid7(), None, city.market.id, frozenset(), market_roles=frozenset({"arbiter"})), Refused),
        (city.actor(city.market.operator), Refused),
    ):
        with pytest.raises(kind), transaction.atomic():
            amendments.propose_amendment(actor=actor, agreement_id=trade.id, changes=[change], now=NOW)
    amendment = propose(city, trade, change)
    with pytest.raises(Conflict) as open_one, transaction.atomic():
        propose(city, trade, Change(2, quantity=D(9)), by=city.seller)
    assert open_one.value.code == "amendment.open"
    with pytest.raises(Conflict) as twice, transaction.atomic():
        sign(city, amendment, city.buyer)
    assert twice.value.code == "amendment.signed"
    with pytest.raises(NotFound), transaction.atomic():
        sign(city, amendment, stranger)
    with pytest.raises(NotFound), transaction.atomic():
        amendments.sign_amendment(actor=SYSTEM, amendment_id=uuid7(), now=NOW)
    declined = amendments.decline_amendment(
        actor=city.actor(city.seller), amendment_id=amendment.id, reason="too many", now=NOW
    )
    assert (declined.state, declined.reason) == ("declined", "too many")
    with pytest.raises(Conflict) as closed, transaction.atomic():
        sign(city, amendment)
    assert closed.value.code == "amendment.closed"
    second = propose(city, trade, change)
    assert second.number == 2
    back = amendments.decline_amendment(actor=city.actor(city.buyer), amendment_id=second.id, now=NOW)
    assert back.state == "withdrawn"
    assert Commitment.objects.get(agreement_id=trade.id, key="deliver/1").quantity == D(10)
    assert not consistent()


def test_what_was_delivered_meanwhile_makes_a_proposal_void(city: City) -> None:  # noqa: F811
    trade = underway(city)
    amendment = propose(city, trade, Change(2, quantity=D(20)))
    do(city, trade, "deliver", "1")
    with pytest.raises(Conflict) as info, transaction.atomic():
        sign(city, amendment)
    assert info.value.code == "amendment.outdated"
    do(city, trade, "accept")  # what does not touch the rest does not matter
    amendments.decline_amendment(actor=city.actor(city.buyer), amendment_id=amendment.id, now=NOW)
    sign(city, propose(city, trade, Change(2, quantity=D(20))))
    assert not consistent()


def test_three_parties_all_sign(city: City) -> None:  # noqa: F811

    other = Organisation.objects.create(name={"en": "Second seller"})
    register("test.two_sellers", version=1, prefix="X", build=lambda _parameters: split_order())
    trade = acts.conclude(
        actor=city.actor(city.buyer), marketplace_id=city.market.id, template="test.two_sellers", parameters={},
        parties={"buyer": city.buyer.id, "seller/a": city.seller.id, "seller/b": other.id}, title={"en": "x"},
        currency="CNY", now=NOW,
    )  # fmt: skip
    tea = Commitment.objects.get(agreement_id=trade.id, key="deliver/tea")
    amendment = propose(city, trade, Change(tea.ordinal, quantity=D(6)))
    assert sign(city, amendment).state == "open"
    assert sign(city, amendment, other).state == "signed"
    assert Commitment.objects.get(agreement_id=trade.id, key="release/tea~1").amount == 28_500
    assert not consistent()


@pytest.mark.django_db(transaction=True)
def test_two_signatures_at_once_apply_it_once(transactional_db: None) -> None:  # noqa: ARG001
    city = build()  # noqa: F811
    trade = underway(city)
    amendment = propose(city, trade, Change(2, quantity=D(20)))
    gate, answers = threading.Barrier(3), []

    def run(call: Any) -> None:
        gate.wait(20)
        try:
            call()
            answers.append("done")
        except HuangpuError as error:
            answers.append(error.code)
        finally:
            connection.close()

    def deliver() -> None:
        acts.perform(actor=city.actor(city.seller), agreement_id=trade.id, parts=[Part(2, D(1))], now=NOW)

    threads = [
        threading.Thread(target=run, args=[call])
        for call in (lambda: sign(city, amendment), lambda: sign(city, amendment), deliver)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    signed = Amendment.objects.get(pk=amendment.id).state == "signed"
    # a delivery either came first, and the proposal is void, or it finds the old delivery over
    assert answers.count("done") == 1
    assert sorted(set(answers) - {"done"}) in ([["amendment.closed", "commitment.over"], ["amendment.outdated"]])
    assert Transfer.objects.filter(reference_id=trade.id, kind="refund").count() == signed
    assert not consistent()


# ── the doors ────────────────────────────────────────────────────────────────────────────────────────────────────────


def member(organisation: Organisation, *roles: str) -> Client:
    person = Person.objects.create(username=uuid7().hex)
    Membership.objects.create(organisation=organisation, person=person, roles=list(roles or ("owner",)))
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def call(client: Client, address: str, body: Any, status: int) -> Any:
    answer = client.post(address, json.dumps(body), content_type="application/json", HTTP_IDEMPOTENCY_KEY=uuid7().hex)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_by_api(city: City, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(clock, "now", lambda: NOW)
    trade = underway(city)
    number = Agreement.objects.get(pk=trade.id).number
    base = f"/api/v1/m/{city.market.slug}/trades/{number}/amendments"
    buyer, seller = member(city.buyer), member(city.seller)
    made = call(buyer, base, {"changes": [{"ordinal": 2, "quantity": "5", "amount": 45_000}], "note": "n"}, 201)
    assert (made["state"], made["number"], len(made["signatures"])) == ("open", 1, 1)
    assert call(buyer, f"{base}/1/sign", {}, 409)["code"] == "amendment.signed"
    assert call(seller, f"{base}/9/sign", {}, 404)["code"] == "amendment.unknown"
    assert call(seller, f"{base}/1/decline", {"reason": "no"}, 200)["state"] == "declined"
    assert call(buyer, base, {"changes": [{"ordinal": 2, "quantity": "4"}]}, 422)["code"] == "amendment.nothing"
    assert call(buyer, base, {"changes": [{"ordinal": 2, "quantity": "x"}]}, 422)["code"] == "quantity.invalid"
    call(buyer, base, {"changes": [{"ordinal": 2, "quantity": "0"}]}, 201)
    assert call(seller, f"{base}/2/sign", {}, 200)["state"] == "signed"
    assert [one["state"] for one in seller.get(base).json()] == ["signed", "declined"]
    assert finish(city, trade).state == "fulfilled"
    assert not consistent()


def post(client: Client, address: str, data: dict[str, str], status: int = 302) -> str:
    answer = client.post(address, {**data, "idempotency_key": uuid7().hex})
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def test_by_page(city: City, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(clock, "now", lambda: NOW)
    trade = underway(city)
    number = Agreement.objects.get(pk=trade.id).number
    page = f"/m/{city.market.slug}/trades/{number}/"
    buyer, seller, clerk = member(city.buyer), member(city.seller), member(city.seller, "warehouse")
    shown = buyer.get(page).content.decode()
    assert 'name="rest-2" value="4"' in shown
    assert 'name="price-2" value="100"' in shown
    assert "Propose an amendment" not in clerk.get(page).content.decode()
    assert "changes 1 to 500 lines" in post(buyer, f"{page}amend/", {"rest-2": "4", "price-2": "100"}, 422)
    new = {"new-name": "Bolts", "new-quantity": "3", "new-unit": "C62", "new-price": "12.345"}
    post(buyer, f"{page}amend/", {"rest-2": "20", "price-2": "90.5", "note": "more", **new})
    amendment = Amendment.objects.get()
    assert [(one["quantity"], one["amount"]) for one in amendment.changes] == [("20", 181_000), ("3", 3_704)]
    assert "Sign" in seller.get(page).content.decode()
    post(seller, f"{page}amend/1/", {"answer": "sign"})
    after = seller.get(page).content.decode()
    assert "Signed by all" in after
    assert "Bolts" in after
    assert "1,810.00" in after
    assert not consistent()
    post(buyer, f"{page}amend/", {"price-7": "80"}, 422)
    ordinal = Commitment.objects.get(agreement_id=trade.id, key="deliver/1~1").ordinal
    post(buyer, f"{page}amend/", {f"price-{ordinal}": "80"})
    post(seller, f"{page}amend/2/", {"answer": "decline", "reason": "no"})
    assert Amendment.objects.get(number=2).state == "declined"


def test_verify_finds_an_unsigned_and_a_wrongly_priced_amendment(city: City) -> None:  # noqa: F811
    trade = underway(city)
    amendment = propose(city, trade, Change(2, quantity=D(20)))
    sign(city, amendment)
    assert not consistent()
    amendment.signatures.filter(organisation_id=city.seller.id).delete()
    Agreement.objects.filter(pk=trade.id).update(amount=1)
    found = " ".join(consistent())
    assert "without every signature" in found
    assert "not that of their lines" in found


def test_an_act_on_an_amended_trade_is_as_many_statements_as_before(city: City) -> None:  # noqa: F811
    from django.test.utils import CaptureQueriesContext

    trade = underway(city)
    sign(city, propose(city, trade, Change(2, quantity=D(20))))
    ordinal = Commitment.objects.get(agreement_id=trade.id, key="deliver/1~1").ordinal
    with CaptureQueriesContext(connection) as seen:
        acts.perform(actor=city.actor(city.seller), agreement_id=trade.id, parts=[Part(ordinal)], now=NOW)
    assert len([one for one in seen if "SAVEPOINT" not in str(one["sql"])]) == 2
