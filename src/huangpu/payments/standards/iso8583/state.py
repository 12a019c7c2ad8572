"""The state of a simulated terminal, folded from the messages it has sent and received. Pure: no bytes, no key, no clock.

Three things may be open: a *request* that waits for its answer, which decides whether it happened; a *stored* message, which
has to be answered before anything new may begin and is sent again until then (a reversal, an advice, a settlement, an upload);
and a question of network management, which moves no money.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict
from huangpu.core.money import Money

from .messages import (
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
from .values import (
    BATCH_MAX,
    STAN_MAX,
    Kind,
    LocalTime,
    NetworkKind,
    Original,
    Reconciliation,
    ResponseCode,
    Totals,
)

SIGN_ON_AGAIN = frozenset({ResponseCode.SIGN_ON_AGAIN, ResponseCode.WRONG_MAC})
NOT_YET = SIGN_ON_AGAIN | {  # answers after which what is stored is sent again
    ResponseCode.CUT_OFF,
    ResponseCode.ISSUER_UNAVAILABLE,
    ResponseCode.SYSTEM_MALFUNCTION,
    ResponseCode.HOST_TIMED_OUT,
    ResponseCode.ANSWERED_TOO_LATE,
}
REVERSED = frozenset({ResponseCode.APPROVED, ResponseCode.ORIGINAL_NOT_FOUND})  # it is, or it never was

Stored = Reversal | Request | Settlement | BatchUpload | BatchUploadEnd


@dataclass(frozen=True, slots=True)
class Record:
    """An approved transaction of the open batch. `about`: the original, if it has one; `masked`: of the card."""

    kind: Kind
    batch: int
    stan: int
    local: LocalTime
    amount: Money
    rrn: str
    auth_code: str | None
    masked: str | None
    about: Original | None

    @property
    def reference(self) -> Original:
        """How a later transaction names this one."""
        return Original(self.batch, self.stan, self.local.month, self.local.day, self.rrn, self.auth_code)


@dataclass(frozen=True, slots=True)
class State:
    """`wrapped_key`: the session key as it came, under the master key; `uploaded`: how many records of the batch were, while
    it is being uploaded."""

    last_stan: int = 0
    batch: int = 1
    wrapped_key: bytes | None = None
    waiting: Request | None = None
    stored: Stored | None = None
    network: NetworkRequest | None = None
    records: tuple[Record, ...] = ()
    uploaded: int | None = None

    @property
    def next_stan(self) -> int:
        return self.last_stan % STAN_MAX + 1

    @property
    def counted(self) -> list[Record]:
        """The records that are in the totals: pre-authorisations are not."""
        return [record for record in self.records if record.kind.is_debit is not None]


def totals(state: State, currency: str) -> Totals:
    """What the open batch comes to. A sale that was voided counts on both sides."""
    debits = [record.amount.minor for record in state.records if record.kind.is_debit is True]
    credits = [record.amount.minor for record in state.records if record.kind.is_debit is False]
    return Totals(currency, len(debits), sum(debits), len(credits), sum(credits))


def sent(state: State, message: Message) -> State:
    """The state with a message of the terminal's own on its way."""
    state = replace(state, last_stan=message.stan)
    match message:
        case Request() if not message.kind.is_advice:
            return replace(state, waiting=message)
        case Reversal():
            return replace(state, waiting=None, stored=message)
        case Request() | Settlement() | BatchUpload() | BatchUploadEnd():
            return replace(state, stored=message)
        case NetworkRequest():
            return replace(state, network=message)
        case _:
            raise _unexpected(message)


def received(state: State, message: Message) -> State:
    """The state with the host's answer. Refuses with `Conflict` `iso8583.reply_unexpected` what answers nothing open."""
    match message:
        case Reply():
            return _replied(state, message)
        case ReversalReply():
            reversal = _answered(state.stored, Reversal, message)
            same = (reversal.kind, reversal.batch, reversal.amount) == (message.kind, message.batch, message.amount)
            _expected(same, message)
            state = _key_lost(state, message.response)
            return replace(state, stored=None) if message.response in REVERSED else state
        case SettlementReply():
            return _settled(state, message)
        case BatchUploadReply():
            return _uploaded(state, message)
        case NetworkReply():
            return _network_replied(state, message)
        case _:
            raise _unexpected(message)


def given_up(state: State) -> State:
    """The state without its question of network management, which nobody answered."""
    return replace(state, network=None)


def _replied(state: State, reply: Reply) -> State:
    request = _answered(state.stored if reply.kind.is_advice else state.waiting, Request, reply)
    same = (request.kind, request.batch, request.amount) == (reply.kind, reply.batch, reply.amount)
    _expected(same, reply)
    state = _key_lost(state, reply.response)
    if reply.kind.is_advice and reply.response in NOT_YET:
        return state
    state = replace(state, stored=None) if reply.kind.is_advice else replace(state, waiting=None)
    if not reply.response.approved:
        return state
    record = Record(
        kind=request.kind,
        batch=request.batch,
        stan=request.stan,
        local=request.local,
        amount=request.amount,
        rrn=reply.rrn,
        auth_code=reply.auth_code,
        masked=request.card.masked if request.card is not None else None,
        about=request.original,
    )
    return replace(state, records=(*state.records, record))


def _settled(state: State, reply: SettlementReply) -> State:
    settlement = _answered(state.stored, Settlement, reply)
    _expected(settlement.batch == reply.batch and settlement.totals.currency == reply.totals.currency, reply)
    state = _key_lost(state, reply.response)
    if reply.outcome is Reconciliation.BALANCED and reply.response.approved:
        _expected(settlement.totals == reply.totals, reply)
        return _closed(state)
    if reply.outcome is Reconciliation.DIFFERENT:
        return replace(state, stored=None, uploaded=0)
    return state


def _uploaded(state: State, reply: BatchUploadReply) -> State:
    if reply.end:
        upload: BatchUpload | BatchUploadEnd = _answered(state.stored, BatchUploadEnd, reply)
    else:
        upload = _answered(state.stored, BatchUpload, reply)
    _expected(upload.batch == reply.batch and state.uploaded is not None, reply)
    state = _key_lost(state, reply.response)
    if not reply.response.approved:
        return state
    return _closed(state) if reply.end else replace(state, stored=None, uploaded=(state.uploaded or 0) + 1)


def _closed(state: State) -> State:
    batch = state.batch % BATCH_MAX + 1
    return replace(state, batch=batch, records=(), stored=None, uploaded=None)


def _network_replied(state: State, reply: NetworkReply) -> State:
    request = _answered(state.network, NetworkRequest, reply)
    _expected(request.kind is reply.kind, reply)
    state = replace(state, network=None)
    if not reply.response.approved:
        return _key_lost(state, reply.response)
    if reply.kind.brings_key:
        state = replace(state, wrapped_key=reply.wrapped_key)
    if reply.kind is NetworkKind.SIGN_OFF:
        state = replace(state, wrapped_key=None)
    untouched = not state.records and state.stored is None and state.uploaded is None
    return replace(state, batch=reply.batch) if reply.kind is NetworkKind.SIGN_ON and untouched else state


def _key_lost(state: State, response: ResponseCode) -> State:
    return replace(state, wrapped_key=None) if response in SIGN_ON_AGAIN else state


Asked = TypeVar("Asked", Request, Reversal, Settlement, BatchUpload, BatchUploadEnd, NetworkRequest)


def _answered(open_message: Message | None, asked: type[Asked], reply: Message) -> Asked:
    """The open message, when it is of that kind and the reply is to it."""
    if not isinstance(open_message, asked):
        raise _unexpected(reply)
    who = (reply.stan, reply.terminal, reply.merchant)
    _expected(who == (open_message.stan, open_message.terminal, open_message.merchant), reply)
    return open_message


def _expected(so: bool, message: Message) -> None:
    if not so:
        raise _unexpected(message)


def _unexpected(message: Message) -> Conflict:
    return Conflict(
        "iso8583.reply_unexpected",
        _("The message with trace number %(value)s answers nothing that the terminal has open; it changes nothing."),
        field="DE 11",
        value=message.stan,
    )
