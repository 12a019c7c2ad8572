"""A terminal and the host over a real connection: sales, what follows them, what is taken back, what is refused, how a batch
ends."""

from __future__ import annotations

import hashlib
import socket
from datetime import UTC, datetime
from typing import Any

import pytest

from huangpu.core import clock
from huangpu.core.verify import all_checks
from huangpu.payments.operations import asking
from huangpu.payments.operations.models import Operation
from huangpu.payments.standards.iso8583 import frames
from huangpu.payments.standards.iso8583.values import Kind, NetworkKind, ResponseCode
from huangpu.payments.terminals import acts, host, taking_back
from huangpu.payments.terminals.models import Batch, Transaction
from tests.payments.terminals.shop import Shop, card

APPROVED = ResponseCode.APPROVED
PAN = card(7)


def all_holds() -> None:
    assert [check for check in all_checks() if not check.ok] == []


def settled(shop: Shop, amount: int) -> None:
    """Everybody has the same sum."""
    for one in taking_back.left():
        taking_back.take_back(one, now=clock.now)
    asking.ask_due(now=clock.now())
    assert (shop.wallet(), shop.owed(), shop.bank.balance("CNY")) == (amount, amount, amount)
    all_holds()


@pytest.mark.parametrize("cryptography", ["AES-CMAC", "X9.19"])
def test_a_day_at_a_till(shop: Shop, cryptography: str) -> None:
    till = shop.device(shop.enrol(cryptography))
    with till.at_work() as till:
        assert [till.sale(PAN, amount) for amount in (10_000, 2_500, 700)] == [APPROVED] * 3
        first, second, third = (record.stan for record in till.terminal.state.records)  # type: ignore[union-attr]
        assert till.void(second) is APPROVED
        assert till.refund(first, 4_000) is APPROVED
        assert till.settle()
    settled(shop, 10_000 + 700 - 4_000)
    batch = Batch.objects.get()
    assert (batch.debits, batch.debit_amount, batch.credits, batch.credit_amount) == (3, 13_200, 2, 6_500)
    assert batch.closed_at is not None
    assert third
    with till.at_work() as till:  # the next day
        assert till.sale(PAN, 100) is APPROVED
        assert till.terminal is not None
        assert (till.terminal.state.batch, len(till.terminal.state.records)) == (2, 1)


def test_no_card_number_is_kept(shop: Shop) -> None:
    with shop.device(shop.enrol()).at_work() as till:
        till.sale(PAN, 10_000)
        till.sale(PAN, 20_000)
        till.sale(card(8), 100)
    rows = list(Transaction.objects.values())
    assert PAN not in repr(rows)
    assert PAN.encode() not in till.journal.read_bytes()
    assert hashlib.sha256(PAN.encode()).digest() not in [bytes(row["card_token"]) for row in rows]
    assert len({bytes(row["card_token"]) for row in rows}) == 2
    assert rows[0]["card"] == f"{PAN[:6]}{'*' * (len(PAN) - 10)}{PAN[-4:]}"


def test_a_declined_sale_takes_nothing(shop: Shop) -> None:
    shop.bank.faults.declines = 1.0
    with shop.device(shop.enrol()).at_work() as till:
        assert till.sale(PAN, 10_000) is ResponseCode.INSUFFICIENT_FUNDS
    settled(shop, 0)


@pytest.mark.parametrize("fault", ["lost", "late", "unanswered", "pending", "lies"])
def test_a_sale_of_which_nobody_knows_is_taken_back(shop: Shop, fault: str) -> None:
    """The terminal gets no answer and takes the sale back, until that is known to be so."""
    setattr(shop.bank.faults, fault, 1.0)
    with shop.device(shop.enrol()).at_work() as till:
        assert till.sale(PAN, 10_000) is None
        setattr(shop.bank.faults, fault, 0.0)
        shop.bank.time_passes()
    with till.at_work() as till:
        assert till.terminal is not None
        assert (till.terminal.state.stored, till.terminal.state.records) == (None, ())
        assert till.sale(PAN, 300) is APPROVED
        assert till.settle()
    shop.bank.time_passes()
    settled(shop, 300)


def test_an_answer_that_was_lost_is_taken_back_once(shop: Shop) -> None:
    """The sale was done; the terminal crashed before it knew, and takes it back when it starts again."""
    terminal = shop.enrol()
    with shop.device(terminal).at_work() as till:
        assert till.terminal is not None
        step = till.terminal.pay(Kind.SALE, pan=PAN, amount=10_000, now=datetime.now(UTC))
        till._kept(step)
        assert step.send is not None
        till._asked(step.send)  # and the power fails
    assert shop.wallet() == 10_000
    with shop.device(terminal).at_work() as till:
        assert till.sale(PAN, 500) is APPROVED
        assert till.settle()
    settled(shop, 500)
    assert Transaction.objects.get(amount=10_000).undo is not None


def test_the_same_message_again_gets_the_same_answer(shop: Shop) -> None:
    with shop.device(shop.enrol()).at_work() as till:
        assert till.terminal is not None
        step = till.terminal.pay(Kind.SALE, pan=PAN, amount=10_000, now=datetime.now(UTC))
        assert step.send is not None
        answers = {host.answer(step.send, now=clock.now) for _time in range(3)}
        assert len(answers) == 1
        other = till.terminal.pay(Kind.SALE, pan=PAN, amount=20_000, now=datetime.now(UTC))
        assert other.send is not None
        told = till.terminal.__class__(till.setup, other.terminal.state).receive(
            host.answer(other.send, now=clock.now) or b""
        )
        assert told.message is not None
        assert told.message.response is ResponseCode.DUPLICATE  # type: ignore[union-attr]
    assert Operation.objects.count() == 1


def test_a_request_that_comes_after_its_reversal_is_not_done(shop: Shop) -> None:
    with shop.device(shop.enrol()).at_work() as till:
        assert till.terminal is not None
        sale = till.terminal.pay(Kind.SALE, pan=PAN, amount=10_000, now=datetime.now(UTC))
        reversal = sale.terminal.time_out(now=datetime.now(UTC))
        assert sale.send is not None
        assert reversal.send is not None
        taken = reversal.terminal.receive(host.answer(reversal.send, now=clock.now) or b"")
        assert taken.message.response is ResponseCode.ORIGINAL_NOT_FOUND  # type: ignore[union-attr]
        late = sale.terminal.receive(host.answer(sale.send, now=clock.now) or b"")
        assert late.message.response is ResponseCode.ANSWERED_TOO_LATE  # type: ignore[union-attr]
    settled(shop, 0)
    assert not Operation.objects.exists()


def test_a_void_that_is_taken_back_leaves_the_sale(shop: Shop) -> None:
    with shop.device(shop.enrol()).at_work() as till:
        assert till.sale(PAN, 10_000) is APPROVED
        assert till.terminal is not None
        (record,) = till.terminal.state.records
        void = till.terminal.void(record.stan, now=datetime.now(UTC))
        till._kept(void)
        assert void.send is not None
        till._asked(void.send)
        till._through(till.terminal.cancel(now=datetime.now(UTC)))
        till._nothing_open()
        assert till.refund(record.stan, 1_000) is APPROVED
        assert till.settle()
    settled(shop, 9_000)


def test_pre_authorisation_completion_and_void(shop: Shop) -> None:
    with shop.device(shop.enrol()).at_work() as till:
        assert till.terminal is not None
        for _one in range(2):
            till._through(till.terminal.pay(Kind.PRE_AUTHORISATION, pan=PAN, amount=50_000, now=datetime.now(UTC)))
        first, second = till.terminal.state.records
        completed = till.terminal.refer(Kind.COMPLETION, original=first.reference, amount=42_000, now=datetime.now(UTC))
        assert till._paid(completed) is APPROVED
        assert till.void(second.stan) is APPROVED
        assert till.settle()
    settled(shop, 42_000)


def test_what_does_not_fit_is_declined(shop: Shop) -> None:
    terminal = shop.enrol()
    with shop.device(terminal).at_work() as till:
        assert till.sale(PAN, 10_000) is APPROVED
        assert till.terminal is not None
        (record,) = till.terminal.state.records
        assert till.refund(record.stan, 10_001) is ResponseCode.ORIGINAL_AMOUNT_WRONG
        assert till.refund(record.stan, 9_000) is APPROVED
        assert till.refund(record.stan, 9_000) is ResponseCode.ORIGINAL_AMOUNT_WRONG  # 1,000 are left
        acts.block(actor=shop.merchant, terminal_id=terminal.pk, blocked=True, now=datetime.now(UTC))
        assert till.sale(PAN, 1) is ResponseCode.NOT_PERMITTED_TO_TERMINAL
        acts.block(actor=shop.merchant, terminal_id=terminal.pk, blocked=False, now=datetime.now(UTC))
        assert till.settle()
    settled(shop, 1_000)


def test_totals_that_differ_are_settled_by_the_terminals_own_list(shop: Shop) -> None:
    """A terminal that lost its journal knows one sale only: the other is paid back."""
    terminal = shop.enrol()
    with shop.device(terminal).at_work() as till:
        assert till.sale(PAN, 10_000) is APPROVED
    till.journal.rename(till.journal.with_suffix(".lost"))
    with shop.device(terminal).at_work() as till:
        assert till.terminal is not None
        while till.terminal.state.last_stan < 5:  # it goes on with numbers that are not used
            till._through(till.terminal.manage(NetworkKind.ECHO))
        assert till.sale(PAN, 600) is APPROVED
        assert till.settle()
    settled(shop, 600)
    assert Batch.objects.get().debit_amount == 600


def test_who_has_not_the_key_gets_no_answer(shop: Shop) -> None:
    terminal = shop.enrol()
    with shop.device(terminal).at_work() as till:
        assert till.terminal is not None
        sale = till.terminal.pay(Kind.SALE, pan=PAN, amount=10_000, now=datetime.now(UTC)).send
        assert sale is not None
        forged = bytearray(sale)
        forged[-1] ^= 1
        assert host.answer(bytes(forged), now=clock.now) is None
        acts.manage(terminal_id=terminal.pk, kind=NetworkKind.SIGN_ON, now=datetime.now(UTC))  # another session
        assert host.answer(sale, now=clock.now) is None
    assert not Transaction.objects.exists()


@pytest.mark.parametrize(
    "sent", [b"\x00\x01a", b"\xff\xff" + b"x" * 64, frames.frame(b"\x02\x00" + b"\x00" * 16), b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_frame_ends_the_connection(shop: Shop, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""


def refused(code: str, call: Any, **arguments: Any) -> None:
    from huangpu.core.errors import HuangpuError

    with pytest.raises(HuangpuError) as error:
        call(**arguments)
    assert error.value.code == code


def test_who_may_have_a_terminal(shop: Shop) -> None:
    common: dict[str, Any] = dict(actor=shop.merchant, marketplace_id=shop.market, name="Till", provider="acquirer",
                                  now=datetime.now(UTC))  # fmt: skip
    refused("terminal.name", acts.enrol, **{**common, "name": " "})
    refused("terminal.provider_unknown", acts.enrol, **{**common, "provider": "nobody"})
    refused("terminal.cryptography", acts.enrol, **{**common, "cryptography": "ROT13"})
    refused("currency.unknown", acts.enrol, **{**common, "currency": "XYZ"})
    made = acts.enrol(**common)
    other = Shop(shop.data)
    refused(
        "terminal.unknown", acts.block, actor=other.merchant, terminal_id=made.pk, blocked=True, now=datetime.now(UTC)
    )
