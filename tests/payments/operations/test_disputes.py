"""Chargebacks: the money is gone at once, comes back when the payee wins, and what a wallet lacks is owed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.verify import all_checks
from huangpu.parties.actor import Actor
from huangpu.payments.checkout import acts as checkouts
from huangpu.payments.operations import acts, disputes, jobs
from huangpu.payments.operations.models import Dispute, Payment
from tests.at_once import at_once
from tests.payments.checkout.conftest import NOW, Shop, shop  # noqa: F401
from tests.waiting_jobs import run_jobs


def operator(of: Shop) -> Actor:
    return Actor(uuid7(), None, of.city.market.pk, market_roles=frozenset({"operator"}))


def paid(of: Shop, amount: int = 10_000) -> UUID:
    of.fill_wallet(amount)
    made = of.open(amount=amount)
    checkouts.pay_from_wallet(actor=of.payer, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    run_jobs()
    made.refresh_from_db()
    assert made.payment_id is not None
    return made.payment_id


def opened(of: Shop, payment: UUID, amount: int = 4_000, reference: str = "CB-1", reason: str = "fraud") -> Dispute:
    return disputes.open_dispute(
        actor=operator(of), payment_id=payment, reference=reference, amount=amount, reason=reason, now=NOW
    )


def refused(wanted: str, run: Any, /, *arguments: Any, **named: Any) -> HuangpuError:
    with pytest.raises(HuangpuError) as error:
        run(*arguments, **named)
    assert error.value.code == wanted
    return error.value


def verified() -> None:
    assert [check for check in all_checks() if not check.ok] == []


@pytest.mark.parametrize("won", [True, False])
def test_the_money_goes_at_once_and_comes_back_when_won(shop: Shop, won: bool) -> None:  # noqa: F811
    payment = paid(shop)
    made = opened(shop, payment)
    assert (opened(shop, payment).pk, shop.wallet(shop.payee)) == (made.pk, 6_000)
    refused("dispute.reference_used", opened, shop, payment, 4_001)
    answered = disputes.represent(actor=shop.payee, dispute_id=made.pk, evidence="It was delivered: DN-77.", now=NOW)
    assert answered.state == "represented"
    refused("dispute.over", disputes.represent, actor=shop.payee, dispute_id=made.pk, evidence="again", now=NOW)
    verified()
    disputes.conclude(actor=operator(shop), dispute_id=made.pk, won=won, now=NOW)
    refused("dispute.over", disputes.conclude, actor=operator(shop), dispute_id=made.pk, won=not won, now=NOW)
    assert shop.wallet(shop.payee) == (10_000 if won else 6_000)
    assert Payment.objects.get().charged_back == (0 if won else 4_000)
    verified()


def test_what_the_wallet_lacks_is_owed_and_collected(shop: Shop) -> None:  # noqa: F811
    payment = paid(shop)
    acts.ask_of_wallet(actor=shop.payee, marketplace_id=shop.city.market.pk, provider="pujiang", currency="CNY",
                       wish=acts.Wish("payout", 9_000, uuid7()), now=NOW)  # fmt: skip
    made = opened(shop, payment)
    assert (made.lacking, shop.wallet(shop.payee)) == (3_000, 0)
    jobs.collect_owed(0)
    verified()
    paid(shop, 5_000)
    jobs.collect_owed(0)
    jobs.collect_owed(0)
    assert shop.wallet(shop.payee) == 2_000
    disputes.conclude(actor=operator(shop), dispute_id=made.pk, won=True, now=NOW)
    jobs.collect_owed(0)
    assert shop.wallet(shop.payee) == 6_000
    verified()


def test_no_more_is_taken_back_than_was_captured(shop: Shop) -> None:  # noqa: F811
    payment = paid(shop)
    purchase = Payment.objects.get().operations.get().pk
    acts.ask(actor=shop.payee, payment_id=payment, wish=acts.Wish("refund", 3_000, uuid7(), purchase), now=NOW)
    assert refused("dispute.amount", opened, shop, payment, 7_001).params["left"] == 7_000
    made = opened(shop, payment, 5_000)
    refund = acts.Wish("refund", 2_001, uuid7(), purchase)
    refused("payment.exhausted", acts.ask, actor=shop.payee, payment_id=payment, wish=refund, now=NOW)
    disputes.accept(actor=shop.payee, dispute_id=made.pk, now=NOW)
    assert Dispute.objects.get().state == "accepted"
    verified()


def test_who_may_and_until_when(shop: Shop) -> None:  # noqa: F811
    payment = paid(shop)
    refused("rights.role_missing", disputes.open_dispute, actor=shop.payee, payment_id=payment, reference="X", amount=1,
            reason="x", now=NOW)  # fmt: skip
    made = opened(shop, payment)
    refused("dispute.unknown", disputes.accept, actor=shop.payer, dispute_id=made.pk, now=NOW)
    late = NOW + timedelta(days=10)
    refused("dispute.late", disputes.represent, actor=shop.payee, dispute_id=made.pk, evidence="x", now=late)
    refused("dispute.evidence", disputes.represent, actor=shop.payee, dispute_id=made.pk, evidence=" ", now=NOW)
    refused("dispute.reference", opened, shop, payment, 1, "")
    refused("dispute.reason", opened, shop, payment, 1, "Y", "")
    refused("payment.unknown", opened, shop, uuid7())


@pytest.mark.django_db(transaction=True)
def test_told_twice_at_once_it_is_one(shop: Shop) -> None:  # noqa: F811
    payment = paid(shop)
    answers = at_once(lambda: opened(shop, payment).pk, lambda: opened(shop, payment).pk)
    assert len(set(answers)) == 1
    assert shop.wallet(shop.payee) == 6_000
