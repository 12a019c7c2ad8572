"""What a payee asks for by a link, a code or the phone; whose wallet pays; the codes that wallets show."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from huangpu.payments.operations.models import Payment

from .rules import CHANNELS


class Checkout(models.Model):
    """A payee's request that whoever has its `token` pays `amount` (minor units) once. What became of it is its payment's."""

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    payee_id = models.UUIDField()
    token = models.CharField(max_length=22, unique=True)
    channel = models.CharField(max_length=8)
    title = models.CharField(max_length=120)
    reference = models.CharField(max_length=64)  # the payee's own
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    fee_ppm = models.IntegerField()
    back = models.URLField(max_length=500, blank=True, default="")  # where the payer goes when it is done
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    payment = models.OneToOneField(Payment, null=True, on_delete=models.PROTECT, related_name="checkout")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, channel__in=CHANNELS, expires_at__gt=F("opened_at")),
                name="checkout_checkout_asks",
            ),
            models.UniqueConstraint(
                fields=["marketplace_id", "payee_id", "reference"], name="checkout_checkout_reference_once"
            ),
        ]
        indexes = [models.Index(fields=["marketplace_id", "payee_id", "-id"], name="checkout_checkout_payee")]


class WalletPayer(models.Model):
    """Whose wallet pays an operation of the provider "wallet". `cancelled`: it never will."""

    operation_id = models.UUIDField(primary_key=True)
    holder_id = models.UUIDField()
    cancelled = models.BooleanField(default=False)


class PayCode(models.Model):
    """By which an organisation's wallet is found from the one-time code that it shows. A new generation is a new secret and a
    new handle; `last_counter` is the last code that paid."""

    marketplace_id = models.UUIDField()
    holder_id = models.UUIDField()
    handle = models.CharField(max_length=8, unique=True)
    generation = models.IntegerField(default=1)
    last_counter = models.BigIntegerField(default=-1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace_id", "holder_id"], name="checkout_paycode_one_a_wallet")
        ]
