"""The host of the terminals: bytes in, bytes out. What an answer acknowledges is committed before it is given.

No answer (None) is an answer too: what cannot be proved gets none, nor does what nobody knows the end of. The terminal then
takes it back, as often as it needs to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from huangpu.core.errors import HuangpuError
from huangpu.core.money import Money
from huangpu.payments.operations import asking
from huangpu.payments.operations.rules import FINAL
from huangpu.payments.standards.iso8583 import codec
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
from huangpu.payments.standards.iso8583.values import Kind, LocalTime, Reconciliation, ResponseCode

from . import acts, keys, rules, settling, taking_back
from .models import Terminal, Transaction

log = logging.getLogger(__name__)
TRIES = 2  # how often the acquirer is asked before the terminal is left without an answer
CODES = {
    "payment.exhausted": ResponseCode.ORIGINAL_AMOUNT_WRONG,
    "transfer.exceeds_floor": ResponseCode.DO_NOT_HONOUR,
    "operation.about": ResponseCode.ORIGINAL_NOT_FOUND,
}


def answer(data: bytes, *, now: Callable[[], datetime]) -> bytes | None:
    """The answer to a terminal's message, both without envelope and length."""
    try:
        identity, merchant = codec.claimed_terminal(data)
        terminal = Terminal.objects.filter(identity=identity, merchant_code=merchant).first()
        if terminal is None:
            log.warning("a terminal that nobody enrolled spoke: %r", identity)
            return None
        message = codec.decode(data, keys.session(terminal), tokenise=keys.card_token)
    except HuangpuError as wrong:
        log.warning("a message of a terminal was not believed: %s", wrong.code)
        return None
    reply = _reply(terminal, message, now)
    if reply is None:
        return None
    terminal.refresh_from_db(fields=["wrapped_key"])
    sealed_by = keys.session(terminal)
    if sealed_by is None and not (isinstance(reply, NetworkReply) and not reply.kind.sealed):
        return None  # it signed off meanwhile
    return codec.encode(reply, sealed_by)


def _reply(terminal: Terminal, message: Message, now: Callable[[], datetime]) -> Message | None:
    match message:
        case Request():
            return _request(terminal, message, now)
        case Reversal():
            return _reversal(terminal, message, now)
        case Settlement():
            return _settlement(terminal, message, now)
        case BatchUpload() | BatchUploadEnd():
            return _upload(terminal, message, now)
        case NetworkRequest():
            return _network(terminal, message, now)
        case _:
            return None


def _request(terminal: Terminal, request: Request, now: Callable[[], datetime]) -> Reply | None:
    try:
        done = acts.begin(terminal_id=terminal.pk, request=request, now=now())
    except acts.Declined as declined:
        return _replied(request, rules.retrieval_number(request.stan, now()), declined.code, None)
    except HuangpuError as refused:
        code = CODES.get(refused.code, ResponseCode.INVALID_TRANSACTION)
        done = acts.decline(terminal_id=terminal.pk, request=request, code=code, now=now())
    if not done.response and done.operation_id is not None:
        ask(done.operation_id, now)
        done = acts.finish(transaction_id=done.pk, now=now())
    if not done.response:
        return None
    return _replied(request, done.rrn, ResponseCode(done.response), _auth_code(done))


def ask(operation_id: UUID, now: Callable[[], datetime]) -> str:
    """Asks the acquirer until there is an end, a few times."""
    state = "asked"
    for _try in range(TRIES):
        state = asking.attempt(operation_id, now=now())
        if state in FINAL:
            break
    return state


def _replied(request: Request, rrn: str, code: ResponseCode, auth_code: str | None) -> Reply:
    return Reply(
        kind=request.kind, stan=request.stan, local=request.local, terminal=request.terminal, merchant=request.merchant,
        batch=request.batch, amount=request.amount, rrn=rrn, response=code, auth_code=auth_code if code.approved else None,
    )  # fmt: skip


def _auth_code(done: Transaction) -> str | None:
    """Six characters of the acquirer's reference, for an authorisation or a sale."""
    if done.kind not in (Kind.SALE.name, Kind.PRE_AUTHORISATION.name) or done.operation is None:
        return None
    letters = "".join(one for one in done.operation.reference if one.isascii() and one.isalnum()).upper()
    return letters[-6:] if len(letters) >= 6 else None


def _reversal(terminal: Terminal, reversal: Reversal, now: Callable[[], datetime]) -> ReversalReply | None:
    taken = acts.take_back(terminal_id=terminal.pk, reversal=reversal, now=now())
    if not taking_back.take_back(taken.pk, now=now):
        return None  # the terminal says it again
    return ReversalReply(
        kind=reversal.kind, stan=reversal.stan, local=LocalTime.of(now()), terminal=reversal.terminal,
        merchant=reversal.merchant, batch=reversal.batch, amount=Money(reversal.amount.minor, reversal.amount.currency),
        rrn=taken.rrn, response=ResponseCode.APPROVED if taken.operation_id else ResponseCode.ORIGINAL_NOT_FOUND,
    )  # fmt: skip


def _settlement(terminal: Terminal, settlement: Settlement, now: Callable[[], datetime]) -> SettlementReply:
    code = ResponseCode.APPROVED
    try:
        ours, equal = settling.settle(terminal_id=terminal.pk, settlement=settlement, now=now())
        outcome = Reconciliation.BALANCED if equal else Reconciliation.DIFFERENT
        code = code if equal else ResponseCode.TOTALS_DIFFER
    except acts.Declined as declined:
        ours, outcome, code = settlement.totals, Reconciliation.FAILED, declined.code
    return SettlementReply(
        stan=settlement.stan, local=LocalTime.of(now()), terminal=settlement.terminal, merchant=settlement.merchant,
        batch=settlement.batch, totals=ours, outcome=outcome, response=code,
    )  # fmt: skip


def _upload(terminal: Terminal, line: BatchUpload | BatchUploadEnd, now: Callable[[], datetime]) -> BatchUploadReply:
    code = ResponseCode.APPROVED
    try:
        if isinstance(line, BatchUpload):
            settling.upload(terminal_id=terminal.pk, line=line, now=now())
        else:
            for one in settling.end_upload(terminal_id=terminal.pk, end=line, now=now()):
                taking_back.take_back(one, now=now)
    except acts.Declined as declined:
        code = declined.code
    return BatchUploadReply(
        stan=line.stan, terminal=line.terminal, merchant=line.merchant, batch=line.batch, response=code,
        end=isinstance(line, BatchUploadEnd),
    )  # fmt: skip


def _network(terminal: Terminal, request: NetworkRequest, now: Callable[[], datetime]) -> NetworkReply:
    after = terminal
    code = ResponseCode.APPROVED
    if terminal.blocked_at is not None and request.kind.brings_key:
        code = ResponseCode.NOT_PERMITTED_TO_TERMINAL
    else:
        after = acts.manage(terminal_id=terminal.pk, kind=request.kind, now=now())
    brings = request.kind.brings_key and code.approved
    return NetworkReply(
        kind=request.kind, stan=request.stan, local=LocalTime.of(now()), terminal=request.terminal, merchant=request.merchant,
        batch=after.batch, response=code, wrapped_key=bytes(after.wrapped_key) if brings and after.wrapped_key else None,
    )  # fmt: skip
