"""Settlement windows of a marketplace, and what each operation has put into one."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from huangpu.core.models import AppendOnly
from huangpu.payments.operations.models import Operation

from .rules import STATES


class Window(models.Model):
    """A span in which what providers and merchants owe one another is gathered, then netted and settled as one."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, default="open")
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.UUIDField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opened_at")), name="clearing_window_has_a_span"),
            models.CheckConstraint(
                condition=Q(state=STATES[0], closed_at=None, confirmed_at=None, settled_at=None)
                | Q(state=STATES[1], closed_at__isnull=False, confirmed_at=None, settled_at=None)
                | Q(state=STATES[2], closed_at__isnull=False, confirmed_at__isnull=False, settled_at=None)
                | Q(state=STATES[3], closed_at__isnull=False, confirmed_at__isnull=False, settled_at__isnull=False),
                name="clearing_window_state",
            ),
            models.CheckConstraint(
                condition=Q(settled_by=None) | ~Q(settled_by=F("confirmed_by")), name="clearing_window_four_eyes"
            ),
            models.UniqueConstraint(
                fields=["marketplace_id", "currency"], condition=Q(state="open"), name="clearing_window_one_open"
            ),
        ]
        indexes = [models.Index(fields=["marketplace_id", "-id"], name="clearing_window_market")]


class Obligation(AppendOnly):
    """What one operation makes a provider owe a merchant (above zero) or the merchant the provider (below), in minor units."""

    operation = models.OneToOneField(Operation, on_delete=models.PROTECT, primary_key=True)
    window = models.ForeignKey(Window, on_delete=models.PROTECT, related_name="obligations")
    provider = models.CharField(max_length=32)
    merchant_id = models.UUIDField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="clearing_obligation_moves")]
        indexes = [models.Index(fields=["window", "provider"], name="clearing_obligation_window")]
