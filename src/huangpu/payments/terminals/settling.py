"""The end of a batch: its totals are compared, and where they differ the terminal's own list decides what stands."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from huangpu.core.db import act
from huangpu.core.ids import uuid7
from huangpu.payments.operations import acts as operations
from huangpu.payments.standards.iso8583.messages import BatchUpload, BatchUploadEnd, Settlement
from huangpu.payments.standards.iso8583.values import BATCH_MAX, Kind, ResponseCode, Totals

from . import acts, rules
from .models import Batch, Terminal, Transaction

APPROVED = ResponseCode.APPROVED.value


def standing(terminal: Terminal, number: int) -> list[Transaction]:
    """The transactions of a batch that were approved and not taken back."""
    return list(Transaction.objects.filter(terminal=terminal, batch=number, response=APPROVED, reversed_at=None))


def totals(terminal: Terminal, number: int) -> Totals:
    """What a batch comes to by our own book."""
    return rules.totals(terminal.currency, [(one.kind, one.amount) for one in standing(terminal, number)])


@act
def settle(*, terminal_id: UUID, settlement: Settlement, now: datetime) -> tuple[Totals, bool]:
    """Our totals, and whether they are the terminal's; then the batch is closed. The same again gives the same.

    Raises `acts.Declined` for a batch that is neither open nor closed.
    """
    terminal = acts.locked(terminal_id)
    found = Batch.objects.filter(terminal=terminal, number=settlement.batch).first()
    if found is not None and found.closed_at is not None:
        ours = _of(found, terminal)
        return ours, ours == settlement.totals
    if settlement.batch != terminal.batch:
        raise acts.Declined(ResponseCode.CUT_OFF)
    ours = totals(terminal, terminal.batch)
    equal = ours == settlement.totals
    made = found or Batch(id=uuid7(), terminal=terminal, number=terminal.batch, begun_at=now)
    if equal:
        _close(made, terminal, ours, now)
    else:
        _sum(made, ours)
        made.uploading = []
        made.save()
    return ours, equal


@act
def upload(*, terminal_id: UUID, line: BatchUpload, now: datetime) -> None:  # noqa: ARG001
    """One transaction of the terminal's list. Raises `acts.Declined` when no list is waited for."""
    made = _uploading(acts.locked(terminal_id), line.batch)
    told = [line.original.stan, line.kind.name, line.amount.minor]
    if told not in made.uploading:
        made.uploading.append(told)
        made.save(update_fields=["uploading"])


@act
def end_upload(*, terminal_id: UUID, end: BatchUploadEnd, now: datetime) -> list[UUID]:
    """The list is whole: what we have beyond it is taken back (returned), what it has beyond ours is kept for a person."""
    terminal = acts.locked(terminal_id)
    found = Batch.objects.filter(terminal=terminal, number=end.batch, closed_at__isnull=False).exists()
    if found:
        return []
    made = _uploading(terminal, end.batch)
    theirs = {stan: [kind, amount] for stan, kind, amount in made.uploading}
    ours = [one for one in standing(terminal, end.batch) if _counts(one)]
    beyond = [one for one in ours if theirs.get(one.stan) != [one.kind, one.amount]]
    known = {one.stan for one in ours}
    made.unknown = [[stan, *told] for stan, told in sorted(theirs.items()) if stan not in known]
    if len(made.uploading) != end.count:
        made.unknown.append([0, "COUNT", end.count])
    locked = (
        Transaction.objects.select_for_update(of=("self",)).filter(pk__in=[one.pk for one in beyond]).order_by("pk")
    )
    for one in locked:
        acts.mark_back(one, now)
    _close(made, terminal, totals(terminal, end.batch), now)
    return [one.pk for one in locked]


def _close(made: Batch, terminal: Terminal, ours: Totals, now: datetime) -> None:
    """Closes the batch; what the terminal asked for and never heard of is taken back, for it can do so no more; what it
    voided goes out."""
    _sum(made, ours)
    made.closed_at = now
    made.save()
    open_ones = Transaction.objects.select_for_update(of=("self",)).filter(
        terminal=terminal, batch=made.number, response="", reversed_at=None
    )
    for one in open_ones.order_by("pk"):
        acts.mark_back(one, now)
    for one in standing(terminal, made.number):
        if Kind[one.kind] in acts.VOIDS and one.operation_id is not None:
            operations.release(operation_id=one.operation_id, now=now)
    terminal.batch = terminal.batch % BATCH_MAX + 1
    terminal.save(update_fields=["batch"])
    acts.tell("terminal.settled", terminal, now, {
        "batch": made.number, "debits": made.debits, "debit_amount": made.debit_amount, "credits": made.credits,
        "credit_amount": made.credit_amount, "unknown": len(made.unknown),
    })  # fmt: skip


def _sum(made: Batch, ours: Totals) -> None:
    made.debits, made.debit_amount = ours.debit_count, ours.debit_amount
    made.credits, made.credit_amount = ours.credit_count, ours.credit_amount


def _of(made: Batch, terminal: Terminal) -> Totals:
    return Totals(terminal.currency, made.debits, made.debit_amount, made.credits, made.credit_amount)


def _uploading(terminal: Terminal, number: int) -> Batch:
    found = (
        Batch.objects.select_for_update(of=("self",)).filter(terminal=terminal, number=number, closed_at=None).first()
    )
    if found is None:
        raise acts.Declined(ResponseCode.INVALID_TRANSACTION)
    return found


def _counts(one: Transaction) -> bool:
    return Kind[one.kind].is_debit is not None
