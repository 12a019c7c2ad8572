"""Procurement procedures that others published, as they said them. No commitment, no desk, no statistics comes of these.

A procedure is replaced as a whole when a newer release of it is imported; organisations it names stay the city's.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from huangpu.core.ids import uuid7
from huangpu.core.names import NameField
from huangpu.parties.models import Organisation


class Procedure(models.Model):
    """One contracting process, by its ocid. Amounts are minor units; a word of the publisher's stands beside its code."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    ocid = models.CharField(max_length=100)
    release_id = models.CharField(max_length=200, blank=True)
    released_at = models.DateTimeField(null=True)
    publisher = models.CharField(max_length=500, blank=True)
    file = models.CharField(max_length=300, blank=True)  # the name of the file it came in
    digest = models.BinaryField(max_length=32)  # SHA-256 of the values that were read: the same again changes nothing
    language = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)  # of the buyer's register, ISO 3166-1; empty when unknown
    title = NameField()
    description = NameField(blank=True)
    buyer_name = NameField(blank=True)
    status = models.CharField(max_length=20, blank=True)
    status_said = models.CharField(max_length=200, blank=True)
    method = models.CharField(max_length=20, blank=True)
    method_said = models.CharField(max_length=200, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    starts_at = models.DateTimeField(null=True)  # the tender period
    ends_at = models.DateTimeField(null=True)
    more = models.JSONField(default=dict)  # periods, criteria, milestones, auctions: shown, never asked for
    words = SearchVectorField(null=True)
    imported_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace_id", "ocid"], name="history_ocid_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True) | (Q(amount_minor__gte=0) & ~Q(currency="")),
                name="history_amount_has_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(updated_at__gte=F("imported_at")), name="history_updated_after_imported"
            ),
        ]
        indexes = [
            GinIndex(fields=["words"], name="history_words"),
            models.Index(fields=["marketplace_id", "-id"], name="history_by_marketplace"),
        ]


class Part(models.Model):
    """What every part of a procedure has: its publisher's id, unique among its kind, and its place in the list."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    procedure = models.ForeignKey(Procedure, on_delete=models.CASCADE, related_name="%(class)ss")
    local_id = models.CharField(max_length=200)

    class Meta:
        abstract = True


class Party(Part):
    """Who took part, with the organisation its register's identifier names. Without an identifier there is none: a name
    alone proves nobody."""

    procedure = models.ForeignKey(Procedure, on_delete=models.CASCADE, related_name="parties")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    name = NameField(blank=True)
    roles = models.JSONField(default=list)
    identifiers = models.JSONField(default=list)  # [scheme, value], the main one first
    address = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["procedure", "local_id"], name="history_party_once")]
        indexes = [models.Index(fields=["organisation", "-id"], name="history_party_by_organisation")]


class Lot(Part):
    title = NameField(blank=True)
    description = NameField(blank=True)
    status = models.CharField(max_length=20, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["procedure", "local_id"], name="history_lot_once")]


class Bid(Part):
    """`tenderers` and `lots` are ids of the publisher's; none dangles."""

    status = models.CharField(max_length=20, blank=True)
    status_said = models.CharField(max_length=200, blank=True)
    submitted_at = models.DateTimeField(null=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    tenderers = models.JSONField(default=list)
    lots = models.JSONField(default=list)
    lot_amounts = models.JSONField(default=list)  # [lot, minor units or null, currency]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["procedure", "local_id"], name="history_bid_once")]


class Award(Part):
    title = NameField(blank=True)
    description = NameField(blank=True)
    status = models.CharField(max_length=20, blank=True)
    status_said = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    suppliers = models.JSONField(default=list)
    lots = models.JSONField(default=list)
    bid = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["procedure", "local_id"], name="history_award_once")]


class Contract(Part):
    award = models.CharField(max_length=200, blank=True)
    number = models.CharField(max_length=200, blank=True)
    title = NameField(blank=True)
    description = NameField(blank=True)
    status = models.CharField(max_length=20, blank=True)
    status_said = models.CharField(max_length=200, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    signed_at = models.DateTimeField(null=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["procedure", "local_id"], name="history_contract_once")]


class Item(Part):
    """A line of the tender, or of an award or contract when `within` names one ("award:1")."""

    within = models.CharField(max_length=220, default="tender")
    place = models.SmallIntegerField()  # its place in the list, from 0
    description = NameField(blank=True)
    scheme = models.CharField(max_length=50, blank=True)
    code = models.CharField(max_length=100, blank=True)
    code_says = models.TextField(blank=True)
    quantity = models.DecimalField(max_digits=19, decimal_places=6, null=True)
    unit = models.CharField(max_length=3, blank=True)  # UN/CEFACT Rec 20
    unit_said = models.CharField(max_length=200, blank=True)
    unit_price = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    currency = models.CharField(max_length=3, blank=True)
    lot = models.CharField(max_length=200, blank=True)
    delivery = models.JSONField(default=dict)  # start, end, place

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["procedure", "within", "local_id"], name="history_item_once"),
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__gt=0), name="history_item_quantity"
            ),
        ]


class Document(Part):
    """The address at which a document was published. Nothing is fetched."""

    within = models.CharField(max_length=220, default="tender")
    place = models.SmallIntegerField()
    title = models.CharField(max_length=1000, blank=True)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=100, blank=True)
    format = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["procedure", "within", "local_id"], name="history_document_once")
        ]
