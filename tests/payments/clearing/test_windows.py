"""Windows from the first payment to the settlement: each operation in one of them, two persons, the net and no more moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from huangpu.core.db import rows
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.verify import all_checks
from huangpu.flows.funds.queries import balances
from huangpu.flows.funds.rules import account_id
from huangpu.parties.actor import Actor
from huangpu.payments.checkout import acts as checkouts
from huangpu.payments.clearing import acts, jobs, queries
from huangpu.payments.clearing.models import Obligation, Window
from huangpu.payments.gateway.provider import provider_id
from huangpu.payments.operations import acts as operations
from huangpu.payments.operations import asking
from tests.at_once import at_once
from tests.payments.checkout.conftest import NOW, Shop, shop  # noqa: F401
from tests.waiting_jobs import run_jobs


def operator(of: Shop) -> Actor:
    return Actor(uuid7(), None, of.city.market.pk, market_roles=frozenset({"operator"}))


def paid(of: Shop, bank: str, amount: int) -> UUID:
    made = of.open(amount=amount)
    operation = checkouts.choose(actor=of.payer, checkout_id=made.pk, provider=bank, operation_id=uuid7(), now=NOW)
    run_jobs()
    of.book.decide(bank, operation, agreed=True, now=NOW)
    assert asking.attempt(operation, now=NOW) == "succeeded"
    return operation


def back(of: Shop, operation: UUID, amount: int) -> None:
    payment = operations.Operation.objects.get(pk=operation).payment_id
    assert payment is not None
    wish = operations.Wish("refund", amount, uuid7(), operation)
    asked = operations.ask(actor=of.payee, payment_id=payment, wish=wish, now=NOW)
    assert asking.attempt(asked, now=NOW) == "succeeded"


def gather(of: Shop) -> int:
    return acts.gather(marketplace_id=of.city.market.pk, currency="CNY", now=NOW)


def posted(of: Shop, book: str, holder: UUID | None = None) -> int:
    account = account_id(of.city.market.pk, book, holder, "CNY")
    found = balances([account]).get(account)
    return found.posted if found else 0


def refused(code: str, run: Callable[..., Any], **named: Any) -> None:
    with pytest.raises(HuangpuError) as error:
        run(**named)
    assert error.value.code == code


def test_a_window_is_gathered_closed_confirmed_and_settled(shop: Shop) -> None:  # noqa: F811
    first = paid(shop, "pujiang", 10_000)
    paid(shop, "pujiang", 5_000)
    second = paid(shop, "waitan", 700)
    assert (gather(shop), gather(shop)) == (3, 0)
    back(shop, first, 4_000)
    back(shop, second, 700)
    assert gather(shop) == 2
    window = Window.objects.get()
    assert acts.positions(window.pk) == {"pujiang": 11_000}
    one, two = operator(shop), operator(shop)
    refused("window.state", acts.confirm, actor=one, window_id=window.pk, now=NOW)
    acts.close(actor=one, window_id=window.pk, now=NOW)
    paid(shop, "waitan", 900)
    assert gather(shop) == 1
    assert acts.positions(window.pk) == {"pujiang": 11_000}
    acts.confirm(actor=one, window_id=window.pk, now=NOW)
    refused("window.four_eyes", acts.settle, actor=one, window_id=window.pk, now=NOW)
    acts.settle(actor=two, window_id=window.pk, now=NOW)
    refused("window.state", acts.settle, actor=two, window_id=window.pk, now=NOW)
    assert (posted(shop, "bank", provider_id("pujiang")), posted(shop, "settlement")) == (0, -11_000)
    assert [check for check in all_checks() if not check.ok] == []


def test_a_provider_that_gave_more_back_than_it_took_is_paid(shop: Shop) -> None:  # noqa: F811
    operation = paid(shop, "pujiang", 10_000)
    gather(shop)
    window = Window.objects.get(state="open")
    one, two = operator(shop), operator(shop)
    acts.close(actor=one, window_id=window.pk, now=NOW)
    back(shop, operation, 3_000)
    gather(shop)
    second = Window.objects.get(state="open")
    for each in (window, second):
        if each.pk == second.pk:
            acts.close(actor=one, window_id=each.pk, now=NOW)
        acts.confirm(actor=one, window_id=each.pk, now=NOW)
        acts.settle(actor=two, window_id=each.pk, now=NOW)
    assert (posted(shop, "bank", provider_id("pujiang")), posted(shop, "settlement")) == (0, -7_000)
    assert [check for check in all_checks() if not check.ok] == []


def test_what_a_wallet_pays_needs_no_clearing(shop: Shop) -> None:  # noqa: F811
    shop.fill_wallet(1_000)
    made = shop.open(amount=500)
    checkouts.pay_from_wallet(actor=shop.payer, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    run_jobs()
    assert gather(shop) == 0


def test_a_window_closes_when_its_time_is_over(shop: Shop) -> None:  # noqa: F811
    paid(shop, "pujiang", 100)
    gather(shop)
    Window.objects.update(opened_at=NOW - timedelta(hours=9), closes_at=NOW - timedelta(hours=5))
    jobs.run()
    assert sorted(Window.objects.values_list("state", flat=True)) == ["closed", "open"]
    stranger = Actor(uuid7(), uuid7(), shop.city.market.pk, frozenset({"owner"}))
    refused("rights.role_missing", acts.close, actor=stranger, window_id=Window.objects.get(state="open").pk, now=NOW)


def test_gathering_takes_as_many_statements_for_many_as_for_one(shop: Shop, django_assert_max_num_queries: Any) -> None:  # noqa: F811
    for amount in (100, 200, 300):
        paid(shop, "pujiang", amount)
    with django_assert_max_num_queries(8):
        assert gather(shop) == 3


@pytest.mark.django_db(transaction=True)
def test_gathered_and_closed_at_once_each_is_in_one_window(shop: Shop) -> None:  # noqa: F811
    for amount in (100, 200, 300):
        paid(shop, "pujiang", amount)
    gather(shop)
    for amount in (400, 500):
        paid(shop, "waitan", amount)
    window = Window.objects.get(state="open")
    at_once(
        lambda: gather(shop), lambda: gather(shop),
        lambda: acts.close(actor=operator(shop), window_id=window.pk, now=NOW), lambda: gather(shop),
    )  # fmt: skip
    gather(shop)
    assert Obligation.objects.count() == 5
    assert rows("SELECT count(*) FROM clearing_window WHERE state = 'open'") == [(1,)]


def test_breaks_are_counted_by_their_age(shop: Shop) -> None:  # noqa: F811
    assert queries.ages(shop.city.market.pk, "CNY", NOW) == [(0, 0)] * 4
