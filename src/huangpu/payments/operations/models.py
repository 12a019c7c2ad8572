"""Payments, the operations asked of providers on them, and every answer that came."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from huangpu.core.models import AppendOnly

from .rules import DISPUTE_STATES, FINAL, OPEN, STATES, VERBS


class Payment(models.Model):
    """What a payer owes a payee for one thing (`reference`), and how far it has come; all sums in minor units.

    What is asked and not yet answered counts as taken (`…ing`), so that nothing can be asked for twice.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    payee_id = models.UUIDField()
    provider = models.CharField(max_length=32)
    channel = models.CharField(max_length=8)
    reference = models.CharField(max_length=64)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    fee_ppm = models.IntegerField(default=0)
    authorising = models.BigIntegerField(default=0)
    authorised = models.BigIntegerField(default=0)
    capturing = models.BigIntegerField(default=0)
    captured = models.BigIntegerField(default=0)
    voiding = models.BigIntegerField(default=0)
    voided = models.BigIntegerField(default=0)
    refunding = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    charged_back = models.BigIntegerField(default=0)  # disputed by the payer's bank and not won back
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, fee_ppm__gte=0, fee_ppm__lt=1_000_000), name="operations_payment_amount"
            ),
            models.CheckConstraint(
                condition=Q(
                    authorising__gte=0, authorised__gte=0, capturing__gte=0, captured__gte=0,
                    voiding__gte=0, voided__gte=0, refunding__gte=0, refunded__gte=0, charged_back__gte=0,
                ),
                name="operations_payment_counts_up",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=F("authorising") + F("authorised")), name="operations_payment_authorised_once"
            ),
            models.CheckConstraint(
                condition=Q(authorised__gte=F("capturing") + F("captured") + F("voiding") + F("voided")),
                name="operations_payment_captured_once",
            ),
            models.CheckConstraint(
                condition=Q(captured__gte=F("refunding") + F("refunded") + F("charged_back")),
                name="operations_payment_refunded_once",
            ),
            models.UniqueConstraint(
                fields=["marketplace_id", "payee_id", "reference"], name="operations_payment_reference_once"
            ),
        ]  # fmt: skip


class Operation(models.Model):
    """One thing asked of a provider: `verb` over `amount`. Its id is the provider's too, for ever."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    holder_id = models.UUIDField()  # whose wallet
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="operations")
    about_id = models.UUIDField(null=True)  # the operation that it captures, voids or pays back
    provider = models.CharField(max_length=32)
    verb = models.CharField(max_length=16)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, default="asked")
    reference = models.CharField(max_length=64, default="")  # the provider's
    reason = models.CharField(max_length=64, default="")
    attempts = models.IntegerField(default=0)
    asked_at = models.DateTimeField()
    give_up_at = models.DateTimeField()  # from then on it is cancelled instead of sent again
    next_ask_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="operations_operation_amount"),
            models.CheckConstraint(
                condition=Q(verb__in=VERBS, state__in=STATES), name="operations_operation_known_words"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, next_ask_at__isnull=False, ended_at__isnull=True)
                | Q(state__in=FINAL, next_ask_at__isnull=True, ended_at__isnull=False),
                name="operations_operation_open_or_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_ask_at"], name="operations_operation_due", condition=Q(next_ask_at__isnull=False)
            ),
            models.Index(fields=["holder_id", "id"], name="operations_operation_holder"),
            models.Index(
                fields=["marketplace_id", "ended_at"], name="operations_operation_done", condition=Q(state="succeeded")
            ),
        ]


class Told(AppendOnly):
    """What a provider said of an operation, or that it said nothing ("no_answer"); as it came, for ever."""

    id = models.UUIDField(primary_key=True, editable=False)
    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="told")
    status = models.CharField(max_length=10)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="")
    reference = models.CharField(max_length=64, default="")
    reason = models.CharField(max_length=64, default="")
    made = models.CharField(max_length=10)  # the state it left the operation in
    contradicts = models.BooleanField(default=False)
    told_at = models.DateTimeField()


class Dispute(models.Model):
    """A payer's bank takes money of a payment back (a chargeback): it is gone at once, and comes back when the payee wins.

    `lacking`: what the payee's wallet had not; it owes that to the marketplace."""

    id = models.UUIDField(primary_key=True, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider = models.CharField(max_length=32)
    reference = models.CharField(max_length=64)  # the provider's
    amount = models.BigIntegerField()
    lacking = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=64)
    state = models.CharField(max_length=11, default="opened")
    evidence = models.CharField(max_length=500, blank=True, default="")
    opened_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, lacking__gte=0, amount__gte=F("lacking"), state__in=DISPUTE_STATES),
                name="operations_dispute_amount",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DISPUTE_STATES[:2], ended_at=None)
                | Q(state__in=DISPUTE_STATES[2:], ended_at__isnull=False),
                name="operations_dispute_ended",
            ),
            models.UniqueConstraint(fields=["provider", "reference"], name="operations_dispute_once"),
        ]
        indexes = [models.Index(fields=["payment"], name="operations_dispute_payment")]


class Notification(models.Model):
    """What a provider told by itself, as it came: kept before it is acknowledged, taken in once."""

    id = models.UUIDField(primary_key=True, editable=False)
    provider = models.CharField(max_length=32)
    key = models.CharField(max_length=80)  # the provider's own id of it
    body = models.BinaryField()
    received_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "key"], name="operations_notification_once")]
        indexes = [
            models.Index(
                fields=["received_at"], name="operations_notification_open", condition=Q(taken_at__isnull=True)
            )
        ]
