"""Two banks that speak ISO 20022: ours takes pain.001 and sends pacs.008 to the other, which answers pacs.002; ours tells by
pain.002, camt.054, and at the end of the day by camt.053."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from huangpu.core.ids import uuid7
from huangpu.payments.standards.iso20022 import statements, transfers
from huangpu.payments.standards.iso20022.parties import Account
from huangpu.payments.standards.iso20022.statements import Head, Line, Notification
from huangpu.payments.standards.iso20022.transfers import Interbank, Report, Status


@dataclass
class OtherBank:
    """Knows its customers' accounts; a transfer to another is rejected (AC04: closed account number)."""

    customers: set[str]
    credited: dict[str, int] = field(default_factory=dict)

    def take(self, pacs008: bytes) -> bytes:
        one = transfers.read_interbank(pacs008)
        answers = []
        for _debtor, transfer in one.transfers:
            known = transfer.creditor.number in self.customers
            if known:
                self.credited[transfer.end_to_end] = transfer.amount
            answers.append(
                Status(transfer.end_to_end, "ACSC") if known else Status(transfer.end_to_end, "RJCT", "AC04")
            )
        return transfers.write_interbank_report(Report(uuid7().hex[:30], one.created, one.id, tuple(answers)))


@dataclass
class OurBank:
    """Keeps one account. Each end-to-end id is done once."""

    account: Account
    other: OtherBank
    opening: int
    lines: list[Line] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)

    def take(self, pain001: bytes, now: datetime) -> tuple[bytes, bytes]:
        """Does what it is told; returns pain.002 and camt.054."""
        asked = transfers.read_initiation(pain001)
        new = tuple((asked.debtor, one) for one in asked.transfers if one.end_to_end not in self.done)
        told = []
        if new:
            sent = transfers.write_interbank(Interbank(uuid7().hex[:30], now, asked.day, new))
            told = list(transfers.read_interbank_report(self.other.take(sent)).statuses)
        amounts = {one.end_to_end: one.amount for one in asked.transfers}
        booked = []
        for status in told:
            self.done[status.end_to_end] = status.status
            if status.status == "ACSC":
                booked.append(
                    Line(status.end_to_end, -amounts[status.end_to_end], now, f"BK{len(self.lines) + len(booked)}")
                )
        self.lines += booked
        report = transfers.write_customer_report(Report(uuid7().hex[:30], now, asked.id, tuple(told)))
        return report, statements.write_notification(
            Notification(uuid7().hex[:30], now, self.account, "CNY", tuple(booked))
        )

    def book(self, line: Line) -> None:
        """Something that nobody asked for: a fee, money from a stranger."""
        self.lines.append(line)

    def end_of_day(self, since: datetime, until: datetime) -> bytes:
        """camt.053 of the day."""
        closing = self.opening + sum(line.amount for line in self.lines)
        head = Head(uuid7().hex[:30], until, self.account.number, "CNY", since, until, self.opening, closing)
        data = statements.write_statement(head, self.account, [[line] for line in self.lines])
        self.opening, self.lines = closing, []
        return data
