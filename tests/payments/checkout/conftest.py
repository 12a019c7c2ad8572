"""A shop that asks for money, a payer with a wallet, and a bank with its book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from huangpu.channels.simulators.book import Book
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds import queries as balances
from huangpu.parties.actor import Actor
from huangpu.payments.checkout import acts
from huangpu.payments.checkout.models import Checkout
from huangpu.payments.gateway import provider
from tests.simulated_banks import BankHere
from tests.small_city import City, found

NOW = datetime.now(UTC)  # jobs ask the clock, so acts stand at its time


@dataclass
class Shop:
    city: City
    book: Book

    @property
    def payee(self) -> Actor:
        return Actor(self.city.clerk.pk, self.city.seller.pk, self.city.market.pk, frozenset({"clerk", "finance"}))

    @property
    def payer(self) -> Actor:
        return Actor(self.city.owner.pk, self.city.buyer.pk, self.city.market.pk, frozenset({"owner"}))

    def open(self, **changed: Any) -> Checkout:
        asked = acts.Asked(title="Two lamps", amount=25_800, currency="CNY")
        return acts.open_checkout(
            actor=self.payee, marketplace_id=self.city.market.pk, asked=replace(asked, **changed), now=NOW
        )

    def wallet(self, who: Actor) -> int:
        assert who.organisation_id is not None
        return balances.wallet(self.city.market.pk, who.organisation_id, "CNY").available

    def fill_wallet(self, amount: int) -> None:
        funds.top_up(actor=self.payer, marketplace_id=self.city.market.pk, organisation_id=self.city.buyer.pk, amount=amount,
                     currency="CNY", now=NOW)  # fmt: skip


@pytest.fixture
def shop(db: None, tmp_path: Path, settings: Any) -> Iterator[Shop]:  # noqa: ARG001
    settings.HUANGPU = replace(settings.HUANGPU, data=tmp_path)
    known = dict(provider._known)
    made = Shop(found(), Book(tmp_path / "simulators.db"))
    provider.register("pujiang", BankHere(made.book), title={"en": "Pujiang Bank", "zh-hans": "浦江银行"})
    provider.register("waitan", BankHere(made.book, "waitan"), title={"en": "Bund Bank", "zh-hans": "外滩银行"})
    yield made
    provider._known.clear()
    provider._known.update(known)
