"""Statements as files: camt.053 of any size, read as a stream, into what `acts.load` takes."""

from __future__ import annotations

from datetime import datetime
from typing import IO
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require
from huangpu.payments.standards.iso20022 import statements

from . import acts
from .models import Statement
from .rules import Booked

NOT_TOLD = "NOTPROVIDED"


def load_camt053(*, actor: Actor, marketplace_id: UUID, provider: str, file: IO[bytes], now: datetime) -> UUID:
    """Loads a bank's statement from its file, which can be read twice (`seek`). The very same again is the same statement.

    Refused: what `statements.read_head`, `read_lines` and `acts.load` refuse; `statement.gap`: it does not begin with the
    balance with which the one before it ended.
    """
    require(actor, "reconciliation.match", marketplace_id=marketplace_id)  # before anything of the file is read
    head = statements.read_head(file)
    file.seek(0)
    lines = [
        Booked(line.booked_at, line.amount, "" if line.end_to_end == NOT_TOLD else line.end_to_end, line.reference[:35])
        for line in statements.read_lines(file)
    ]
    _follows(marketplace_id, provider, head)
    return acts.load(
        actor=actor, marketplace_id=marketplace_id, provider=provider, currency=head.currency, span=(head.since, head.until),
        balances=(head.opening, head.closing), lines=lines, now=now,
    )  # fmt: skip


def _follows(marketplace_id: UUID, provider: str, head: statements.Head) -> None:
    """A statement goes on from the one before it."""
    earlier = Statement.objects.filter(
        marketplace_id=marketplace_id, provider=provider, currency=head.currency, ended_at__lte=head.since
    )
    before = earlier.order_by("-ended_at").first()
    if before is not None and before.closing != head.opening:
        raise Conflict(
            "statement.gap", _("It opens with %(value)s; the statement before it closed with %(before)s (minor units)."),
            field="OPBD", value=head.opening, before=before.closing,
        )  # fmt: skip
