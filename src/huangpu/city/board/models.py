"""The city board: figures by local day, counted from the log by the subscriber "board" and from nothing else.

Every table can be emptied and counted anew (`acts.rebuild`); `huangpu verify` does so in memory and compares. Amounts are
minor units. An amount may be below zero: what is known later (a supplier defaults) is booked on the day it is known.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Day(models.Model):
    """What happened in a marketplace on one of its local days, in one currency. The words: docs/reference/statistics.md."""

    marketplace_id = models.UUIDField()
    day = models.DateField()
    currency = models.CharField(max_length=3)
    agreements = models.BigIntegerField(default=0)
    agreed_minor = models.BigIntegerField(default=0)
    tendered = models.BigIntegerField(default=0)  # agreements that came from a tender
    tendered_minor = models.BigIntegerField(default=0)
    business_minor = models.BigIntegerField(default=0)  # of agreements in which nobody is a consumer
    accepted_minor = models.BigIntegerField(default=0)
    released_minor = models.BigIntegerField(default=0)
    charged_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    tenders = models.BigIntegerField(default=0)
    bids = models.BigIntegerField(default=0)  # counted when they are opened, for before nobody may know
    auction_bids = models.BigIntegerField(default=0)
    baseline_minor = models.BigIntegerField(default=0)
    final_minor = models.BigIntegerField(default=0)
    commerce = models.BigIntegerField(default=0)
    goods = models.BigIntegerField(default=0)
    funds = models.BigIntegerField(default=0)
    information = models.BigIntegerField(default=0)
    process = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace_id", "day", "currency"], name="board_day_once"),
            models.CheckConstraint(
                condition=Q(agreements__gte=0, agreed_minor__gte=0, tenders__gte=0, bids__gte=0, auction_bids__gte=0),
                name="board_day_counts_up",
            ),
        ]
        indexes = [models.Index(fields=["day"], name="board_day_by_day")]


class IndustryDay(models.Model):
    """Agreements that came from tenders, by the industry the tender named."""

    marketplace_id = models.UUIDField()
    day = models.DateField()
    currency = models.CharField(max_length=3)
    industry = models.CharField(max_length=32, blank=True)
    agreements = models.BigIntegerField(default=0)
    agreed_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["marketplace_id", "day", "currency", "industry"], name="board_industry_once"
            )
        ]
        indexes = [models.Index(fields=["day"], name="board_industry_by_day")]


class Firm(models.Model):
    """Who stands behind an amount, so that no amount is published behind which one firm could be seen. Never shown."""

    marketplace_id = models.UUIDField()
    day = models.DateField()
    currency = models.CharField(max_length=3)
    figure = models.CharField(max_length=8)  # direct: agreements without a tender; settled: what money moved
    side = models.CharField(max_length=8)  # payer | payee
    organisation_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["marketplace_id", "day", "currency", "figure", "side", "organisation_id"],
                name="board_firm_once",
            ),
            models.CheckConstraint(
                condition=Q(figure__in=("direct", "settled"), side__in=("payer", "payee")), name="board_firm_kind"
            ),
        ]
        indexes = [models.Index(fields=["day"], name="board_firm_by_day")]


class KnownTender(models.Model):
    """What the board has read of a published tender: enough to know what came from it and what it saved."""

    tender_id = models.UUIDField(primary_key=True)
    marketplace_id = models.UUIDField()
    industry = models.CharField(max_length=32, blank=True)
    currency = models.CharField(max_length=3)
    budget_minor = models.BigIntegerField(null=True)
    lots = models.JSONField(default=dict)  # lot → its budget or null
    bids_until = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=True)
    counted = models.JSONField(default=dict)  # award → [baseline, final], as it went into the saving

    class Meta:
        indexes = [
            models.Index(fields=["marketplace_id", "bids_until"], condition=Q(is_open=True), name="board_tender_open"),
        ]


class KnownFirm(models.Model):
    """An organisation of the city, its industry, and whether it has ever been party to an agreement."""

    organisation_id = models.UUIDField(primary_key=True)
    industry = models.CharField(max_length=32, blank=True)
    registered = models.BooleanField(default=False)
    trades = models.BooleanField(default=False)


class Coverage(models.Model):
    """How many organisations an industry has here, and how many of them have traded."""

    industry = models.CharField(max_length=32, primary_key=True)
    organisations = models.BigIntegerField(default=0)
    trading = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(organisations__gte=0, trading__gte=0, trading__lte=models.F("organisations")),
                name="board_coverage_is_a_part",
            )
        ]
