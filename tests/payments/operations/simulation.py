"""Payments under chance: merchants ask, a bank loses, delays, lies and stops, processes die, and the clock is ours.

A history is told wholly by its seed. When the faults end, everything must come to an end on which bank and books agree.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import queries
from huangpu.flows.funds import verify as funds_verify
from huangpu.flows.funds.rules import account_id
from huangpu.parties.actor import Actor
from huangpu.payments.gateway.provider import Answer, Order, provider_id, register
from huangpu.payments.gateway.simulator import Faults, NoAnswer, SimulatedBank
from huangpu.payments.operations import acts, asking, verify
from huangpu.payments.operations.acts import Wish
from huangpu.payments.operations.models import Operation, Payment

STEPS = 24
EXPECTED = {"payment.exhausted", "operation.about", "transfer.exceeds_floor"}


@dataclass
class History:
    """One seed's world: a marketplace, three merchants, a bank."""

    seed: int
    market: UUID = field(default_factory=uuid7)
    now: datetime = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        often = self.chance.choice((0.0, 0.05, 0.2))
        self.bank = SimulatedBank(
            random.Random(self.seed + 1),
            Faults(
                lost=often, late=often, unanswered=often, pending=often, lies=often / 2, stops=often / 4, declines=0.1
            ),
        )
        self.name = f"bank-{self.seed}"
        register(self.name, self.bank)
        self.merchants = [
            Actor(person_id=uuid7(), organisation_id=uuid7(), roles=frozenset({"finance"})) for _ in range(3)
        ]

    def run(self) -> list[str]:
        """Everything that was wrong; empty when nothing was."""
        steps = [self.pay] * 4 + [self.follow] * 5 + [self.wallet] * 2 + [self.again] * 2
        steps += [self.time_passes] * 4 + [self.die, self.notice, self.notice]
        for _ in range(STEPS):
            step = self.chance.choice(steps)
            try:
                step()
            except HuangpuError as refused:
                if refused.code not in EXPECTED:
                    self.wrong.append(f"{step.__name__}: {refused.code}")
            except Exception as broken:  # what breaks is wrong as well, and told with its seed
                return [*self.wrong, f"{step.__name__}: {broken!r}"]
        try:
            self.end()
        except Exception as broken:
            return [*self.wrong, f"end: {broken!r}"]
        return self.wrong

    def pay(self) -> None:
        who, amount = self.chance.choice(self.merchants), self.chance.randrange(1, 100_000)
        payment = acts.open_payment(
            actor=who, marketplace_id=self.market, amount=amount, currency="CNY", channel="web", provider=self.name,
            reference=f"order {self.chance.random()}", now=self.now, fee_ppm=self.chance.choice((0, 6_000)),
        )  # fmt: skip
        self.ask(who, payment, Wish(self.chance.choice(("authorise", "purchase")), amount, uuid7()))

    def follow(self) -> None:
        ended = list(
            Operation.objects.filter(marketplace_id=self.market, state="succeeded", payment__isnull=False).order_by(
                "id"
            )
        )
        if ended:
            about = self.chance.choice(ended)
            verb = self.chance.choice(("capture", "capture", "void") if about.verb == "authorise" else ("refund",))
            amount = self.chance.choice((about.amount, max(1, about.amount // 2), about.amount + 1))
            self.ask(self.merchant(about), about.payment_id, Wish(verb, amount, uuid7(), about.pk))

    def wallet(self) -> None:
        who = self.chance.choice(self.merchants)
        wish = Wish(self.chance.choice(("payout", "top_up")), self.chance.randrange(1, 50_000), uuid7())
        acts.ask_of_wallet(
            actor=who, marketplace_id=self.market, provider=self.name, currency="CNY", wish=wish, now=self.now
        )
        self.maybe_send(wish.operation_id)

    def again(self) -> None:
        """The same once more is nothing new; something else under the same id is refused."""
        asked = list(Operation.objects.filter(marketplace_id=self.market, payment__isnull=False).order_by("id"))
        if not asked:
            return
        one, more = self.chance.choice(asked), self.chance.choice((0, 1))
        wish = Wish(one.verb, one.amount + more, one.pk, one.about_id)
        try:
            acts.ask(actor=self.merchant(one), payment_id=one.payment_id, wish=wish, now=self.now)
        except HuangpuError as refused:
            if not more or refused.code != "operation.id_reused":
                raise
            return
        if more:
            self.wrong.append("an id was used twice for different things")

    def time_passes(self) -> None:
        self.now += timedelta(seconds=self.chance.choice((5, 40, 300, 1_900)))
        self.bank.time_passes()
        asking.ask_due(now=self.now)

    def die(self) -> None:
        """A process sends an order and dies before it writes down what it heard."""
        if open_ones := self.open_ones():
            one = self.chance.choice(open_ones)
            order = Order(one.pk, one.verb, one.amount, one.currency, one.about_id)
            if one.give_up_at > self.now:
                with suppress(NoAnswer):
                    self.bank.send(order)

    def notice(self) -> None:
        """The bank tells something by itself: again what it told, or nonsense."""
        every = list(Operation.objects.filter(marketplace_id=self.market).order_by("id"))
        if every:
            one = self.chance.choice(every)
            status = (
                "succeeded" if one.pk in self.bank.done else "declined" if one.pk in self.bank.refused else "pending"
            )
            amount = one.amount
            if self.chance.random() < 0.3:
                status, amount = "succeeded", one.amount + 1
            acts.answer(operation_id=one.pk, said=Answer(one.pk, status, amount, one.currency), now=self.now)

    def ask(self, who: Actor, payment: UUID, wish: Wish) -> None:
        acts.ask(actor=who, payment_id=payment, wish=wish, now=self.now)
        self.maybe_send(wish.operation_id)

    def maybe_send(self, operation: UUID) -> None:
        if self.chance.random() < 0.8:  # else the process died before it sent anything
            asking.attempt(operation, now=self.now)

    def merchant(self, operation: Operation) -> Actor:
        return next(one for one in self.merchants if one.organisation_id == operation.holder_id)

    def open_ones(self) -> list[Operation]:
        return list(Operation.objects.filter(marketplace_id=self.market, ended_at__isnull=True).order_by("id"))

    def end(self) -> None:
        """The faults are over; after a while everything has ended, and bank and books say the same."""
        self.bank.faults = Faults()
        for _ in range(12):
            self.bank.time_passes()
            self.now += timedelta(minutes=15)
            asking.ask_due(now=self.now)
        self.wrong += [f"{one.verb} has no end" for one in self.open_ones()]
        for one in Operation.objects.filter(marketplace_id=self.market):
            done = self.bank.done.get(one.pk)
            if (one.state == "succeeded") != (done is not None):
                self.wrong.append(f"{one.verb} is {one.state}, the bank has {'done' if done else 'not done'} it")
            if done and done.amount != one.amount:
                self.wrong.append(f"{one.verb} over {one.amount}, the bank moved {done.amount}")
        if strangers := set(self.bank.done) - set(Operation.objects.values_list("pk", flat=True)):
            self.wrong.append(f"the bank did {len(strangers)} orders that nobody asked for")
        kept = self.balance("bank", provider_id(self.name))
        if -kept != self.bank.balance("CNY"):
            self.wrong.append(f"the books say {-kept}, the bank {self.bank.balance('CNY')}")
        if self.fees() != self.fees_due():
            self.wrong.append(f"{self.fees()} in fees, {self.fees_due()} is due")
        for check in (*verify.checks(), *funds_verify.checks()):
            if not check.ok:
                self.wrong.append(f"{check.name}: {check.detail}")

    def balance(self, book: str, holder: UUID | None) -> int:
        account = account_id(self.market, book, holder, "CNY")
        kept = queries.balances([account]).get(account)
        return kept.posted if kept else 0

    def fees(self) -> int:
        return self.balance("fees", None)

    def fees_due(self) -> int:
        """By a way of its own: exact decimals, half up."""
        rates = {one.pk: one.fee_ppm for one in Payment.objects.filter(marketplace_id=self.market)}
        captured = Operation.objects.filter(
            marketplace_id=self.market, state="succeeded", verb__in=("capture", "purchase")
        )
        return sum(
            int((Decimal(one.amount) * rates[one.payment_id] / 1_000_000).quantize(Decimal(1), ROUND_HALF_UP))
            for one in captured
            if one.payment_id
        )
