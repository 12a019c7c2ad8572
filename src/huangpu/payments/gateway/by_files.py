"""A bank that is spoken with in files (ISO 20022): payouts are collected, sent as one pain.001, and answered by pain.002 and
camt.054.

What is collected is in this process only: after a crash an operation is simply asked for again, and a bank does each end-to-end
id once. What the bank has told is kept by whoever calls `take`, with the operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from huangpu.core.ids import uuid7
from huangpu.payments.standards.iso20022 import statements, transfers
from huangpu.payments.standards.iso20022.parties import Account
from huangpu.payments.standards.iso20022.transfers import Initiation, Transfer

from .provider import Answer, Order, Status

BATCH_MAX = 5_000  # transfers of one message


@dataclass
class BankByFiles:
    """`account`: ours at this bank; `beneficiary`: whose account an order pays (it knows the operation by its id)."""

    account: Account
    beneficiary: Callable[[UUID], Account]
    waiting: dict[UUID, Order] = field(default_factory=dict)
    sent: dict[UUID, Order] = field(default_factory=dict)
    told: dict[UUID, Answer] = field(default_factory=dict)

    def send(self, order: Order) -> Answer:
        if order.id in self.told:
            return self.told[order.id]
        if order.verb != "payout":
            return Answer(order.id, "declined", order.amount, order.currency, reason="unsupported")
        if order.id not in self.sent:
            self.waiting[order.id] = order
        return Answer(order.id, "pending", order.amount, order.currency)

    def query(self, order: Order) -> Answer:
        known = order.id in self.waiting or order.id in self.sent
        status: Status = "pending" if known else "not_found"
        return self.told.get(order.id) or Answer(order.id, status, order.amount, order.currency)

    def cancel(self, order: Order) -> Answer:
        """What has not been sent never will be; of what has, the bank decides."""
        if order.id in self.waiting or order.id not in self.sent | self.told:
            self.waiting.pop(order.id, None)
            self.told[order.id] = Answer(order.id, "declined", order.amount, order.currency, reason="cancelled")
        return self.query(order)

    def cut(self, now: datetime) -> bytes | None:
        """A pain.001 of what is waiting, as much as one message takes; None where nothing is."""
        chosen = list(self.waiting.values())[:BATCH_MAX]
        if not chosen:
            return None
        found = tuple(Transfer(one.id.hex, one.amount, one.currency, self.beneficiary(one.id)) for one in chosen)
        data = transfers.write_initiation(Initiation(uuid7().hex[:30], now, self.account, now.date(), found))
        for one in chosen:
            self.sent[one.id] = self.waiting.pop(one.id)
        return data

    def take_report(self, data: bytes) -> list[Answer]:
        """What a pain.002 tells of our orders: only a rejection is an end; the money has moved when camt.054 says so."""
        rejected = [one for one in transfers.read_customer_report(data).statuses if one.status == transfers.REJECTED]
        return [
            self._end(order, "declined", reason=one.reason) for one in rejected if (order := self._ours(one.end_to_end))
        ]

    def take_notification(self, data: bytes) -> list[Answer]:
        """What a camt.054 tells of our orders: done. A booking for another amount than ordered is no answer."""
        done = []
        for line in statements.read_notification(data):
            order = self._ours(line.end_to_end)
            if order is not None and line.amount == -order.amount:
                done.append(self._end(order, "succeeded", reference=line.reference))
        return done

    def _ours(self, end_to_end: str) -> Order | None:
        try:
            return self.sent.get(UUID(hex=end_to_end))
        except ValueError:
            return None

    def _end(self, order: Order, status: Status, *, reference: str = "", reason: str = "") -> Answer:
        answer = Answer(order.id, status, order.amount, order.currency, reference, reason)
        return self.told.setdefault(order.id, answer)
