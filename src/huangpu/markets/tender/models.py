"""A tender with its lots and lines, what is asked and answered, the bids, their scores, the awards and the complaints.

What may never be wrong is a constraint here: one standing bid a bidder and lot, one standing award a lot, amounts above
zero, a bid that is sealed or opened but never both readable and early.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from huangpu.core.ids import uuid7
from huangpu.core.names import NameField
from huangpu.parties.models import Organisation

from .procedures import STAGES

BID_STATUSES = ("sealed", "valid", "unreadable", "disqualified", "withdrawn", "replaced")
GONE = ("withdrawn", "replaced")
BOND_STATUSES = ("held", "returned", "forfeited")
AWARD_STATUSES = ("standing", "concluded", "cancelled", "defaulted")
LOT_STATUSES = ("active", "awarded", "concluded", "unsuccessful", "cancelled")


class Tender(models.Model):
    """A buyer's request for bids. All periods are instants in UTC; a bid counts if `received_at < bids_until`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    number = models.CharField(max_length=40)  # for people: T-2026-000123
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="tenders")
    title = NameField()
    description = NameField(blank=True)
    industry = models.CharField(max_length=32, blank=True)
    delivery_place = models.CharField(max_length=300, blank=True)
    currency = models.CharField(max_length=3)
    budget_minor = models.BigIntegerField(null=True)  # of all lots; the first baseline of the saving
    procedure = models.CharField(max_length=32)  # a code of procedures.PROCEDURES
    criteria = models.JSONField(default=list)  # rules.Criterion as data; empty: the lowest price
    auction = models.JSONField(null=True)  # the rules of the reverse auction after opening; null: none
    allow_single = models.BooleanField(default=True)  # whether a lot with a single bid goes on
    two_persons = models.BooleanField(default=False)  # whether who evaluated may not award
    stage = models.CharField(max_length=16, default="draft")
    published_at = models.DateTimeField(null=True)
    questions_until = models.DateTimeField(null=True)
    bids_until = models.DateTimeField(null=True)
    standstill_days = models.SmallIntegerField(default=0)
    standstill_working = models.BooleanField(default=False)  # counted in working days
    deliver_within_days = models.SmallIntegerField(default=30)
    inspect_within_days = models.SmallIntegerField(default=7)
    pay_within_days = models.SmallIntegerField(default=3)
    late_penalty = models.JSONField(null=True)  # {rate, per, cap}: flows.process.lateness.Rate; null: none
    bond_minor = models.BigIntegerField(null=True)  # the bid bond of each bid; null: by bond_ppm, or none
    bond_ppm = models.IntegerField(null=True)  # in millionths of the lot's budget, rounded down
    sealing_key = models.BinaryField(max_length=32, null=True)  # X25519 public key; the private one is never in here
    opened_at = models.DateTimeField(null=True)
    opening = models.JSONField(null=True)  # the record of the opening: rules.opening_record
    evaluated_by = models.UUIDField(null=True)  # the person, for two_persons
    closed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True)  # of a cancellation, in the buyer's words; or a code
    next_deadline_at = models.DateTimeField(null=True)  # when time itself must act: jobs sweep over it
    version = models.IntegerField(default=1)  # grows with each edit and amendment
    origin_id = models.UUIDField(null=True)  # the earlier or imported tender this one was opened from
    search = SearchVectorField(null=True)  # number, title, lines and buyer in all languages, as core.search splits them
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace_id", "number"], name="tender_number_once"),
            models.CheckConstraint(condition=Q(stage__in=STAGES), name="tender_stage"),
            models.CheckConstraint(
                condition=Q(budget_minor__isnull=True) | Q(budget_minor__gte=0), name="tender_budget_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=("draft", "cancelled"))
                | Q(bids_until__isnull=False, sealing_key__isnull=False, published_at__isnull=False),
                name="tender_published_has_a_deadline_and_a_key",
            ),
            models.CheckConstraint(
                condition=Q(questions_until__isnull=True)
                | Q(bids_until__isnull=True)
                | Q(questions_until__lte=F("bids_until")),
                name="tender_questions_end_before_bids",
            ),
            models.CheckConstraint(
                condition=Q(standstill_days__range=(0, 365))
                & Q(deliver_within_days__range=(0, 3650))
                & Q(inspect_within_days__range=(0, 365))
                & Q(pay_within_days__range=(0, 365)),
                name="tender_terms_in_days",
            ),
            models.CheckConstraint(
                condition=(Q(bond_minor__isnull=True) | Q(bond_minor__gt=0, bond_ppm__isnull=True))
                & (Q(bond_ppm__isnull=True) | Q(bond_ppm__range=(1, 1_000_000))),
                name="tender_bond",
            ),
        ]
        indexes = [
            models.Index(fields=["marketplace_id", "stage", "-id"], name="tender_by_stage"),
            models.Index(fields=["buyer", "-id"], name="tender_by_buyer"),
            models.Index(
                fields=["next_deadline_at"], condition=Q(next_deadline_at__isnull=False), name="tender_next_deadline"
            ),
            models.Index(fields=["marketplace_id", "bids_until"], name="tender_by_bids_until"),
            GinIndex(fields=["search"], name="tender_by_words"),
        ]


class Lot(models.Model):
    """A part of a tender that is bid for and awarded as a whole. Every tender has at least one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="lots")
    number = models.SmallIntegerField()
    title = NameField(blank=True)
    budget_minor = models.BigIntegerField(null=True)
    status = models.CharField(max_length=16, default="active")
    reason = models.CharField(max_length=64, blank=True)  # why unsuccessful: a code
    auction_id = models.UUIDField(null=True)
    evaluation = models.JSONField(null=True)  # rules.evaluation_file: anybody can recompute the ranking from it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tender", "number"], name="tender_lot_once"),
            models.CheckConstraint(condition=Q(status__in=LOT_STATUSES), name="tender_lot_status"),
            models.CheckConstraint(
                condition=Q(budget_minor__isnull=True) | Q(budget_minor__gte=0), name="tender_lot_budget"
            ),
        ]


class Line(models.Model):
    """What is bought: a quantity of something, classified."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="lines")
    number = models.SmallIntegerField()
    name = NameField()
    description = models.CharField(max_length=2000, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unit = models.CharField(max_length=3)  # UN/CEFACT Rec 20
    scheme = models.CharField(max_length=32, blank=True)  # of the classification: "CPV", "UNSPSC", "GB/T 7635"
    code = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "number"], name="tender_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="tender_line_quantity"),
        ]


class Attachment(models.Model):
    """A document of a tender: one kept here, or the address at which it is published."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="attachments")
    document_id = models.UUIDField(null=True)
    url = models.URLField(max_length=1000, blank=True)
    title = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=40, blank=True)  # OCDS documentType: "technicalSpecifications", …
    added_at = models.DateTimeField(null=True)

    @property
    def address(self) -> str:
        """Where it can be read."""
        return self.url or f"/documents/{self.document_id}/"


class Question(models.Model):
    """A question of a supplier, whose name nobody else sees; the answer is public."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="questions")
    asker = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    text = models.CharField(max_length=2000)
    asked_at = models.DateTimeField()
    answer = models.CharField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.UUIDField(null=True)


class Bid(models.Model):
    """A supplier's bid for a lot. Until the opening only `sealed` (the ciphertext) and `receipt` (its SHA-256) exist."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="bids")
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="bids")
    bidder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="bids")
    status = models.CharField(max_length=16, default="sealed")
    sealed = models.BinaryField(null=True)  # goes when the bid is withdrawn or replaced: nobody can read it ever after
    receipt = models.BinaryField(max_length=32, null=True)
    received_at = models.DateTimeField()  # the server's clock; before bids_until, and what breaks a tie
    submitted_by = models.UUIDField(null=True)
    gone_at = models.DateTimeField(null=True)
    number = models.SmallIntegerField(null=True)  # given at the opening by order of receipt: "Bidder 1"
    amount_minor = models.BigIntegerField(null=True)  # the opening price
    final_minor = models.BigIntegerField(null=True)  # after the auction; null: there was none
    deliver_within_days = models.SmallIntegerField(null=True)
    note = models.CharField(max_length=2000, blank=True)
    reason = models.CharField(max_length=1000, blank=True)  # of a disqualification

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lot", "bidder"], condition=~Q(status__in=GONE), name="tender_one_standing_bid"
            ),
            models.UniqueConstraint(fields=["receipt"], name="tender_bid_receipt_once"),
            models.CheckConstraint(condition=Q(status__in=BID_STATUSES), name="tender_bid_status"),
            models.CheckConstraint(
                condition=~Q(status="sealed")
                | Q(sealed__isnull=False, receipt__isnull=False, amount_minor__isnull=True),
                name="tender_sealed_bid_shows_nothing",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=GONE) | Q(sealed__isnull=True, gone_at__isnull=False),
                name="tender_gone_bid_is_unreadable",
            ),
            models.CheckConstraint(condition=~Q(status="valid") | Q(amount_minor__gt=0), name="tender_bid_amount"),
            models.CheckConstraint(
                condition=Q(final_minor__isnull=True) | Q(final_minor__gt=0, final_minor__lte=F("amount_minor")),
                name="tender_bid_final_not_above_opening",
            ),
        ]
        indexes = [models.Index(fields=["bidder", "-id"], name="tender_bid_by_bidder")]

    @property
    def receipt_hex(self) -> str:
        """The receipt as it is shown."""
        return bytes(self.receipt or b"").hex()


class Bond(models.Model):
    """A bid bond (投标保证金): the bidder's money, held in the ledger by a hold of the same id, while its bid stands.

    A bid that replaces another takes its bond over. Given back or forfeited once, and never held again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)  # the ledger's hold
    marketplace_id = models.UUIDField()
    tender = models.ForeignKey(Tender, on_delete=models.PROTECT, related_name="bonds")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="bonds")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="bonds")
    bidder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="bid_bonds")
    amount_minor = models.BigIntegerField()
    status = models.CharField(max_length=10, default="held")
    reason = models.CharField(max_length=16, blank=True)  # why it ended: a code of words.BOND_REASONS
    held_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bid"], condition=Q(status="held"), name="tender_one_live_bond"),
            models.CheckConstraint(condition=Q(status__in=BOND_STATUSES), name="tender_bond_status"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="tender_bond_amount"),
            models.CheckConstraint(
                condition=Q(status="held", settled_at__isnull=True) | (~Q(status="held") & Q(settled_at__isnull=False)),
                name="tender_bond_settled",
            ),
        ]


class BidLine(models.Model):
    """An opened bid's price for a line: exact unit price in whole units, amount in minor units rounded half up once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="+")
    unit_price = models.DecimalField(max_digits=18, decimal_places=6)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bid", "line"], name="tender_bid_line_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0) & Q(unit_price__gt=0), name="tender_bid_line_amount"
            ),
        ]


class Score(models.Model):
    """One evaluator's points for one bid and one criterion."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="scores")
    criterion = models.CharField(max_length=32)
    evaluator = models.UUIDField()
    points = models.DecimalField(max_digits=9, decimal_places=3)
    comment = models.CharField(max_length=1000, blank=True)
    scored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bid", "criterion", "evaluator"], name="tender_score_once"),
            models.CheckConstraint(condition=Q(points__gte=0), name="tender_score_not_negative"),
        ]


class Award(models.Model):
    """The decision for a lot. One stands at a time; a supplier's default makes room for the next in rank."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="awards")
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="awards")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, null=True, related_name="awards")
    supplier = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="tender_awards")
    amount_minor = models.BigIntegerField(null=True)
    status = models.CharField(max_length=16, default="standing")
    awarded_at = models.DateTimeField(null=True)
    awarded_by = models.UUIDField(null=True)
    standstill_until = models.DateTimeField(null=True)
    agreement_id = models.UUIDField(null=True)
    file = models.JSONField(null=True)  # the evaluation file the decision rests on, with its hash
    reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lot"], condition=Q(status__in=("standing", "concluded")), name="tender_one_standing_award"
            ),
            models.UniqueConstraint(
                fields=["bid"], condition=Q(status__in=("standing", "concluded")), name="tender_bid_awarded_once"
            ),
            models.CheckConstraint(condition=Q(status__in=AWARD_STATUSES), name="tender_award_status"),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True) | Q(amount_minor__gte=0), name="tender_award_amount"
            ),
        ]


class Complaint(models.Model):
    """Raised by a bidder in the standstill; while it is open nothing is concluded. The marketplace's arbiter decides."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="complaints")
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=4000)
    raised_at = models.DateTimeField()
    upheld = models.BooleanField(null=True)  # null: not decided
    decision = models.CharField(max_length=4000, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lot", "organisation"], condition=Q(upheld__isnull=True), name="tender_one_open_complaint"
            )
        ]
