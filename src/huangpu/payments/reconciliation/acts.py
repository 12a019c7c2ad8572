"""What may be done with a provider's statement: load it, match it with the books, take what is theirs alone into suspense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, execute, rows
from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.log.record import NewEvent, record
from huangpu.flows.funds.acts import ensure_accounts
from huangpu.flows.funds.lanes import post_each
from huangpu.flows.funds.rules import AccountSpec, Transfer
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require
from huangpu.payments.gateway.provider import provider_id

from . import matching
from .models import Statement
from .rules import Booked, digest, operation_of

LINES_SQL = """
COPY reconciliation_line (statement_id, booked_at, amount, reference, operation_id, provider_reference) FROM STDIN
"""


@act
def load(
    *,
    actor: Actor,
    marketplace_id: UUID,
    provider: str,
    currency: str,
    span: tuple[datetime, datetime],
    balances: tuple[int, int],
    lines: Sequence[Booked],
    now: datetime,
) -> UUID:
    """Takes in a statement over `span` (from, until) with its opening and closing `balances`; the very same again is the same
    statement.

    Refused: `statement.balance` (opening and lines are not the closing), `statement.span`, `statement.line` (of nothing, or
    outside of the span), `statement.differs` (another one for the same span is there).
    """
    require(actor, "reconciliation.match", marketplace_id=marketplace_id)
    _check(span, balances, lines)
    sum_ = digest(lines, *balances)
    same = dict(marketplace_id=marketplace_id, provider=provider, currency=currency, began_at=span[0])
    statement = Statement(id=uuid7(), ended_at=span[1], opening=balances[0], closing=balances[1], digest=sum_, loaded_at=now,
                          **same)  # fmt: skip
    try:
        with transaction.atomic():
            statement.save(force_insert=True)
    except IntegrityError as twice:
        found = Statement.objects.get(**same)
        if bytes(found.digest) != sum_ or found.ended_at != span[1]:
            raise Conflict(
                "statement.differs", _("Another statement from %(value)s on has been loaded already."),
                field="span", value=span[0].isoformat(),
            ) from twice  # fmt: skip
        return found.pk
    with connection.cursor() as cursor, cursor.copy(LINES_SQL) as copy:
        for one in lines:
            operation = operation_of(one.reference)
            copy.write_row((statement.pk, one.booked_at, one.amount, one.reference, operation, one.provider_reference))
    payload = {"provider": provider, "currency": currency, "lines": len(lines), "digest": sum_.hex()}
    record([_event("statement.loaded", statement, now, payload, actor)])
    return statement.pk


@act
def match(*, actor: Actor, statement_id: UUID, tolerance: int = 0, now: datetime) -> matching.Found:
    """Compares a statement with the transfers over our account with its provider, in a handful of statements whatever its
    size; once. `tolerance`: by how many minor units a line may differ from its transfer, its fee say; what it differs goes into
    suspense as what nobody knows does. What was missing before and comes now is resolved.
    """
    statement = Statement.objects.get(pk=statement_id)
    require(actor, "reconciliation.match", marketplace_id=statement.marketplace_id)
    same = dict(marketplace_id=statement.marketplace_id, provider=statement.provider, currency=statement.currency)
    every = (
        Statement.objects.select_for_update().filter(**same).order_by("id")
    )  # two at once could take one transfer twice
    statement = next(one for one in every if one.pk == statement_id)
    if statement.matched_at is not None:
        return matching.found(statement.pk)
    market, currency = statement.marketplace_id, statement.currency
    bank = AccountSpec(market, "bank", provider_id(statement.provider), currency)
    matching.run(statement, bank.id, tolerance, now)
    _to_suspense(statement, bank, AccountSpec(market, "suspense", None, currency))
    statement.matched_at = now
    statement.save(update_fields=["matched_at"])
    found = matching.found(statement.pk)
    payload = {"matched": found.matched, "theirs": found.theirs, "ours": found.ours, "resolved": found.resolved}
    record([_event("statement.matched", statement, now, payload, actor)])
    return found


def _to_suspense(statement: Statement, bank: AccountSpec, suspense: AccountSpec) -> None:
    """What the provider has moved and our books have not: its account is set right, against suspense."""
    ensure_accounts([bank, suspense])
    unknown = rows(matching.UNKNOWN, {"statement": statement.pk})
    market, groups = statement.marketplace_id, []
    for line, amount in unknown:
        debit, credit = (bank.id, suspense.id) if amount > 0 else (suspense.id, bank.id)
        groups.append([Transfer(id=uuid7_of(statement.pk, "break", line), marketplace_id=market, debit=debit, credit=credit,
                                amount=abs(amount), kind="break", reference=statement.pk)])  # fmt: skip
    for answer in post_each(groups):
        if isinstance(answer, Exception):
            raise answer
    execute(matching.POSTED, [[one for one, _amount in unknown], [group[0].id for group in groups], statement.pk])


def _check(span: tuple[datetime, datetime], balances: tuple[int, int], lines: Sequence[Booked]) -> None:
    if span[0] >= span[1]:
        raise Invalid("statement.span", _("A statement ends after it begins, not at %(value)s."), field="span",
                      value=span[1].isoformat())  # fmt: skip
    for index, one in enumerate(lines):
        if (
            not one.amount
            or not span[0] <= one.booked_at < span[1]
            or max(len(one.reference), len(one.provider_reference)) > 35
        ):
            raise Invalid(
                "statement.line",
                _("Line %(value)s is not right: its amount is not 0, it lies within the statement's span, its references"
                  " have at most 35 characters."),
                field="lines", value=index + 1, index=index,
            )  # fmt: skip
    total = balances[0] + sum(one.amount for one in lines)
    if total != balances[1]:
        raise Invalid(
            "statement.balance", _("Opening balance and lines make %(total)s, not the closing balance %(value)s."),
            field="balances", value=balances[1], total=total,
        )  # fmt: skip


def _event(kind: str, statement: Statement, now: datetime, payload: Mapping[str, object], actor: Actor) -> NewEvent:
    return NewEvent(kind=kind, marketplace_id=statement.marketplace_id, subject_type="statement", subject_id=statement.pk,
                    occurred_at=now, payload=payload, actor_id=actor.person_id)  # fmt: skip
