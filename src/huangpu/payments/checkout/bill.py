"""A payee's bill of a day: every operation that moved its money, as a file that can be checked line by line and as a whole."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from huangpu.core.clock import midnight, rfc3339
from huangpu.payments.operations.models import Operation
from huangpu.payments.operations.rules import fee

HEAD = ("ended_at", "operation", "payment", "reference", "channel", "verb", "amount", "fee", "currency", "provider",
        "provider_reference")  # fmt: skip
MOVES = ("purchase", "capture", "refund")


def lines(marketplace_id: UUID, payee_id: UUID, day: date, zone: ZoneInfo) -> list[tuple[str, ...]]:
    """The lines of a day in the marketplace's zone, in the order in which they ended. Amounts are minor units; a refund's is
    negative."""
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    moved = Operation.objects.select_related("payment").filter(
        marketplace_id=marketplace_id, holder_id=payee_id, verb__in=MOVES, state="succeeded", ended_at__gte=begin,
        ended_at__lt=end,
    )  # fmt: skip
    return [_line(one) for one in moved.order_by("ended_at", "pk")]


def _line(one: Operation) -> tuple[str, ...]:
    paid = one.payment
    assert paid is not None, "what moved a payee's money has its payment"
    assert one.ended_at is not None, "what succeeded has its end"
    out = one.verb == "refund"
    kept = 0 if out else fee(one.amount, paid.fee_ppm)
    return (
        rfc3339(one.ended_at), str(one.pk), str(paid.pk), paid.reference, paid.channel, one.verb,
        str(-one.amount if out else one.amount), str(kept), one.currency, one.provider, one.reference,
    )  # fmt: skip


def written(rows: Sequence[Sequence[str]]) -> bytes:
    """CSV as RFC 4180 has it, with its head."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows(rows)
    return text.getvalue().encode()


def digest(content: bytes) -> str:
    """The value of `Repr-Digest` (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
