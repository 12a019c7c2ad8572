"""What the floor of no business keeps: the answers already given, so that a repeated request changes nothing."""

from __future__ import annotations

from django.db import models


class IdempotentAnswer(models.Model):
    """The answer given to a changing request, by organisation, route and Idempotency-Key. Kept 30 days.

    Written in the act's own transaction, so it exists exactly when the act does. The same key with another payload is
    refused (IETF draft-ietf-httpapi-idempotency-key-header, section 2.6).
    """

    organisation_id = models.UUIDField()
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    payload_hash = models.BinaryField(max_length=32)
    status = models.SmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation_id", "route", "key"], name="core_idempotent_once")]


class AppendOnly(models.Model):
    """A table whose rows never change: the application role has no UPDATE or DELETE on it (see `huangpu migrate`)."""

    class Meta:
        abstract = True
