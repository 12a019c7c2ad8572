"""What a merchant asks for, what is refused, and two who ask for the same at once."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import queries
from huangpu.parties.actor import Actor
from huangpu.payments.gateway.provider import Answer, Order, register
from huangpu.payments.gateway.simulator import Faults, SimulatedBank
from huangpu.payments.operations import acts, asking, verify
from huangpu.payments.operations.acts import Wish
from huangpu.payments.operations.models import Operation, Payment, Told
from tests.at_once import at_once

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@dataclass
class Shop:
    market: UUID
    finance: Actor
    clerk: Actor
    bank: SimulatedBank

    def open(self, **changed: Any) -> UUID:
        asked = dict(marketplace_id=self.market, amount=10_000, currency="CNY", channel="web", provider="test-bank",
                     reference=str(uuid7()), now=NOW, fee_ppm=6_000)  # fmt: skip
        return acts.open_payment(actor=self.finance, **{**asked, **changed})

    def ask(self, payment: UUID, verb: str, amount: int, about: UUID | None = None, id: UUID | None = None) -> UUID:
        wish = Wish(verb, amount, id or uuid7(), about)
        return acts.ask(actor=self.finance, payment_id=payment, wish=wish, now=NOW)

    def done(self, payment: UUID, verb: str, amount: int, about: UUID | None = None) -> UUID:
        operation = self.ask(payment, verb, amount, about)
        assert asking.attempt(operation, now=NOW) == "succeeded"
        return operation

    def wallet(self) -> tuple[int, int]:
        assert self.finance.organisation_id
        kept = queries.wallet(self.market, self.finance.organisation_id, "CNY")
        return kept.available, kept.held


@pytest.fixture
def shop() -> Shop:
    organisation = uuid7()
    finance, clerk = (
        Actor(person_id=uuid7(), organisation_id=organisation, roles=frozenset({role})) for role in ("finance", "clerk")
    )
    bank = SimulatedBank(random.Random(1))
    register("test-bank", bank)
    return Shop(uuid7(), finance, clerk, bank)


def refusal(do: Any, *args: Any, **named: Any) -> tuple[str, str | None]:
    with pytest.raises(HuangpuError) as refused:
        do(*args, **named)
    assert str(refused.value)
    return refused.value.code, refused.value.field


def test_a_payment_from_its_authorisation_to_its_refund(shop: Shop) -> None:
    payment = shop.open()
    authorised = shop.done(payment, "authorise", 10_000)
    assert shop.wallet() == (0, 0)
    first = shop.done(payment, "capture", 6_000, authorised)
    shop.done(payment, "void", 4_000, authorised)
    assert shop.wallet() == (5_964, 0)
    assert refusal(shop.ask, payment, "capture", 1, authorised) == ("payment.exhausted", "amount")
    back = shop.ask(payment, "refund", 2_000, first)
    assert shop.wallet() == (3_964, 2_000)
    assert asking.attempt(back, now=NOW) == "succeeded"
    assert shop.wallet() == (3_964, 0)
    assert refusal(shop.ask, payment, "refund", 4_001, first) == ("payment.exhausted", "amount")
    assert refusal(shop.ask, payment, "refund", 4_000, first) == ("transfer.exceeds_floor", "amount")
    told = Payment.objects.get()
    assert (told.authorised, told.captured, told.voided, told.refunded) == (10_000, 6_000, 4_000, 2_000)
    assert all(check.ok for check in verify.checks())


def test_what_is_not_right_is_refused_by_name(shop: Shop) -> None:
    assert refusal(shop.open, amount=0) == ("payment.amount", "amount")
    assert refusal(shop.open, amount=1.5) == ("payment.amount", "amount")
    assert refusal(shop.open, channel="fax") == ("payment.channel", "channel")
    assert refusal(shop.open, provider="nobody") == ("payment.provider_unknown", "provider")
    assert refusal(shop.open, reference="") == ("payment.reference", "reference")
    assert refusal(shop.open, fee_ppm=-1) == ("payment.fee", "fee_ppm")
    assert refusal(shop.open, fee_ppm=1_000_000) == ("payment.fee", "fee_ppm")
    payment = shop.open(reference="A 1")
    assert refusal(shop.open, reference="A 1") == ("payment.reference_used", "reference")
    assert shop.open(reference="A 1", payment_id=payment) == payment
    assert refusal(shop.open, reference="A 2", payment_id=payment) == ("payment.id_reused", "payment_id")
    assert refusal(shop.ask, payment, "payout", 1) == ("operation.verb", "verb")
    assert refusal(shop.ask, uuid7(), "purchase", 1) == ("payment.unknown", "payment")
    assert refusal(shop.ask, payment, "purchase", 10_001) == ("payment.exhausted", "amount")
    bought = shop.done(payment, "purchase", 10_000)
    assert refusal(shop.ask, payment, "capture", 1, bought) == ("operation.about", "about_id")
    assert refusal(shop.ask, payment, "refund", 1) == ("operation.about", "about_id")
    assert shop.ask(payment, "purchase", 10_000, id=bought) == bought
    assert refusal(shop.ask, payment, "purchase", 9_999, id=bought) == ("operation.id_reused", "operation_id")
    wallet = dict(marketplace_id=shop.market, currency="CNY", now=NOW)
    wish = Wish("payout", 9_941, uuid7())
    asked = dict(actor=shop.finance, provider="test-bank", wish=wish, **wallet)
    assert refusal(acts.ask_of_wallet, **asked) == ("transfer.exceeds_floor", "amount")
    assert refusal(acts.ask_of_wallet, **{**asked, "wish": Wish("refund", 1, uuid7())}) == ("operation.verb", "verb")
    assert refusal(acts.ask_of_wallet, **{**asked, "provider": "x"}) == ("payment.provider_unknown", "provider")


def test_a_clerk_charges_and_does_not_pay_out(shop: Shop) -> None:
    payment = shop.open()
    wish = Wish("purchase", 10_000, uuid7())
    acts.ask(actor=shop.clerk, payment_id=payment, wish=wish, now=NOW)
    asking.attempt(wish.operation_id, now=NOW)
    back = Wish("refund", 1, uuid7(), wish.operation_id)
    assert refusal(acts.ask, actor=shop.clerk, payment_id=payment, wish=back, now=NOW)[0].startswith("rights.")
    out = dict(
        marketplace_id=shop.market, provider="test-bank", currency="CNY", wish=Wish("payout", 1, uuid7()), now=NOW
    )
    assert refusal(acts.ask_of_wallet, actor=shop.clerk, **out)[0].startswith("rights.")
    stranger = Actor(person_id=uuid7(), organisation_id=uuid7(), roles=frozenset({"owner"}))
    assert refusal(acts.ask, actor=stranger, payment_id=payment, wish=wish, now=NOW) == ("payment.unknown", "payment")


def test_silence_is_asked_for_again_and_given_up_only_with_the_banks_word(shop: Shop) -> None:
    shop.bank.faults = Faults(unanswered=1)
    operation = shop.ask(shop.open(), "purchase", 10_000)
    assert asking.attempt(operation, now=NOW) == "unknown"
    assert asking.ask_due(now=NOW + timedelta(seconds=5)) == 0
    assert asking.ask_due(now=NOW + timedelta(minutes=31)) == 1
    assert Operation.objects.get().state == "unknown"
    shop.bank.faults = Faults()
    assert asking.ask_due(now=NOW + timedelta(minutes=60)) == 1
    ended = Operation.objects.get()
    assert (ended.state, ended.reason, shop.bank.done) == ("declined", "cancelled", {})
    assert Payment.objects.get().authorising == 0
    assert [one.status for one in Told.objects.order_by("id")] == ["no_answer", "no_answer", "declined"]


def test_an_answer_against_an_end_is_kept_and_changes_nothing(shop: Shop) -> None:
    operation = shop.done(shop.open(), "purchase", 10_000)
    said = Answer(operation, "declined", 10_000, "CNY", reason="fraud")
    assert acts.answer(operation_id=operation, said=said, now=NOW) == "succeeded"
    assert [one.contradicts for one in Told.objects.order_by("id")] == [False, True]
    assert shop.wallet() == (9_940, 0)


def test_the_database_itself_refuses_to_capture_more_than_was_authorised(shop: Shop) -> None:
    payment = shop.open()
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment).update(captured=1)


@pytest.mark.parametrize(
    "nonsense",
    [{"amount": 10**30}, {"status": "perhaps"}, {"currency": "RENMINBI"}, {"reason": "a\0b"}, {"amount": 1.0}],
)
def test_what_is_no_answer_is_silence(shop: Shop, monkeypatch: pytest.MonkeyPatch, nonsense: dict[str, Any]) -> None:
    def send(_bank: Any, order: Order) -> Answer:
        return Answer(**{"id": order.id, "status": "succeeded", "amount": order.amount, "currency": "CNY", **nonsense})

    monkeypatch.setattr(SimulatedBank, "send", send)
    assert asking.attempt(shop.ask(shop.open(), "purchase", 10_000), now=NOW) == "unknown"
    assert [one.status for one in Told.objects.all()] == ["no_answer"]


def test_an_operation_whose_answer_cannot_be_taken_in_stops_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (shop.ask(shop.open(), "purchase", 10_000) for _ in range(2))
    real = acts.answer

    def answer(**named: Any) -> Any:
        if named["operation_id"] == first:
            raise RuntimeError("the disk is full")
        return real(**named)

    monkeypatch.setattr(acts, "answer", answer)
    assert asking.ask_due(now=NOW) == 2
    assert [Operation.objects.get(pk=one).state for one in (first, second)] == ["asked", "succeeded"]
    monkeypatch.setattr(acts, "answer", real)
    assert asking.ask_due(now=NOW + timedelta(minutes=1)) == 1
    assert Operation.objects.get(pk=first).state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_the_same_asked_by_many_at_once_is_one_payment_and_one_operation(shop: Shop) -> None:
    payment = uuid7()
    assert at_once(*[lambda: shop.open(payment_id=payment, reference="one")] * 6) == [payment] * 6
    shop.done(payment, "purchase", 10_000)
    wish = Wish("payout", 1_000, uuid7())
    named = dict(
        actor=shop.finance, marketplace_id=shop.market, provider="test-bank", currency="CNY", wish=wish, now=NOW
    )
    assert at_once(*[lambda: acts.ask_of_wallet(**named)] * 6) == [wish.operation_id] * 6
    assert shop.wallet() == (8_940, 1_000)
    assert (Payment.objects.count(), Operation.objects.count()) == (1, 2)
    assert all(check.ok for check in verify.checks())


@pytest.mark.django_db(transaction=True)
def test_of_many_who_capture_at_once_the_authorised_sum_is_given_out_once(shop: Shop) -> None:
    payment = shop.open()
    authorised = shop.done(payment, "authorise", 10_000)

    found = at_once(*[lambda: shop.done(payment, "capture", 3_000, authorised)] * 8)
    answers = sorted(one.code if isinstance(one, HuangpuError) else "captured" for one in found)
    assert answers == ["captured"] * 3 + ["payment.exhausted"] * 5
    assert Payment.objects.get(pk=payment).captured == 9_000
    assert all(check.ok for check in verify.checks())
