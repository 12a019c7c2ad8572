"""Funds (资金流): who has what. Accounts by book and currency, immutable transfers, holds.

No account goes below its floor, and no hold is used twice: the constraints refuse it, not a prior read. Balances are written
by the ledger's SQL functions only (see docs/explanation/ledger.md).
"""

from __future__ import annotations

from uuid import UUID

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Least, Now
from django.db.models.lookups import GreaterThanOrEqual

from huangpu.core.ids import uuid7
from huangpu.core.models import AppendOnly

from . import trial
from .rules import SINGLE

HOLD_STATES = ["pending", "posted", "voided", "expired"]


# no sum below 0, the floor, the ceiling, and no limit on an account in sub-balances; its text is in migration 0003
WITHIN_LIMITS = models.Func(
    "balance_min",
    "balance_max",
    "posted_debit",
    "posted_credit",
    "pending_debit",
    "pending_credit",
    "sub_balances",
    function="funds_within_limits",
    output_field=models.BooleanField(),
)


class Account(models.Model):
    """What a holder has in a book of a marketplace, in one currency and in minor units. The id is derived: `rules.account_id`.

    The whole balance is that of this row and of its sub-balances together.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    book = models.CharField(max_length=16)
    holder_id = models.UUIDField(null=True)  # null: the marketplace's own
    currency = models.CharField(max_length=3)
    balance_min = models.BigIntegerField(null=True)
    balance_max = models.BigIntegerField(null=True)
    posted_debit = models.BigIntegerField(default=0)
    posted_credit = models.BigIntegerField(default=0)
    pending_debit = models.BigIntegerField(default=0)
    pending_credit = models.BigIntegerField(default=0)
    sub_balances = models.SmallIntegerField(default=0)
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # one function for all that must hold: PostgreSQL reads a constraint anew at every statement, and a call is short
            models.CheckConstraint(condition=WITHIN_LIMITS, name="funds_account_within_limits"),
            models.UniqueConstraint(
                fields=["holder_id", "marketplace_id", "book", "currency"],
                name="funds_account_once",
                nulls_distinct=False,
            ),
        ]


class SubBalance(models.Model):
    """One of the rows over which a much used account's balance is spread. Alone it says nothing: what is held in one may be
    lifted in another, so that a pending sum may be negative here."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="slots", db_constraint=False, db_index=False
    )
    slot = models.SmallIntegerField()
    posted_debit = models.BigIntegerField(default=0)
    posted_credit = models.BigIntegerField(default=0)
    pending_debit = models.BigIntegerField(default=0)
    pending_credit = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "slot"], name="funds_subbalance_once"),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Least("posted_debit", "posted_credit"), Value(0)),
                name="funds_subbalance_counts_up",
            ),
        ]


class Transfer(AppendOnly):
    """One item of a posting, for ever: `amount` minor units from `debit` to `credit`.

    Phases: 0 single; 1 hold (only pending); 2 capture (pending → posted; `rest` more is freed by a final one; `nominal` is the
    hold's own credit where the capture pays another); 3 void and 4 expiry (only pending, lifted). `closes`: final, or void of
    all that was left.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    debit_id = models.UUIDField()
    credit_id = models.UUIDField()
    amount = models.BigIntegerField()
    kind = models.CharField(max_length=24)
    phase = models.SmallIntegerField(default=SINGLE)
    hold_id = models.UUIDField(null=True)
    nominal_id = models.UUIDField(null=True)
    rest = models.BigIntegerField(default=0)
    closes = models.BooleanField(default=False)
    group_id = models.UUIDField(null=True)  # those posted together
    reference_id = models.UUIDField()
    posted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0) & ~Q(debit_id=F("credit_id")), name="funds_transfer_moves")
        ]
        indexes = [
            # by the instant, not the id: a hold may be posted long after its id was made
            models.Index(fields=["debit_id", "posted_at"], name="funds_transfer_debit"),
            models.Index(fields=["credit_id", "posted_at"], name="funds_transfer_credit"),
            models.Index(
                fields=["nominal_id", "posted_at"],
                name="funds_transfer_nominal",
                condition=Q(nominal_id__isnull=False),
            ),
            # a day of all accounts: rows lie in the order of their instants, so that a summary of ranges is enough
            BrinIndex(fields=["posted_at"], name="funds_transfer_day", autosummarize=True, pages_per_range=32),
        ]


class Hold(models.Model):
    """The state of a hold: what is left of it is `amount − captured − voided`, and it is pending while that is above zero."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    debit_id = models.UUIDField()
    credit_id = models.UUIDField()
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    voided = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, default="pending")
    reference_id = models.UUIDField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, voided__gte=0, amount__gte=F("captured") + F("voided")),
                name="funds_hold_used_once",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", amount__gt=F("captured") + F("voided"))
                | Q(state__in=HOLD_STATES[1:], amount=F("captured") + F("voided")),
                name="funds_hold_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="funds_hold_expires",
                condition=Q(state="pending", expires_at__isnull=False),
            ),
            models.Index(fields=["debit_id", "id"], name="funds_hold_debit"),
        ]


class ClosedDay(AppendOnly):
    """The signed trial balance of a day of a marketplace in a currency: nothing can be posted into that day any more.

    `statement` is the text that was signed (`trial.Day`), `digest` its SHA-256, which the next day's statement repeats;
    `public_key` names the Ed25519 key, whose private half is kept outside the database (keys.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    day = models.DateField()
    statement = models.TextField()
    digest = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=64)
    public_key = models.BinaryField(max_length=32)
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace_id", "currency", "day"], name="funds_closed_day_once")
        ]

    @property
    def chain(self) -> tuple[UUID, str]:
        """Whose days follow each other."""
        return self.marketplace_id, self.currency

    @property
    def text(self) -> bytes:
        """The bytes that are signed."""
        return self.statement.encode()

    @property
    def told(self) -> trial.Day:
        """What the statement says."""
        return trial.read(self.statement)
