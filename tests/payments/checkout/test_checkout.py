"""A checkout from the link to the wallet: by a bank, from a wallet, by a code, by phone; what is refused; two at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.verify import all_checks
from huangpu.payments.checkout import acts, codes, phone, queries
from huangpu.payments.checkout.models import Checkout, PayCode
from huangpu.payments.operations import acts as operations
from huangpu.payments.operations import asking
from huangpu.payments.operations.models import Operation, Payment
from tests.at_once import at_once
from tests.payments.checkout.conftest import NOW, Shop
from tests.waiting_jobs import run_jobs


def state(made: Checkout, now: Any = NOW) -> str:
    return queries.state(Checkout.objects.select_related("payment").get(pk=made.pk), now)


def refused(wanted: str, run: Any, /, *arguments: Any, **named: Any) -> HuangpuError:
    with pytest.raises(HuangpuError) as error:
        run(*arguments, **named)
    assert error.value.code == wanted
    return error.value


def all_holds() -> None:
    assert [check for check in all_checks() if not check.ok] == []


def choose(shop: Shop, made: Checkout, bank: str = "pujiang") -> Any:
    operation = acts.choose(actor=shop.payer, checkout_id=made.pk, provider=bank, operation_id=uuid7(), now=NOW)
    run_jobs()
    return operation


def test_a_payer_agrees_at_the_bank_and_the_money_is_in_the_wallet(shop: Shop) -> None:
    made = shop.open()
    operation = choose(shop, made)
    assert (state(made), shop.wallet(shop.payee)) == ("paying", 0)
    shop.book.decide("pujiang", operation, agreed=True, now=NOW)
    assert asking.attempt(operation, now=NOW) == "succeeded"
    assert (state(made), shop.wallet(shop.payee)) == ("paid", 25_800)
    refused("checkout.not_open", acts.choose, actor=shop.payer, checkout_id=made.pk, provider="pujiang",
            operation_id=uuid7(), now=NOW)  # fmt: skip
    all_holds()


def test_who_does_not_agree_may_choose_another_bank(shop: Shop) -> None:
    made = shop.open()
    first = choose(shop, made)
    shop.book.decide("pujiang", first, agreed=False, now=NOW)
    asking.attempt(first, now=NOW)
    assert state(made) == "open"
    second = choose(shop, made, "waitan")
    shop.book.decide("waitan", second, agreed=True, now=NOW)
    asking.attempt(second, now=NOW)
    assert state(made) == "paid"
    assert Payment.objects.get().provider == "waitan"
    assert (shop.book.balance("pujiang", "CNY"), shop.book.balance("waitan", "CNY")) == (0, 25_800)
    all_holds()


def test_who_comes_back_undecided_may_choose_again(shop: Shop) -> None:
    made = shop.open()
    refused("checkout.not_paying", acts.change_mind, actor=shop.payer, checkout_id=made.pk, now=NOW)
    first = choose(shop, made)
    acts.change_mind(actor=shop.payer, checkout_id=made.pk, now=NOW)
    run_jobs()
    assert (state(made), Operation.objects.get(pk=first).reason) == ("open", "cancelled")
    shop.book.decide("pujiang", first, agreed=True, now=NOW)  # too late: the bank has cancelled it
    second = choose(shop, made, "waitan")
    shop.book.decide("waitan", second, agreed=True, now=NOW)
    acts.change_mind(actor=shop.payer, checkout_id=made.pk, now=NOW)
    run_jobs()
    assert (shop.book.balance("pujiang", "CNY"), state(made)) == (
        0,
        "open",
    )  # a bank takes back what nobody has seen yet
    all_holds()


def test_from_a_wallet_and_back(shop: Shop) -> None:
    shop.fill_wallet(30_000)
    made = shop.open()
    operation = acts.pay_from_wallet(actor=shop.payer, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    run_jobs()
    assert (state(made), shop.wallet(shop.payer), shop.wallet(shop.payee)) == ("paid", 4_200, 25_800)
    payment = Payment.objects.get()
    wish = operations.Wish("refund", 800, uuid7(), operation)
    asking.attempt(operations.ask(actor=shop.payee, payment_id=payment.pk, wish=wish, now=NOW), now=NOW)
    assert (shop.wallet(shop.payer), shop.wallet(shop.payee)) == (5_000, 25_000)
    all_holds()


def test_a_wallet_without_enough_pays_nothing(shop: Shop) -> None:
    shop.fill_wallet(100)
    made = shop.open()
    acts.pay_from_wallet(actor=shop.payer, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    run_jobs()
    assert (state(made), shop.wallet(shop.payer)) == ("open", 100)
    assert Operation.objects.get().reason == "insufficient_funds"
    refused("checkout.own", acts.pay_from_wallet, actor=shop.payee, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    all_holds()


def test_a_wallet_that_was_asked_too_late_never_pays(shop: Shop) -> None:
    """The operation is older than it may get before it was ever sent: it is cancelled, and a late copy does nothing."""
    shop.fill_wallet(30_000)
    made = shop.open()
    operation = acts.pay_from_wallet(actor=shop.payer, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    late = NOW + timedelta(hours=1)
    assert asking.attempt(operation, now=late) == "declined"
    run_jobs()
    assert (state(made, NOW), shop.wallet(shop.payer)) == ("open", 30_000)
    all_holds()


def test_the_code_of_a_wallet_pays_once(shop: Shop) -> None:
    shop.fill_wallet(100_000)
    market = shop.city.market.pk
    code = acts.show_code(actor=shop.payer, marketplace_id=market, now=NOW)
    asked = acts.Asked(title="Tea", amount=1_200, currency="CNY", channel="qr")
    common: dict[str, Any] = dict(actor=shop.payee, marketplace_id=market, asked=asked)
    made = acts.charge_code(code=f" {code[:4]} {code[4:]}", operation_id=uuid7(), now=NOW, **common)
    run_jobs()
    assert (state(made), shop.wallet(shop.payer)) == ("paid", 98_800)
    refused("paycode.used", acts.charge_code, code=code, operation_id=uuid7(), now=NOW, **common)
    later = NOW + timedelta(seconds=61)
    refused("paycode.refused", acts.charge_code, code=code, operation_id=uuid7(), now=later, **common)
    invented = code[:2] + "00000001" + code[10:]
    refused("paycode.refused", acts.charge_code, code=invented, operation_id=uuid7(), now=NOW, **common)
    refused("paycode.form", acts.charge_code, code="4111111111111111", operation_id=uuid7(), now=NOW, **common)
    assert Checkout.objects.count() == 1
    all_holds()


def test_a_new_generation_of_a_code_is_another_secret(shop: Shop) -> None:
    acts.show_code(actor=shop.payer, marketplace_id=shop.city.market.pk, now=NOW)
    shown = PayCode.objects.get()
    first = codes.code_of(shown, NOW)
    shown.generation += 1
    assert codes.code_of(shown, NOW) != first


def test_an_order_by_phone(shop: Shop) -> None:
    asked = acts.Asked(title="A coat", amount=120_000, currency="CNY", channel="phone")
    common: dict[str, Any] = dict(actor=shop.payee, now=NOW)
    made = phone.order(marketplace_id=shop.city.market.pk, asked=asked, phone="+86 138 0000 1234", provider="pujiang",
                       operation_id=uuid7(), **common)  # fmt: skip
    run_jobs()
    code = shop.book.messages("+8613800001234")[0].code
    phone.told(checkout_id=made.pk, code="000000" if code != "000000" else "111111", **common)
    run_jobs()
    assert (state(made), queries.last_reason(queries.under_way(Checkout.objects.get()))) == ("paying", "wrong_code")
    phone.told(checkout_id=made.pk, code=f"{code[:3]} {code[3:]}", **common)
    run_jobs()
    assert (state(made), shop.wallet(shop.payee)) == ("paid", 120_000)
    refused("checkout.no_code_asked", phone.told, checkout_id=made.pk, code=code, **common)
    refused("checkout.unknown", phone.told, checkout_id=uuid7(), code=code, **common)
    all_holds()


def test_three_wrong_codes_end_an_order_by_phone(shop: Shop) -> None:
    asked = acts.Asked(title="A coat", amount=120_000, currency="CNY", channel="phone")
    made = phone.order(actor=shop.payee, marketplace_id=shop.city.market.pk, asked=asked, phone="13800001234",
                       provider="pujiang", operation_id=uuid7(), now=NOW)  # fmt: skip
    run_jobs()
    code = shop.book.messages("13800001234")[0].code
    wrong = "000000" if code != "000000" else "111111"
    for _try in range(3):
        phone.told(actor=shop.payee, checkout_id=made.pk, code=wrong, now=NOW)
        run_jobs()
    assert (state(made), Operation.objects.get().reason) == ("open", "wrong_code")
    all_holds()


def test_what_is_refused_names_its_field(shop: Shop) -> None:
    market = shop.city.market.pk
    for changed, code, field in (
        ({"title": " "}, "checkout.title", "title"),
        ({"title": "x" * 121}, "checkout.title", "title"),
        ({"amount": 0}, "checkout.amount", "amount"),
        ({"amount": 1.5}, "checkout.amount", "amount"),
        ({"currency": "XYZ"}, "currency.unknown", "currency"),
        ({"channel": "pos"}, "checkout.channel", "channel"),
        ({"reference": "x" * 65}, "checkout.reference", "reference"),
        ({"back": "javascript:alert(1)"}, "checkout.back", "back"),
        ({"kept_open": timedelta(days=91)}, "checkout.kept_open", "kept_open"),
    ):
        assert refused(code, shop.open, **changed).field == field, changed
    shop.open(reference="A-1")
    refused("checkout.reference_used", shop.open, reference="A-1")
    made = shop.open()
    choose_args: dict[str, Any] = dict(actor=shop.payer, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    refused("checkout.provider", acts.choose, provider="wallet", **choose_args)
    refused("checkout.not_open", acts.choose, provider="pujiang", **{**choose_args, "now": NOW + timedelta(hours=25)})
    refused("checkout.unknown", acts.cancel_checkout, actor=shop.payer, checkout_id=made.pk, now=NOW)
    acts.cancel_checkout(actor=shop.payee, checkout_id=made.pk, now=NOW)
    refused("checkout.not_open", acts.choose, provider="pujiang", **choose_args)
    refused("checkout.phone", phone.order, actor=shop.payee, marketplace_id=market, provider="pujiang", operation_id=uuid7(),
            asked=acts.Asked("x", 1, "CNY", channel="phone"), phone="Lin", now=NOW)  # fmt: skip


def test_takings_are_those_of_the_days(shop: Shop) -> None:
    shop.fill_wallet(100_000)
    for amount in (1_000, 2_000):
        made = shop.open(amount=amount)
        acts.pay_from_wallet(actor=shop.payer, checkout_id=made.pk, operation_id=uuid7(), now=NOW)
    run_jobs()
    day = Operation.objects.first().ended_at.astimezone(ZoneInfo("Asia/Shanghai")).date()  # type: ignore[union-attr]
    found = queries.takings(marketplace_id=shop.city.market.pk, payee_id=shop.city.seller.pk, currency="CNY",
                            first=day - timedelta(days=1), last=day, zone=ZoneInfo("Asia/Shanghai"))  # fmt: skip
    assert [(one.captured, one.payments) for one in found] == [(0, 0), (3_000, 2)]


@pytest.mark.django_db(transaction=True)
def test_of_two_payers_at_once_one_pays(shop: Shop) -> None:
    made = shop.open()

    def pay(bank: str) -> Any:
        return acts.choose(actor=shop.payer, checkout_id=made.pk, provider=bank, operation_id=uuid7(), now=NOW)

    answers = at_once(lambda: pay("pujiang"), lambda: pay("waitan"))
    assert [one.code for one in answers if isinstance(one, HuangpuError)] == ["checkout.not_open"]
    assert Operation.objects.count() == 1
