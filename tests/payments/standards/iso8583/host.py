"""A host for the tests: the naive twin of the terminal's books. It answers every message it can prove, once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from huangpu.core.money import Money
from huangpu.payments.standards.iso8583.codec import claimed_terminal, decode, encode
from huangpu.payments.standards.iso8583.macs import MacKey, MasterKey
from huangpu.payments.standards.iso8583.messages import (
    BatchUpload,
    BatchUploadEnd,
    BatchUploadReply,
    Message,
    NetworkReply,
    NetworkRequest,
    Reply,
    Request,
    Reversal,
    ReversalReply,
    Settlement,
    SettlementReply,
)
from huangpu.payments.standards.iso8583.values import Kind, LocalTime, Reconciliation, ResponseCode, Totals

from .samples import WHO, tokenise

NOON = LocalTime(6, 1, 12, 0, 0)


@dataclass
class Host:
    """`decline`: what it answers to requests; `forget`: whether it loses the next approved request from its books, so that
    the totals differ."""

    master: MasterKey
    key: MacKey | None = None
    batch: int = 1
    decline: ResponseCode | None = None
    forget: bool = False
    keys_made: int = 0
    books: dict[int, Request] = field(default_factory=dict)  # by STAN, of the open batch
    reversed: set[int] = field(default_factory=set)
    answers: dict[tuple[int, int], Message] = field(default_factory=dict)  # by batch and STAN
    uploaded: list[BatchUpload] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    def answer(self, data: bytes) -> bytes:
        """The answer to a message; a repeated one gets the same answer and changes nothing."""
        assert claimed_terminal(data) == tuple(WHO.values())
        message = decode(data, self.key, tokenise=tokenise)
        if isinstance(message, NetworkRequest):
            return self._network(message)
        known = self.answers.get((message.batch, message.stan))
        reply = known or self._answer(message)
        if self.decline not in (ResponseCode.SYSTEM_MALFUNCTION, ResponseCode.SIGN_ON_AGAIN):
            self.answers[message.batch, message.stan] = reply
        return encode(reply, self.key)

    @property
    def totals(self) -> Totals:
        return totals_of([(one.kind, one.amount) for one in self.books.values()])

    def _network(self, message: NetworkRequest) -> bytes:
        key, wrapped = self.key, None
        if message.kind.brings_key:
            self.keys_made += 1
            key = MacKey(self.master.kind, self.keys_made.to_bytes(8, "big") + b"\xa5" * 8)
            wrapped = self.master.wrap(key)
        reply = NetworkReply(
            **WHO,
            kind=message.kind,
            stan=message.stan,
            local=NOON,
            batch=self.batch,
            response=ResponseCode.APPROVED,
            wrapped_key=wrapped,
        )
        data = encode(reply, self.key)
        self.key = key
        return data

    def _answer(self, message: Message) -> Message:
        head = {**WHO, "stan": message.stan, "batch": message.batch}
        response = self.decline or ResponseCode.APPROVED
        match message:
            case Request():
                return self._request(message, response)
            case Reversal():
                if self.decline is None:
                    self.reversed.add(message.original_stan)
                    known = self.books.pop(message.original_stan, None)
                    response = ResponseCode.APPROVED if known else ResponseCode.ORIGINAL_NOT_FOUND
                payment = {"local": NOON, "kind": message.kind, "amount": message.amount}
                return ReversalReply(**head, **payment, rrn=f"{message.stan:012}", response=response)
            case Settlement():
                return self._settlement(message)
            case BatchUpload():
                self.uploaded.append(message)
                return BatchUploadReply(**head, response=response, end=False)
            case BatchUploadEnd():
                assert message.count == len(self.uploaded)
                self._close()
                return BatchUploadReply(**head, response=response, end=True)
        raise AssertionError(message)

    def _request(self, message: Request, response: ResponseCode) -> Reply:
        if message.stan in self.reversed:
            response = ResponseCode.ANSWERED_TOO_LATE
        if response.approved and not self.forget:
            self.books[message.stan] = message
        self.forget = False
        return Reply(
            **{**WHO, "stan": message.stan, "batch": message.batch, "local": NOON},
            kind=message.kind,
            amount=message.amount,
            rrn=f"{message.stan:012}",
            response=response,
            auth_code="A00001" if response.approved else None,
        )

    def _settlement(self, message: Settlement) -> SettlementReply:
        own = self.totals
        outcome = Reconciliation.BALANCED if own == message.totals else Reconciliation.DIFFERENT
        code = ResponseCode.APPROVED if outcome is Reconciliation.BALANCED else ResponseCode.TOTALS_DIFFER
        if outcome is Reconciliation.BALANCED:
            self._close()
        return SettlementReply(
            **WHO, stan=message.stan, batch=message.batch, local=NOON, totals=own, outcome=outcome, response=code
        )

    def _close(self) -> None:
        self.closed.append(self.batch)
        self.batch += 1
        self.books, self.reversed = {}, set()


def totals_of(payments: list[tuple[Kind, Money]]) -> Totals:
    """Counted one by one, as by hand."""
    result = Totals("CNY")
    for kind, amount in payments:
        if kind.is_debit is True:
            result = replace(
                result, debit_count=result.debit_count + 1, debit_amount=result.debit_amount + amount.minor
            )
        elif kind.is_debit is False:
            result = replace(
                result, credit_count=result.credit_count + 1, credit_amount=result.credit_amount + amount.minor
            )
    return result
