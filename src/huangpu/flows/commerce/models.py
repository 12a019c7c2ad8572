"""Commerce (商流): who owns and owes what. Items, intents, agreements and their commitments (REA, ISO/IEC 15944-4).

A commitment is what is promised: one flow, one provider, one receiver, one quantity or amount, one due time, what it
waits for. It is numbered within its agreement; `after` refers to those numbers. Its state is derived by the acts of the
process room and stored once.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from huangpu.core.ids import uuid7
from huangpu.core.names import NameField
from huangpu.parties.models import Marketplace, Organisation

AGREEMENT_STATES = ["open", "disputed", "fulfilled", "terminated"]


# a known flow and state, never less than nothing nor more than promised done; its text is in migration 0006
CONSISTENT = models.Func(
    "flow", "state", "quantity", "done_quantity", "amount", "done_amount",
    function="commerce_commitment_is_consistent", output_field=models.BooleanField(),
)  # fmt: skip


class Item(models.Model):
    """What is traded (Valueflows: resource specification): a catalogue entry of an organisation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="items")
    code = models.CharField(max_length=64)  # the owner's own
    name = NameField()
    unit = models.CharField(max_length=3)  # UN/CEFACT Rec 20
    gtin = models.CharField(max_length=14, blank=True)  # GS1 Global Trade Item Number, where there is one
    industry = models.CharField(max_length=32, blank=True)
    classification_scheme = models.CharField(max_length=32, blank=True)  # "CPV", "UNSPSC", …
    classification_code = models.CharField(max_length=32, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "code"], name="commerce_item_code_once")]


class Intent(models.Model):
    """An offer or a request that looks for its counterparty: what a market turns into an agreement.

    Written by the act of the market that publishes and closes it; open while `closed_at` is null and it is still valid.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace = models.ForeignKey(Marketplace, on_delete=models.PROTECT, related_name="intents")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="intents")
    kind = models.CharField(max_length=8)  # offer | request
    market = models.CharField(max_length=16)  # how its price is found: "tender", "auction", …
    subject_id = models.UUIDField()  # the tender, listing, … that carries it
    number = models.CharField(max_length=40, blank=True)  # the human number of what carries it
    name = NameField()
    link = models.CharField(max_length=200, blank=True)  # the address of its page
    amount = models.BigIntegerField(null=True)  # minor units, where the publisher names one
    currency = models.CharField(max_length=3)
    valid_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["offer", "request"]), name="commerce_intent_kind"),
            models.UniqueConstraint(fields=["market", "subject_id"], name="commerce_intent_once"),
        ]
        indexes = [
            models.Index(fields=["marketplace", "-id"], name="commerce_intent_newest"),
            models.Index(fields=["valid_until"], condition=Q(closed_at__isnull=True), name="commerce_intent_open"),
        ]


class Agreement(models.Model):
    """A concluded trade: the immutable snapshot of its terms, and where it stands. `version` guards every change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace = models.ForeignKey(Marketplace, on_delete=models.PROTECT, related_name="agreements", db_index=False)
    number = models.CharField(max_length=24)
    title = NameField()
    template = models.CharField(max_length=64)
    template_version = models.IntegerField()
    parameters = models.JSONField()
    options = models.JSONField(default=list)  # the options of the terms, as data
    terms_hash = models.BinaryField(max_length=32)  # SHA-256 of the compiled terms' RFC 8785 bytes
    origin_id = models.UUIDField(null=True)  # the tender, order, … it came from
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()  # minor units: the price of the whole
    state = models.CharField(max_length=12, default="open")
    version = models.IntegerField(default=1)
    concluded_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace", "number"], name="commerce_agreement_number_once"),
            models.CheckConstraint(condition=Q(state__in=AGREEMENT_STATES), name="commerce_agreement_state"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="commerce_agreement_amount"),
        ]
        indexes = [
            models.Index(fields=["origin_id"], name="commerce_agreement_origin"),
            models.Index(fields=["marketplace", "-id"], name="commerce_agreement_newest"),
        ]


class AgreementParty(models.Model):
    """Who stands in which role of an agreement. Roles are the terms' own words."""

    id = models.BigAutoField(primary_key=True)
    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="parties", db_index=False)
    role = models.CharField(max_length=32)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="agreements", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement", "role"], name="commerce_party_role_once")]
        indexes = [models.Index(fields=["organisation", "-agreement"], name="commerce_party_newest")]


class Commitment(models.Model):
    """One promise of an agreement and how far it has been kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="commitments", db_index=False)
    ordinal = models.SmallIntegerField()
    key = models.CharField(max_length=64)
    flow = models.CharField(max_length=12)
    action = models.CharField(max_length=32)
    # both are parties of the agreement, which the database holds there; here it would be a check a row
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    receiver = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    name = NameField()  # of the line, where there is one
    after = ArrayField(models.SmallIntegerField(), default=list)
    stepwise = models.BooleanField(default=False)
    automatic = models.BooleanField(default=False)
    draws = models.SmallIntegerField(null=True)
    measure = models.CharField(max_length=8, blank=True)
    due = models.JSONField(null=True)
    on_silence = models.CharField(max_length=64)
    quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    unit = models.CharField(max_length=3, blank=True)
    amount = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)
    state = models.CharField(max_length=8)
    done_quantity = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    done_amount = models.BigIntegerField(default=0)
    open_since = models.DateTimeField(null=True)  # since when it can be performed
    due_at = models.DateTimeField(null=True)
    late_at = models.DateTimeField(null=True)  # when the house noticed that its time had passed
    settled_at = models.DateTimeField(null=True)  # done or ended

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "ordinal"], name="commerce_commitment_ordinal_once"),
            # one function for all that must hold: PostgreSQL reads a constraint anew at every statement, and a call is short
            models.CheckConstraint(condition=CONSISTENT, name="commerce_commitment_consistent"),
        ]
        indexes = [
            models.Index(fields=["provider", "due_at"], condition=Q(state="due"), name="commerce_owed_by"),
            models.Index(fields=["receiver", "due_at"], condition=Q(state="due"), name="commerce_owed_to"),
            models.Index(
                fields=["due_at"],
                condition=Q(state="due", late_at__isnull=True, due_at__isnull=False),
                name="commerce_deadline",
            ),
        ]


class Invoice(models.Model):
    """An invoice as its seller numbered it, for one agreement."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="invoices")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()  # minor units, tax included
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "number"], name="commerce_invoice_number_once")]
