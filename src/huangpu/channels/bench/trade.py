"""`bench trade`: complete five-flow trades through the acts, and what one of them costs in statements."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from huangpu.channels.bench.measure import Measure, at_least, at_most
from huangpu.channels.bench.registry import bench
from huangpu.channels.bench.run import Run
from huangpu.channels.bench.together import count_for, together
from huangpu.core.memory import settle

PROCESSES = 8
PRICE, FEE = 100_000, 500  # minor units


@bench("trade")
def trade(run: Run) -> Iterator[Measure]:
    """Complete five-flow trades a second through the acts, in 8 processes, against TPC-B; statements for 1 and 50 lines."""
    market = _open_market(PROCESSES + 1)
    seconds = run.seconds
    run.say(f"{PROCESSES} processes trade for {seconds} s: conclude with holds, deliver, accept, release with fee")
    done = together(__name__, PROCESSES, str(market), str(seconds), "planted" if run.planted else "real")
    yield at_least("trade.complete", done / seconds, "trades/s", 0.10, run.tpcb().tps)
    one, fifty = _statements(market, 1, run.planted), _statements(market, 50, run.planted)
    yield at_most("trade.statements", one, "statements", 25)
    yield at_most("trade.statements.lines", fifty, "statements for 50 lines", 1.0, one)


def _open_market(pairs: int) -> UUID:
    """A marketplace with pairs of a rich buyer and a seller with stock; returns its id."""
    from huangpu.flows.funds import acts as funds
    from huangpu.flows.goods import acts as goods
    from huangpu.flows.goods.models import Place
    from huangpu.parties.actor import SYSTEM
    from huangpu.parties.models import Marketplace, Organisation

    now = datetime.now(UTC)
    market = Marketplace.objects.create(
        slug="bench", name={"en": "Bench"}, operator=Organisation.objects.create(name={"en": "Operator"})
    )
    for number in range(pairs):
        buyer = Organisation.objects.create(name={"en": f"buyer {number}"})
        seller = Organisation.objects.create(name={"en": f"seller {number}"})
        yard = Place.objects.create(organisation=seller, code="yard", name={"en": "Yard"})
        Place.objects.create(organisation=buyer, code="gate", name={"en": "Gate"})
        funds.top_up(
            actor=SYSTEM, marketplace_id=market.id, organisation_id=buyer.id, amount=10**15, currency="CNY", now=now
        )
        goods.take_in(
            actor=SYSTEM, marketplace_id=market.id, place_id=yard.id, item_id=yard.id, quantity=Decimal(10**9), now=now
        )
    return market.id


class Pair:
    """A buyer and a seller of the bench, and the trades they do."""

    def __init__(self, market: UUID, number: int) -> None:
        from huangpu.flows.goods.models import Place
        from huangpu.parties.actor import Actor
        from huangpu.parties.models import Organisation

        self.market = market
        buyer, seller = (Organisation.objects.get(name={"en": f"{role} {number}"}) for role in ("buyer", "seller"))
        yard, gate = Place.objects.get(organisation=seller), Place.objects.get(organisation=buyer)
        self.parties = {"buyer": buyer.id, "seller": seller.id}
        roles = frozenset({"owner"})
        self.actors = {role: Actor(id, id, market, roles) for role, id in self.parties.items()}
        self.places = {"item": str(yard.id), "from_place": str(yard.id), "to_place": str(gate.id)}

    def trade(self, lines: int = 1) -> None:
        """One trade in four acts: conclude with holds on money and stock, deliver, accept, release with the fee."""
        from huangpu.flows.process import acts

        parameters: dict[str, Any] = {
            "lines": [
                {"key": str(n), "name": {"en": "Coil"}, "quantity": "1", "unit": "TNE", "amount": PRICE, **self.places}
                for n in range(1, lines + 1)
            ],
            "fee": FEE, "pay_within": 3, "deliver_within": 10, "inspect_within": 2,
            "pay_at_once": True, "release_by_hand": True,
        }  # fmt: skip
        concluded = acts.conclude(
            actor=self.actors["buyer"], marketplace_id=self.market, template="manufacturing.purchase", parameters=parameters,
            parties=self.parties, title={"en": "Bench"}, currency="CNY", now=datetime.now(UTC),
        )  # fmt: skip
        for action, role in (("deliver", "seller"), ("accept", "buyer"), ("release", "buyer")):
            parts = [acts.Part(item.ordinal) for item in concluded.promises if item.action == action]
            acts.perform(actor=self.actors[role], agreement_id=concluded.id, parts=parts, now=datetime.now(UTC))


def _statements(market: UUID, lines: int, planted: bool) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    pair = Pair(market, PROCESSES)
    pair.trade()  # the first trade opens the accounts
    with CaptureQueriesContext(connection) as seen:
        pair.trade(lines)
        if planted:  # as a room that looks at every line by itself would
            _look_at_each_line(lines)
    return len(seen)


def _look_at_each_line(lines: int) -> None:
    from huangpu.flows.commerce.models import Commitment

    for number in range(lines):
        Commitment.objects.filter(ordinal=number).first()


def _trade_for(market: UUID, seconds: float, planted: bool, number: int) -> None:
    pair = Pair(market, number)
    pair.trade()
    settle()  # as every process that serves does
    count_for(seconds, lambda: pair.trade(200 if planted else 1))


if __name__ == "__main__":
    import django

    django.setup()
    _trade_for(UUID(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "planted", int(sys.argv[4]))
