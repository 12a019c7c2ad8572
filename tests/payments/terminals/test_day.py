"""A day at the tills of a merchant: taps, voids, refunds, an acquirer that loses and delays, terminals that crash.
At its end the journals of the terminals, the batches, our ledger and the acquirer's book are the same to the fen."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.db import connections
from django.db.models import Sum

from huangpu.channels.pos.terminal import Device
from huangpu.core import clock
from huangpu.core.errors import Conflict
from huangpu.core.verify import all_checks
from huangpu.payments.gateway import provider
from huangpu.payments.gateway.provider import Answer, Order
from huangpu.payments.gateway.simulator import Faults, SimulatedBank
from huangpu.payments.operations import asking
from huangpu.payments.operations.models import Operation
from huangpu.payments.standards.iso8583 import journal
from huangpu.payments.standards.iso8583.state import State, totals
from huangpu.payments.standards.iso8583.terminal import _folded
from huangpu.payments.standards.iso8583.values import Kind, ResponseCode
from huangpu.payments.terminals import taking_back
from huangpu.payments.terminals.models import Batch, Transaction
from tests.payments.terminals.shop import Shop, card

FAULTS = Faults(lost=0.01, late=0.005, unanswered=0.01, pending=0.005, lies=0.002, declines=0.02)
CRASHES = 0.03  # share of the messages at which the power of a terminal fails
ROUNDS_MAX = 200


class Crash(Exception):
    """The power failed."""


class Weak(Device):
    """A terminal whose power may fail just before a message leaves it, or just after."""

    chance: random.Random

    def _asked(self, message: bytes) -> bytes:
        if self.chance.random() < CRASHES / 2:
            raise Crash
        answer = super()._asked(message)
        if self.chance.random() < CRASHES / 2:
            raise Crash
        return answer


@dataclass
class OneAtATime(SimulatedBank):
    """The acquirer's book, safe for several threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    calls: int = 0

    def send(self, order: Order) -> Answer:
        with self.lock:
            return super().send(order)

    def _decide(self, order: Order) -> None:
        if order.verb in ("refund", "void"):  # an acquirer does not decline to give back
            self.done[order.id] = order
        else:
            super()._decide(order)

    def query(self, order: Order) -> Answer:
        with self.lock:
            self.calls += 1
            if self.calls % 5 == 0:  # what it had not decided is decided some time
                self.time_passes()
            return super().query(order)

    def cancel(self, order: Order) -> Answer:
        with self.lock:
            return super().cancel(order)


@dataclass
class Told:
    """What the terminals of a day say of themselves."""

    taps: int = 0
    crashes: int = 0
    unknown: int = 0
    waited: int = 0
    amount: int = 0  # debits less credits of the settled batches, by the terminals' own journals


def work(till: Weak, taps: int, told: Told) -> None:
    """One terminal's day: it is switched on again after every crash, until its batch is settled."""
    left = taps
    while True:
        try:
            with till.at_work():
                while left:
                    if one(till) is None:
                        told.unknown += 1
                    left -= 1
                    told.taps += 1
                if till.terminal is not None and till.terminal.state.batch == 1:
                    till.settle()
                told.amount = settled_amount(till)
                return
        except Crash:
            told.crashes += 1
        except Conflict as waiting:  # its reversal is not answered yet: it is switched on again until it is
            told.waited += 1
            if waiting.code != "iso8583.stored_first" or told.waited > ROUNDS_MAX:
                raise


def settled_amount(till: Weak) -> int:
    """Debits less credits of the first batch, as the journal has them: folded until the line before it was closed."""
    found, _good = journal.entries(till.journal.read_bytes())
    amount, state = 0, State()
    for entry in found:
        after = _folded(state, entry)
        assert after is not None
        if after.batch != state.batch and state.batch == 1:
            sums = totals(state, till.setup.currency)
            amount = sums.debit_amount - sums.credit_amount
        state = after
    assert state.batch == 2, "the day is not settled"
    return amount


def one(till: Weak) -> ResponseCode | None:
    """A tap, or what follows one."""
    assert till.terminal is not None
    chance, state = till.chance, till.terminal.state
    used = {record.about.stan for record in state.records if record.about is not None}
    sales = [record for record in state.records if record.kind is Kind.SALE and record.stan not in used]
    what = chance.random()
    if what < 0.05 and sales:
        return till.void(chance.choice(sales).stan)
    if what < 0.10 and sales:
        record = chance.choice(sales)
        return till.refund(record.stan, chance.randint(1, record.amount.minor))
    return till.sale(card(chance.randrange(500)), chance.randint(1, 100_000))


def day(shop: Shop, *, terminals: int, taps: int, seed: int) -> Told:
    """A whole day; returns what the terminals said when everything that can be checked fits."""
    bank = OneAtATime(random.Random(seed), Faults())
    shop.bank = bank
    provider.register("acquirer", bank, payable=False)
    tills: list[Weak] = []
    for number in range(terminals):
        device = shop.device(shop.enrol(), answer_s=30)
        till = Weak(device.setup, device.address, device.journal, answer_s=30)
        till.chance = random.Random(f"{seed}-{number}")
        tills.append(till)
    bank.faults = FAULTS
    told = [Told() for _till in tills]
    with ThreadPoolExecutor(terminals) as threads:
        list(threads.map(lambda pair: work(pair[0], taps // terminals, pair[1]), zip(tills, told, strict=True)))
    bank.faults = Faults()
    for _round in range(ROUNDS_MAX):
        bank.time_passes()
        left = taking_back.left()
        for transaction in left:
            taking_back.take_back(transaction, now=clock.now)
        due = list(Operation.objects.filter(next_ask_at__isnull=False).values_list("pk", flat=True))
        for operation in due:
            asking.attempt(operation, now=clock.now())
        if not left and not due and not bank.on_the_way:
            break
    sums = Batch.objects.aggregate(debit=Sum("debit_amount"), credit=Sum("credit_amount"))
    amount = sum(one.amount for one in told)
    assert (sums["debit"] - sums["credit"], shop.wallet(), shop.owed(), bank.balance("CNY")) == (amount,) * 4
    assert not Batch.objects.exclude(unknown=[]).exists()
    assert [check for check in all_checks() if not check.ok] == []
    connections.close_all()
    return Told(
        *(sum(getattr(one, name) for one in told) for name in ("taps", "crashes", "unknown", "waited", "amount"))
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_settles_to_the_fen(shop: Shop, seed: int) -> None:
    told = day(shop, terminals=4, taps=320, seed=seed)
    assert told.taps == 320
    assert told.crashes, "a day without a crash tests nothing"


@pytest.mark.soak
def test_ten_thousand_taps_settle_to_the_fen(shop: Shop) -> None:
    told = day(shop, terminals=20, taps=10_000, seed=10_000)
    print(f"{told.taps} taps, {told.crashes} crashes, {told.unknown} taken back, {told.amount} fen;"
          f" {Transaction.objects.count()} transactions")  # fmt: skip
    assert told.taps == 10_000
