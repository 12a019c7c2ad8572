"""What parties tell each other and what the house tells them: documents, notices, and calls to their own systems."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from huangpu.core.ids import uuid7


class Document(models.Model):
    """A file of one organisation. Its bytes lie under their SHA-256; the row is its owner's and is shared with nobody:
    two organisations that store the same bytes have a row each and do not learn of one another."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    organisation_id = models.UUIDField()
    person_id = models.UUIDField(null=True)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    filename = models.CharField(max_length=200)
    audience = ArrayField(models.UUIDField(), default=list)  # organisations that may read it; empty: everybody
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["marketplace_id", "organisation_id", "id"], name="information_document_owner"),
            models.Index(fields=["sha256"], name="information_document_bytes"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(size__gte=0), name="information_document_size"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="information_document_sha256"),
        ]


class Notice(models.Model):
    """Something a person should know, as a code with parameters: the sentence is made in the reader's language when it is
    read (`sentences.py`). One row a person, so that each has an own unread mark and an own letter."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    organisation_id = models.UUIDField()
    person_id = models.UUIDField()
    kind = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    link = models.CharField(max_length=300, blank=True)  # an address of ours, from the root
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person_id", "-id"], name="information_notice_person"),
            models.Index(fields=["person_id"], condition=Q(read_at=None), name="information_notice_unread"),
        ]


class Endpoint(models.Model):
    """An address of an organisation's own that is called when something happens (Standard Webhooks 1.0)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    organisation_id = models.UUIDField()
    url = models.CharField(max_length=500)
    kinds = ArrayField(models.CharField(max_length=64), default=list)  # "tender.published", "tender.*"; empty: all
    secret = models.BinaryField(max_length=32)
    previous_secret = models.BinaryField(max_length=32, null=True)  # still signed with until `previous_until`
    previous_until = models.DateTimeField(null=True)
    after_position = models.BigIntegerField()  # events up to here are not sent
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=32, blank=True)  # "owner", "gone"

    class Meta:
        indexes = [
            models.Index(fields=["marketplace_id"], condition=Q(disabled_at=None), name="information_endpoint_active"),
        ]


class Delivery(models.Model):
    """One event on its way to one endpoint. `next_at` is set while it is still to be tried."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField()
    position = models.BigIntegerField()
    kind = models.CharField(max_length=64)
    attempts = models.SmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    last_status = models.SmallIntegerField(null=True)  # HTTP status; null: no answer came
    last_error = models.CharField(max_length=64, blank=True)  # a code of `rules.FAILURES`
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=~Q(next_at=None), name="information_delivery_due"),
            models.Index(fields=["endpoint", "-id"], name="information_delivery_log"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="information_delivery_once"),
            models.CheckConstraint(condition=Q(delivered_at=None) | Q(next_at=None), name="information_delivery_ends"),
        ]

    @property
    def state(self) -> str:
        """delivered, waiting or failed."""
        return "delivered" if self.delivered_at else "waiting" if self.next_at else "failed"
