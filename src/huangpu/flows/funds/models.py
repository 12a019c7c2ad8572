"""Funds (资金流): the ledger. Accounts with four balances, immutable transfers, holds.

The floor and the ceiling of an account are constraints: the database refuses what would break them, whoever asks.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from huangpu.core.models import AppendOnly

HOLD_STATES = ["pending", "posted", "voided", "expired"]
PHASES = ["transfer", "hold", "capture", "void"]


class Account(models.Model):
    """An account of a book in a marketplace. Balances are minor units of its currency and never negative; what the
    account is worth is `posted_credit − posted_debit`, and what can be spent is that less `pending_debit`.

    The id is derived (`rules.account_id`). An account without floor and ceiling may be kept in `sub_balances` slots, so
    that one that everybody pays into is as fast as many; its balance is then the row plus its slots.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    book = models.CharField(max_length=16)
    holder_id = models.UUIDField(null=True)
    currency = models.CharField(max_length=3)
    balance_min = models.BigIntegerField(null=True)
    balance_max = models.BigIntegerField(null=True)
    posted_debit = models.BigIntegerField(default=0)
    posted_credit = models.BigIntegerField(default=0)
    pending_debit = models.BigIntegerField(default=0)
    pending_credit = models.BigIntegerField(default=0)
    sub_balances = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_min__isnull=True)
                | Q(balance_min__lte=F("posted_credit") - F("posted_debit") - F("pending_debit")),
                name="funds_account_floor",
            ),
            models.CheckConstraint(
                condition=Q(balance_max__isnull=True)
                | Q(balance_max__gte=F("posted_credit") - F("posted_debit") + F("pending_credit")),
                name="funds_account_ceiling",
            ),
            models.CheckConstraint(
                condition=Q(sub_balances=0) | Q(balance_min__isnull=True, balance_max__isnull=True),
                name="funds_account_slots_have_no_floor",
            ),
            models.CheckConstraint(
                condition=Q(posted_debit__gte=0, posted_credit__gte=0, pending_debit__gte=0, pending_credit__gte=0),
                name="funds_account_not_negative",
            ),
            models.CheckConstraint(condition=Q(sub_balances__range=(0, 256)), name="funds_account_slots"),
        ]
        indexes = [models.Index(fields=["holder_id", "marketplace_id"], name="funds_account_holder")]


class SubBalance(models.Model):
    """One slot of a hot account: changes of its balances, which may be negative slot by slot."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="slots")
    slot = models.SmallIntegerField()
    posted_debit = models.BigIntegerField(default=0)
    posted_credit = models.BigIntegerField(default=0)
    pending_debit = models.BigIntegerField(default=0)
    pending_credit = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "slot"], name="funds_slot_once")]


class Transfer(AppendOnly):
    """One immutable row: `amount` from `debit` to `credit`. Of a hold, its captures and voids, `debit` is who pays."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    debit_id = models.UUIDField()
    credit_id = models.UUIDField()
    amount = models.BigIntegerField()
    phase = models.CharField(max_length=8)
    kind = models.CharField(max_length=16)  # what it is for: "escrow", "release", "charge", "topup", …
    hold_id = models.UUIDField(null=True)
    group_id = models.UUIDField()  # the first of the linked items it was posted with
    reference_id = models.UUIDField(null=True)  # the agreement or other act it belongs to
    posted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="funds_transfer_amount"),
            models.CheckConstraint(condition=~Q(debit_id=F("credit_id")), name="funds_transfer_two_accounts"),
            models.CheckConstraint(condition=Q(phase__in=PHASES), name="funds_transfer_phase"),
        ]
        indexes = [
            models.Index(fields=["debit_id", "posted_at"], name="funds_transfer_debit"),
            models.Index(fields=["credit_id", "posted_at"], name="funds_transfer_credit"),
        ]


class Hold(models.Model):
    """Where a hold stands. Its id is that of the transfer that made it."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    voided = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, default="pending")
    expires_at = models.DateTimeField(null=True)
    reference_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(captured__gte=0, voided__gte=0, amount__gt=0) & Q(amount__gte=F("captured") + F("voided")),
                name="funds_hold_not_overdrawn",
            ),
            models.CheckConstraint(condition=Q(state__in=HOLD_STATES), name="funds_hold_state"),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(state="pending", expires_at__isnull=False), name="funds_hold_expiry"
            ),
            models.Index(fields=["debit"], condition=Q(state="pending"), name="funds_hold_pending"),
        ]
