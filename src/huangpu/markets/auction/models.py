"""An auction, its bidders, and its log: the log is the truth, the auction's row is the state that follows from it.

The row holds the standings of all bidders, so that one lock on one row is all that a bid needs and nothing that was read
before the lock is ever believed. `huangpu verify` replays every log and compares.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from huangpu.core.ids import uuid7
from huangpu.core.models import AppendOnly
from huangpu.core.names import NameField
from huangpu.parties.models import Organisation

from .rules import KINDS, OPEN, PAUSED, REASONS, STATUSES


class Auction(models.Model):
    """An English reverse auction of one lot. All instants in UTC; a bid counts if `received_at < closes_at`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="auctions")
    subject_id = models.UUIDField()  # what is auctioned: the tender
    lot_id = models.UUIDField(null=True)
    number = models.CharField(max_length=40, blank=True)  # of the subject, for people: T-2026-000123
    title = NameField(blank=True)
    currency = models.CharField(max_length=3)
    budget_minor = models.BigIntegerField(null=True)
    is_public = models.BooleanField(
        default=True
    )  # whether everybody may watch; bidders' names are never shown before the close
    rules = models.JSONField()  # rules.AuctionRules as data
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    hard_close_at = models.DateTimeField(null=True)
    planned_opens_at = models.DateTimeField()  # as scheduled, before anything moved it
    status = models.CharField(max_length=16, default=OPEN)
    paused_at = models.DateTimeField(null=True)
    extensions = models.IntegerField(default=0)
    last_sequence = models.IntegerField(default=0)
    last_accepted_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    standings = models.JSONField()  # [[bidder's number, amount in minor units, sequence], …]
    lead_minor = models.BigIntegerField()
    closed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True)  # of a cancellation, in words
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lot_id"], condition=~Q(status="cancelled") & Q(lot_id__isnull=False), name="auction_lot_once"
            ),
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="auction_status"),
            models.CheckConstraint(condition=Q(opens_at__lt=F("closes_at")), name="auction_opens_before_it_closes"),
            models.CheckConstraint(
                condition=Q(hard_close_at__isnull=True) | Q(closes_at__lte=F("hard_close_at")),
                name="auction_hard_close",
            ),
            models.CheckConstraint(condition=Q(lead_minor__gt=0), name="auction_lead"),
            models.CheckConstraint(
                condition=Q(status=PAUSED, paused_at__isnull=False) | ~Q(status=PAUSED), name="auction_paused_since"
            ),
        ]
        indexes = [
            models.Index(fields=["marketplace_id", "-id"], name="auction_by_marketplace"),
            models.Index(fields=["closes_at"], condition=Q(status=OPEN), name="auction_by_close"),
            models.Index(fields=["subject_id"], name="auction_by_subject"),
        ]


class Bidder(models.Model):
    """Who may bid. `number` orders equal start prices; `label` is what others see until the close."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    auction = models.ForeignKey(Auction, on_delete=models.CASCADE, related_name="bidders")
    number = models.SmallIntegerField()
    label = models.CharField(max_length=16)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    start_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["auction", "organisation"], name="auction_bidder_once"),
            models.UniqueConstraint(fields=["auction", "number"], name="auction_bidder_number_once"),
            models.UniqueConstraint(fields=["auction", "label"], name="auction_bidder_label_once"),
            models.CheckConstraint(condition=Q(start_minor__gt=0), name="auction_bidder_start"),
        ]
        indexes = [models.Index(fields=["organisation", "-id"], name="auction_bidder_by_org")]


class Entry(AppendOnly):
    """A line of an auction's log: an answered bid, accepted or refused, or a mark. Dense from 1; it never changes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="entries")
    sequence = models.IntegerField()
    kind = models.CharField(max_length=8)
    number = models.SmallIntegerField(null=True)  # the bidder's
    amount_minor = models.BigIntegerField(null=True)
    received_at = models.DateTimeField()  # at the door, by the server's clock
    at = models.DateTimeField()  # the effective time; of an outage its begin
    accepted = models.BooleanField()
    reason = models.CharField(max_length=16, blank=True)
    extended = models.BooleanField(default=False)
    closes_at = models.DateTimeField()  # after this entry
    lead_minor = models.BigIntegerField()  # after this entry
    person_id = models.UUIDField(null=True)  # who sent it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["auction", "sequence"], name="auction_entry_sequence_once"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="auction_entry_sequence"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="auction_entry_kind"),
            models.CheckConstraint(condition=Q(reason__in=REASONS), name="auction_entry_reason"),
            models.CheckConstraint(
                condition=Q(kind="bid", number__isnull=False, amount_minor__gt=0)
                | (~Q(kind="bid") & Q(number__isnull=True, amount_minor__isnull=True)),
                name="auction_entry_bid",
            ),
            models.CheckConstraint(
                condition=Q(accepted=True, reason="") | (Q(accepted=False) & ~Q(reason="")), name="auction_entry_answer"
            ),
        ]


class Pulse(models.Model):
    """When the house was last up: one row, beaten once a second. A gap in it is an outage, credited to every bidder."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    alive_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="auction_one_pulse")]
