"""A simulated bank with faults of chance: it may lose an order or its answer, be slow, repeat, answer something else, stop.

What it has done is kept in it, so that a test can ask what is true. All chance comes from one seeded source.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from uuid import UUID

from .provider import Answer, Order

INTO_US = {"capture", "purchase", "top_up"}
OUT_OF_US = {"refund", "payout"}


class NoAnswer(Exception):
    """The line was cut, or nobody answered in time."""


@dataclass(slots=True)
class Faults:
    """How often, of one: an order lost, arriving late, done without an answer; answered "pending", for another amount, or not
    at all for a while (`stops`: so many calls)."""

    lost: float = 0.0
    late: float = 0.0
    unanswered: float = 0.0
    pending: float = 0.0
    lies: float = 0.0
    stops: float = 0.0
    declines: float = 0.0


@dataclass(slots=True)
class SimulatedBank:
    """`done` holds the orders that moved money or stand authorised; `refused` those that never will."""

    chance: random.Random
    faults: Faults = field(default_factory=Faults)
    done: dict[UUID, Order] = field(default_factory=dict)
    refused: dict[UUID, str] = field(default_factory=dict)
    undecided: dict[UUID, Order] = field(default_factory=dict)
    on_the_way: list[Order] = field(default_factory=list)
    _silent: int = 0

    def send(self, order: Order) -> Answer:
        self._line()
        if self._happens(self.faults.lost):
            raise NoAnswer
        if self._happens(self.faults.late):
            self.on_the_way.append(order)
            raise NoAnswer
        self.arrive(order)
        return self._told(order)

    def query(self, order: Order) -> Answer:
        self._line()
        return self._told(order)

    def cancel(self, order: Order) -> Answer:
        self._line()
        kept = order.id in self.done and order.verb in OUT_OF_US | {
            "top_up",
            "capture",
            "void",
        }  # these are not taken back
        if not kept:
            self.done.pop(order.id, None)
            self.undecided.pop(order.id, None)
            self.refused[order.id] = "cancelled"
        return self._told(order)

    def arrive(self, order: Order) -> None:
        """An order comes in, perhaps once more, perhaps after it was cancelled: it is decided once."""
        if order.id in self.done or order.id in self.refused or order.id in self.undecided:
            return
        if self._happens(self.faults.pending):
            self.undecided[order.id] = order
        else:
            self._decide(order)

    def time_passes(self) -> None:
        """Of what is on its way about half arrives (all once nothing is late any more), what was undecided is decided."""
        late, self.on_the_way = self.on_the_way, []
        for order in late:
            if self.faults.late and self._happens(0.5):
                self.on_the_way.append(order)
            else:
                self.arrive(order)
        waiting, self.undecided = self.undecided, {}
        for order in waiting.values():
            self._decide(order)

    def balance(self, currency: str) -> int:
        """What it took in for us less what it gave out, in minor units."""
        return sum(
            order.amount if order.verb in INTO_US else -order.amount
            for order in self.done.values()
            if order.currency == currency and order.verb in INTO_US | OUT_OF_US
        )

    def _decide(self, order: Order) -> None:
        if self._happens(self.faults.declines):
            self.refused[order.id] = "insufficient_funds"
        else:
            self.done[order.id] = order

    def _told(self, order: Order) -> Answer:
        answer = Answer(order.id, "not_found", order.amount, order.currency)
        if order.id in self.done:
            answer = replace(answer, status="succeeded", reference=f"SIM{order.id.hex[-12:].upper()}")
        elif order.id in self.refused:
            answer = replace(answer, status="declined", reason=self.refused[order.id])
        elif order.id in self.undecided:
            answer = replace(answer, status="pending")
        if self._happens(self.faults.unanswered):
            raise NoAnswer
        if self._happens(self.faults.lies):
            return replace(answer, status="succeeded", amount=answer.amount + 1)
        return answer

    def _line(self) -> None:
        if self._silent:
            self._silent -= 1
            raise NoAnswer
        if self._happens(self.faults.stops):
            self._silent = self.chance.randrange(1, 6)
            raise NoAnswer

    def _happens(self, often: float) -> bool:
        return self.chance.random() < often
