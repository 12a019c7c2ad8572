"""Terminals at the point of sale, their batches, and every transaction that one has sent. No card number is in them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from huangpu.payments.operations.models import Operation, Payment


class Terminal(models.Model):
    """A merchant's terminal at an acquirer (`provider`). `identity` and `merchant_code` are DE 41 and DE 42; its master key is
    the file `terminal-<identity>` of the key folder, `wrapped_key` the session key under it."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    merchant_id = models.UUIDField()
    identity = models.CharField(max_length=8, unique=True)
    merchant_code = models.CharField(max_length=15)
    name = models.CharField(max_length=60)
    provider = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    cryptography = models.CharField(max_length=8)
    wrapped_key = models.BinaryField(null=True)
    batch = models.IntegerField(default=1)  # the number of the open one
    enrolled_at = models.DateTimeField()
    signed_on_at = models.DateTimeField(null=True)
    blocked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["marketplace_id", "merchant_id"], name="terminals_terminal_merchant")]


class Batch(models.Model):
    """A batch that is closed, or whose totals differ and is being uploaded (`closed_at` is null). Amounts in minor units."""

    id = models.UUIDField(primary_key=True, editable=False)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="batches")
    number = models.IntegerField()
    debits = models.IntegerField()
    debit_amount = models.BigIntegerField()
    credits = models.IntegerField()
    credit_amount = models.BigIntegerField()
    uploading = models.JSONField(default=list)  # of each transaction uploaded so far: its STAN, kind and amount
    unknown = models.JSONField(default=list)  # what the terminal has and we have not: for a person
    begun_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["terminal", "number"], name="terminals_batch_once"),
            models.CheckConstraint(
                condition=Q(debits__gte=0, debit_amount__gte=0, credits__gte=0, credit_amount__gte=0),
                name="terminals_batch_counts_up",
            ),
        ]


class Transaction(models.Model):
    """What a terminal asked for under a trace number (STAN) of a batch, once: the same again gets the same answer.

    `response` is DE 39, "" until it is known. `reversed_at`: the terminal has taken it back; a row with `kind` "" was taken
    back before it came, and never will be done. A void is answered before its money goes out. `undo`: the operation that takes
    back what was done.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="transactions")
    batch = models.IntegerField()
    stan = models.IntegerField()
    kind = models.CharField(max_length=24)
    digest = models.BinaryField()  # SHA-256 of what was asked
    amount = models.BigIntegerField()
    card = models.CharField(max_length=19, default="")  # masked
    card_token = models.BinaryField(null=True)  # the same for the same card, by a key of this house
    rrn = models.CharField(max_length=12)
    about = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="followers")
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="+")
    operation = models.ForeignKey(Operation, null=True, on_delete=models.PROTECT, related_name="+")
    undo = models.ForeignKey(Operation, null=True, on_delete=models.PROTECT, related_name="+")
    response = models.CharField(max_length=2, default="")
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    reversed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["terminal", "batch", "stan"], name="terminals_transaction_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="terminals_transaction_amount"),
            models.CheckConstraint(
                condition=Q(response="", answered_at__isnull=True) | (~Q(response="") & Q(answered_at__isnull=False)),
                name="terminals_transaction_answered",
            ),
        ]
        ordering = [F("asked_at").asc(), F("id").asc()]
