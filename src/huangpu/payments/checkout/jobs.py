"""What happens for payments by phone: the bank is asked for a code, and asked again with the code that the payer told.

The phone number and the code are in the job's row only, and gone when it is done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from huangpu.core import clock
from huangpu.core.jobs import app
from huangpu.payments.gateway.provider import Answer, hosted
from huangpu.payments.operations import acts as operations
from huangpu.payments.operations import asking
from huangpu.payments.operations.models import Operation
from huangpu.payments.operations.rules import FINAL

log = logging.getLogger(__name__)


@app.task
def challenge(operation_id: str, phone: str) -> None:
    """Sends the order to the bank, then has it send a one-time code to the payer's phone."""
    asking.attempt(UUID(operation_id), now=clock.now())
    operation = Operation.objects.get(pk=operation_id)
    if operation.state not in FINAL:
        _take(operation, lambda: hosted(operation.provider).challenge(asking.order_of(operation), phone))


@app.task
def confirm(operation_id: str, code: str) -> None:
    """Tells the bank the code that the payer told."""
    operation = Operation.objects.get(pk=operation_id)
    if operation.state not in FINAL:
        _take(operation, lambda: hosted(operation.provider).confirm(asking.order_of(operation), code))


def _take(operation: Operation, ask: Callable[[], Answer]) -> None:
    said: Answer | None
    try:
        said = ask()
    except Exception as silence:  # as in operations.asking: no answer is a case of its own
        log.warning("provider %s gave no answer about %s: %r", operation.provider, operation.pk, silence)
        said = None
    operations.answer(operation_id=operation.pk, said=said, now=clock.now())
