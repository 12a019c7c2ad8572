"""The simulated banks over their real server: what they do once, what they answer wrongly when told to, what they tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.simulated_banks import Banks, banks_for

from huangpu.core import clock
from huangpu.core.ids import uuid7
from huangpu.payments.gateway import configured, over_http, wire
from huangpu.payments.gateway.over_http import HttpProvider
from huangpu.payments.gateway.provider import Order, hosted


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Banks, Path]]:
    data = tmp_path_factory.mktemp("banks")
    with banks_for("http://localhost:9", data) as running:
        yield running, data


def order(verb: Any = "payout", amount: int = 700) -> Order:
    return Order(uuid7(), verb, amount, "CNY")


@pytest.mark.usefixtures("banks")
def test_an_order_is_done_once_however_often_it_is_sent() -> None:
    bank = hosted("pujiang")
    one = order()
    assert bank.query(one).status == "not_found"
    first = bank.send(one)
    assert (first.status, bank.send(one), bank.query(one)) == ("succeeded", first, first)
    assert bank.cancel(one).status == "succeeded"  # money that went out is not taken back


@pytest.mark.usefixtures("banks")
def test_a_payment_waits_for_its_payer_and_can_be_cancelled() -> None:
    bank = hosted("pujiang")
    one = order("purchase")
    assert bank.send(one).status == "pending"
    assert (bank.cancel(one).status, bank.send(one).reason) == ("declined", "cancelled")


@pytest.mark.usefixtures("banks")
def test_what_follows_needs_what_it_follows() -> None:
    bank = hosted("waitan")
    assert bank.send(replace(order("refund"), about=uuid7())).reason == "no_such_order"
    paid = order("purchase", 1_000)
    bank.send(paid)
    assert bank.send(replace(order("refund"), about=paid.id)).reason == "no_such_order"  # nobody has agreed yet


@pytest.mark.parametrize("mode", ["silent", "stopped"])
def test_a_bank_may_give_no_answer(banks: tuple[Banks, Path], mode: str) -> None:
    running, _data = banks
    one, bank = order(), hosted("jiangpay")
    running.behave("jiangpay", mode)
    with pytest.raises(httpx.HTTPError):
        bank.send(one)
    running.behave("jiangpay", "well")
    assert bank.query(one).status == ("succeeded" if mode == "silent" else "not_found")


def test_a_bank_may_lie_and_decline(banks: tuple[Banks, Path]) -> None:
    running, _data = banks
    bank = hosted("jiangpay")
    running.behave("jiangpay", "lying")
    assert bank.send(order(amount=700)).amount == 701
    running.behave("jiangpay", "declining")
    assert bank.send(order()).reason == "do_not_honour"
    running.behave("jiangpay", "well")


def test_who_does_not_share_the_secret_is_not_heard(banks: tuple[Banks, Path]) -> None:
    running, _data = banks
    stranger = HttpProvider(f"{running.url}/pujiang", f"{running.url}/pujiang", b"x" * 24)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        stranger.send(order())


@pytest.mark.usefixtures("banks")
def test_an_answer_to_another_question_is_none() -> None:
    secret = over_http.secret_of("pujiang")
    assert secret is not None
    body = b"{}"
    headers = wire.signed(secret, "ask_1", body, clock.now())
    assert wire.check(secret, headers, body, id="ask_1") == "ask_1"
    for changed, data_ in ((headers, b"{ }"), ({**headers, "webhook-id": "ask_2"}, body), ({}, body)):
        with pytest.raises(wire.NotSigned):
            wire.check(secret, changed, data_)
    with pytest.raises(wire.NotSigned):
        wire.check(secret, headers, body, id="ask_2")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", b'{"do":"send"}', b'{"do":"give","order":{"id":"x"}}',
     b'{"do":"send","order":{"id":"0193a1d0-0000-7000-8000-000000000000","verb":"payout","amount":1.5,"currency":"CNY","about":null}}',
     b'{"do":"send","order":{"id":"0193a1d0-0000-7000-8000-000000000000","verb":"steal","amount":1,"currency":"CNY","about":null}}',
     b'{"do":"send","order":{"id":7,"verb":"payout","amount":1,"currency":"CNY","about":null}}'],
)  # fmt: skip
def test_what_is_no_question_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        wire.read_question(body)
    with pytest.raises(ValueError):
        wire.read_answer(body)


TITLED = {"title": {"en": "A", "zh-hans": "甲"}, "address": "https://x", "pages": "https://x", "secret": "s"}


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ([], "cannot be used"),
        ({"Pujiang!": {}}, "no name"),
        ({"a": {**TITLED, "title": {"en": "A"}}}, "title in en and zh-hans"),
        ({"a": {**TITLED, "address": "ftp://x"}}, "no address"),
        ({"a": {**TITLED, "secret": "../s"}}, "key folder"),
        ({"a": TITLED}, "providers.json"),
    ],
)
def test_a_wrong_file_of_providers_says_what_is_wrong(tmp_path: Path, file: Any, wanted: str) -> None:
    assert configured.read(tmp_path) == []
    (tmp_path / "providers.json").write_text(json.dumps(file), "utf-8")
    with pytest.raises(configured.NotConfigured, match=wanted):
        configured.read(tmp_path)
