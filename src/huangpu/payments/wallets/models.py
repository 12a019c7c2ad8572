"""Money on its way from wallet to wallet, and how much of it each may send a day."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from .rules import ENDS, STATES


class Sending(models.Model):
    """Money that one wallet offers another; held until the receiver accepts it, or it goes back. Amounts in minor units."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    sender_id = models.UUIDField()
    receiver_id = models.UUIDField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    note = models.CharField(max_length=120, blank=True, default="")
    state = models.CharField(max_length=9, default="waiting")
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, state__in=STATES, expires_at__gt=F("sent_at"))
                & ~Q(sender_id=F("receiver_id")),
                name="wallets_sending_sends",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None) | Q(state__in=ENDS, ended_at__isnull=False),
                name="wallets_sending_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["sender_id", "-id"], name="wallets_sending_sender"),
            models.Index(fields=["receiver_id", "-id"], name="wallets_sending_receiver"),
            models.Index(fields=["expires_at"], name="wallets_sending_due", condition=Q(state="waiting")),
        ]


class Limit(models.Model):
    """How much a wallet whose holder is verified to `level` may send a day and a year. No row: the standard in CNY, or none."""

    marketplace_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    level = models.SmallIntegerField()
    a_day = models.BigIntegerField()
    a_year = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace_id", "currency", "level"], name="wallets_limit_once"),
            models.CheckConstraint(
                condition=Q(a_day__gte=0, a_year__gte=F("a_day"), level__range=(0, 3)), name="wallets_limit_is_one"
            ),
        ]


class Sent(models.Model):
    """What a wallet has sent in a span, a year ("2026") or a day ("2026-11-27"), against its limit; what came back is not
    counted."""

    marketplace_id = models.UUIDField()
    sender_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    span = models.CharField(max_length=10)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["marketplace_id", "sender_id", "currency", "span"], name="wallets_sent_one_a_span"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="wallets_sent_counts_up"),
        ]
