"""Statements of providers, their lines, what of the books they match, and what does not."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from huangpu.core.models import AppendOnly

REASONS = ("unknown", "amount", "twice", "missing")


class Statement(models.Model):
    """What a provider says it did for us in a span of time; the balances are of our account with it, in minor units."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    provider = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()  # first instant after it
    opening = models.BigIntegerField()
    closing = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)
    loaded_at = models.DateTimeField()
    matched_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ended_at__gt=F("began_at")), name="reconciliation_statement_has_a_span"),
            models.UniqueConstraint(
                fields=["marketplace_id", "provider", "currency", "began_at"], name="reconciliation_statement_once"
            ),
        ]


class Line(AppendOnly):
    """One line of a statement, as it came. `operation_id`: which of our operations it names, if any."""

    id = models.BigAutoField(primary_key=True)
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    booked_at = models.DateTimeField()
    amount = models.BigIntegerField()
    reference = models.CharField(max_length=35)
    operation_id = models.UUIDField(null=True)
    provider_reference = models.CharField(max_length=35, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="reconciliation_line_moves")]
        indexes = [models.Index(fields=["operation_id"], name="reconciliation_line_operation")]


class Match(AppendOnly):
    """A line and the transfer that it is. Several lines may be one transfer in parts; a line is of one transfer."""

    line = models.OneToOneField(Line, on_delete=models.PROTECT, primary_key=True)
    transfer_id = models.UUIDField(db_index=True)
    difference = models.BigIntegerField(default=0)  # of the line from the transfer, within the tolerance


class Break(models.Model):
    """What does not fit. Theirs: a line without a transfer; ours: a transfer without a line ("missing"), which a later
    statement may bring. `posted`: the transfer that took it into suspense."""

    id = models.BigAutoField(primary_key=True)
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="breaks")
    line = models.OneToOneField(Line, null=True, on_delete=models.PROTECT)
    transfer_id = models.UUIDField(null=True, unique=True)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=8)
    found_at = models.DateTimeField()
    posted_id = models.UUIDField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(line__isnull=False, reason__in=REASONS[:3])
                | Q(transfer_id__isnull=False, reason="missing"),
                name="reconciliation_break_has_a_side",
            ),
        ]
        indexes = [
            models.Index(fields=["found_at"], name="reconciliation_break_open", condition=Q(resolved_at__isnull=True)),
        ]
