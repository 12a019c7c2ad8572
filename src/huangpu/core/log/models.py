"""The event log: an immutable header with its leaf hash, apart from the payload and its salt, which can be erased.

Nothing here knows what an event means. A row is written in the transaction of the act it records; its place in the
marketplace's order is given later by the sequencer (`sequencer.py`), below the oldest running transaction.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from ..ids import uuid7
from ..models import AppendOnly


class Event(AppendOnly):
    """Something that happened. `payload_hash` = SHA-256(salt ‖ JCS(payload)); `leaf` = SHA-256(0x00 ‖ JCS(header))."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    kind = models.CharField(max_length=64)  # what happened, in the past tense: "tender.published"
    subject_type = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    thread_id = models.UUIDField()  # the trade, tender or organisation whose story this is part of
    actor_id = models.UUIDField(null=True)  # the person; null: the house by itself (a deadline)
    organisation_id = models.UUIDField(null=True)  # on whose behalf
    occurred_at = models.DateTimeField()
    payload_hash = models.BinaryField(max_length=32)
    leaf = models.BinaryField(max_length=32)
    audience = ArrayField(models.UUIDField(), default=list)  # organisations that may read the payload; empty: everybody
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["thread_id", "id"], name="log_event_thread"),
        ]

    @property
    def leaf_text(self) -> str:
        """The leaf as people compare it: 64 hexadecimal digits."""
        return bytes(self.leaf).hex()


class Payload(AppendOnly):
    """What an event says, and the salt that hides it in the leaf. Erasing the row leaves every proof valid."""

    id = models.UUIDField(primary_key=True)  # the event's
    salt = models.BinaryField(max_length=16)
    body = models.JSONField()


class Pending(models.Model):
    """An event that has no place in the order yet. Gone as soon as the sequencer has placed it."""

    event_id = models.UUIDField(primary_key=True)
    marketplace_id = models.UUIDField()
    transaction = models.BigIntegerField()
    recorded_at = models.DateTimeField()


class Position(AppendOnly):
    """The dense order of a marketplace's log: 1, 2, 3, … without a gap."""

    event_id = models.UUIDField(primary_key=True)
    marketplace_id = models.UUIDField()
    position = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["marketplace_id", "position"], name="log_position_dense")]


class Head(models.Model):
    """How long a marketplace's log is."""

    marketplace_id = models.UUIDField(primary_key=True)
    position = models.BigIntegerField()


class Cursor(models.Model):
    """How far a named subscriber has read a marketplace's log."""

    subscriber = models.CharField(max_length=64)
    marketplace_id = models.UUIDField()
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "marketplace_id"], name="log_cursor_once")]
