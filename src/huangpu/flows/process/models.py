"""Process (业务流): what fulfilled what, and who has to agree first."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from huangpu.core.ids import uuid7
from huangpu.core.models import AppendOnly
from huangpu.flows.commerce.models import Agreement
from huangpu.parties.models import Organisation, Person


class Fulfilment(AppendOnly):
    """An event kept a promise, in part or whole; a negative quantity took it back. One row an event and commitment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    event_id = models.UUIDField()
    agreement_id = models.UUIDField()
    commitment_id = models.UUIDField()
    quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    amount = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["commitment_id", "id"], name="process_fulfilment_commitment"),
            models.Index(fields=["agreement_id", "id"], name="process_fulfilment_agreement"),
        ]


class Amendment(models.Model):
    """A change of an agreement that every party signs. Signed by all it is applied: commitments are cut and added."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="amendments")
    number = models.SmallIntegerField()
    changes = models.JSONField()  # amending.Change as data
    note = models.CharField(max_length=1000, blank=True)
    terms_hash = models.BinaryField(max_length=32)  # SHA-256 of the RFC 8785 bytes of what is signed
    state = models.CharField(max_length=10, default="open")
    proposed_by = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    reason = models.CharField(max_length=1000, blank=True)  # why it was declined
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "signed", "declined", "withdrawn"]), name="process_amendment_state"
            ),
            models.UniqueConstraint(fields=["agreement", "number"], name="process_amendment_number_once"),
            models.UniqueConstraint(fields=["agreement"], condition=Q(state="open"), name="process_amendment_one_open"),
        ]

    @property
    def hash_text(self) -> str:
        """The hash as it is shown."""
        return bytes(self.terms_hash).hex()


class Signature(models.Model):
    """A party's signature under an amendment. Each signs once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    amendment = models.ForeignKey(Amendment, on_delete=models.CASCADE, related_name="signatures")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person_id = models.UUIDField(null=True)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["amendment", "organisation"], name="process_signature_once")]


class ApprovalRule(models.Model):
    """An organisation's own rule: an act from an amount upwards needs so many different persons with a role."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="approval_rules")
    act = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    amount_from = models.BigIntegerField()  # minor units
    role = models.CharField(max_length=16, default="approver")
    persons = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "act", "currency", "amount_from"], name="process_rule_once"
            ),
            models.CheckConstraint(condition=Q(persons__range=(1, 9)), name="process_rule_persons"),
        ]


class Task(models.Model):
    """Something that an organisation's members have to decide: the approval of one act on one subject."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="tasks")
    act = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    role = models.CharField(max_length=16)
    persons = models.SmallIntegerField()
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    link = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, default="open")
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["open", "approved", "refused"]), name="process_task_state"),
            models.UniqueConstraint(
                fields=["organisation", "act", "subject_id"], condition=Q(state="open"), name="process_task_one_open"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "state", "-id"], name="process_task_desk")]


class Decision(models.Model):
    """One person's word on a task. Never two of the same person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="decisions")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="decisions")
    approves = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "person"], name="process_decision_once")]
