"""Providers' statements by API: brought as camt.053, matched at once, and what does not fit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from ninja import Field, File, Form, Router, Schema, Status, UploadedFile

from huangpu.core import clock
from huangpu.core.errors import NotFound
from huangpu.core.web.paging import LIMIT_DEFAULT, LIMIT_MAX, Page, page_of
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require

from . import acts, files, matching
from .models import Break, Statement

router = Router(tags=["payments"])
MINOR = "Minor units of the statement's currency."


class Brought(Schema):
    provider: str = Field(max_length=32, description="Whose statement it is.")
    tolerance: int = Field(0, ge=0, le=10**9, description="By how much a line may differ from its transfer. " + MINOR)


class StatementOut(Schema):
    """`theirs`: lines without a transfer, taken into suspense; `ours`: transfers without a line, which the next may bring."""

    id: UUID
    provider: str
    currency: str
    began_at: datetime
    ended_at: datetime
    opening: int = Field(description=MINOR)
    closing: int = Field(description=MINOR)
    matched: int
    theirs: int
    ours: int
    resolved: int


class BreakOut(Schema):
    """`reason`: unknown, amount, twice (a line); missing (a transfer)."""

    statement: UUID = Field(alias="statement_id")
    amount: int = Field(description=MINOR)
    reason: str
    transfer: UUID | None = Field(alias="transfer_id")
    found_at: datetime
    resolved_at: datetime | None


def _shown(made: Statement) -> dict[str, Any]:
    counts = matching.found(made.pk)
    facts = ("id", "provider", "currency", "began_at", "ended_at", "opening", "closing")
    return {
        **{name: getattr(made, name) for name in facts}, "matched": counts.matched, "theirs": counts.theirs,
        "ours": counts.ours, "resolved": counts.resolved,
    }  # fmt: skip


@router.post("/m/{marketplace}/statements", response={201: StatementOut}, summary="Bring a bank's statement")
def bring(request: PartyRequest, marketplace: str, file: File[UploadedFile], about: Form[Brought]) -> Status[Any]:
    """A camt.053 of any size; it is matched with the books at once. The very same again is the same statement."""
    common: dict[str, Any] = {"actor": request.actor, "now": clock.now()}
    assert file.file is not None
    id = files.load_camt053(
        marketplace_id=request.marketplace.pk, provider=about.provider, file=file.file, **common
    )  # fmt: skip
    acts.match(statement_id=id, tolerance=about.tolerance, **common)
    return Status(201, _shown(Statement.objects.get(pk=id)))


@router.get("/m/{marketplace}/statements", response=Page[StatementOut], summary="Statements of providers")
def statements(
    request: PartyRequest, marketplace: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """The latest brought first."""
    require(request.actor, "reconciliation.see", marketplace_id=request.marketplace.pk)
    page = page_of(Statement.objects.filter(marketplace_id=request.marketplace.pk), cursor, limit)
    return Page[Any].model_construct(items=[_shown(one) for one in page.items], next_cursor=page.next_cursor)


@router.get("/m/{marketplace}/statements/{statement}/breaks", response=list[BreakOut], summary="What does not fit")
def breaks(request: PartyRequest, marketplace: str, statement: UUID) -> list[Break]:
    """Of a statement, the oldest first, up to two hundred."""
    require(request.actor, "reconciliation.see", marketplace_id=request.marketplace.pk)
    found = Statement.objects.filter(pk=statement, marketplace_id=request.marketplace.pk).first()
    if found is None:
        raise NotFound("statement.unknown", _("There is no statement %(value)s."), field="statement",
                       value=str(statement))  # fmt: skip
    return list(Break.objects.filter(statement=found).order_by("pk")[:LIMIT_MAX])
