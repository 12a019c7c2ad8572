"""The shapes of the tender's API: what goes in and what comes out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema

from huangpu.core.quantity import plain

from .models import Award, Bid, Complaint, Line, Question, Tender
from .queries import BidView, LotView, TenderView
from .rules import Criterion, Saving
from .snapshot import Attached
from .terms import LineTerms, LotTerms, TenderTerms
from .words import DOCUMENT_KINDS

Names = dict[Literal["zh-hans", "en"], str]
Text = Field(max_length=2000)
NAMES_EXAMPLE: Any = {"zh-hans": "齿轮箱采购", "en": "Gearboxes"}
DECIMAL_OUT = "A decimal as text, exact."


def names(given: Names) -> dict[str, str]:
    return {str(language): text for language, text in given.items()}


class LineIn(Schema):
    name: Names = Field(examples=[{"zh-hans": "齿轮箱", "en": "Gearbox"}])
    quantity: Decimal = Field(description="Above 0, at most six decimals.", examples=["12"])
    unit: str = Field(description="UN/CEFACT Rec 20 code.", examples=["C62"], max_length=3)
    description: str = Field("", max_length=2000)
    scheme: str = Field("", description="Classification: CPV, UNSPSC, GB/T 7635, …", max_length=32)
    code: str = Field("", max_length=32)


class LotIn(Schema):
    lines: list[LineIn] = Field(min_length=1, max_length=500)
    title: Names = Field(default_factory=dict)
    budget_minor: int | None = Field(None, description="Minor units.", gt=0)


class CriterionIn(Schema):
    code: str = Field(examples=["quality"], max_length=32, pattern=r"^[a-z0-9_-]+$")
    name: Names = Field(examples=[{"zh-hans": "质量", "en": "Quality"}])
    weight: int = Field(description="Thousandths of the score; the price weighs what is left.", examples=[400])
    best: int = Field(100, description="The best points an evaluator can give.")


class LatePenalty(Schema):
    """What a part that comes late costs the seller, out of its proceeds: shares of 1 as decimal texts."""

    rate: str = Field(
        description="Of the late part's value, for each started period.", examples=["0.005"], max_length=10
    )
    per: Literal["day", "week"]
    cap: str = Field(description="At most this share of it; up to 0.3.", examples=["0.05"], max_length=10)


class TenderIn(Schema):
    title: Names = Field(examples=[NAMES_EXAMPLE])
    currency: str = Field("CNY", description="ISO 4217.", max_length=3)
    procedure: str = Field(description="rfq, rfq_auction, open or open_auction.", examples=["open"])
    lots: list[LotIn] = Field(min_length=1, max_length=50)
    description: Names = Field(default_factory=dict)
    industry: str = Field("", max_length=32)
    delivery_place: str = Field("", max_length=300)
    budget_minor: int | None = Field(None, description="Minor units; the first baseline of the saving.", gt=0)
    criteria: list[CriterionIn] = Field(default_factory=list, description="Empty: the lowest price wins.")
    auction: dict[str, Any] | None = Field(None, description="Rules of the reverse auction, where there is one.")
    allow_single: bool = Field(True, description="Whether a lot with a single bid goes on.")
    two_persons: bool = Field(False, description="Whether another person than the evaluator must award.")
    questions_until: datetime | None = None
    bids_until: datetime | None = Field(None, description="A bid counts if the server received it before this instant.")
    standstill_days: int = 0
    standstill_working: bool = Field(False, description="Standstill counted in working days.")
    deliver_within_days: int = 30
    inspect_within_days: int = 7
    pay_within_days: int = 3
    late_penalty: LatePenalty | None = None
    bond_minor: int | None = Field(
        None, description="Bid bond of each bid in minor units, held until its lot is decided."
    )
    bond_ppm: int | None = Field(None, description="Or in millionths of the lot's budget, rounded down.")

    def terms(self) -> TenderTerms:
        data = self.dict(exclude={"lots", "criteria"})
        lots = [
            LotTerms([LineTerms(**line.dict()) for line in lot.lines], names(lot.title), lot.budget_minor)
            for lot in self.lots
        ]
        return TenderTerms(lots=lots, criteria=[Criterion(**one.dict()) for one in self.criteria], **data)


class EditIn(TenderIn):
    version: int | None = Field(None, description="The version that was read; another one meanwhile is refused.")

    def terms(self) -> TenderTerms:
        return TenderIn(**self.dict(exclude={"version"})).terms()


class AmendIn(Schema):
    bids_until: datetime | None = None
    questions_until: datetime | None = None
    description: Names | None = None
    note: str = Field("", max_length=1000)


class TextIn(Schema):
    text: str = Field(min_length=1, max_length=4000)


class ReasonIn(Schema):
    reason: str = Field(min_length=1, max_length=1000)


class PriceIn(Schema):
    line: UUID
    unit_price: Decimal = Field(
        description="In whole currency units, above 0, at most six decimals.", examples=["12.5"]
    )


class BidIn(Schema):
    lot: UUID
    prices: list[PriceIn] = Field(min_length=1, max_length=500)
    deliver_within_days: int | None = None
    note: str = Field("", max_length=2000)


class ScoreIn(Schema):
    criterion: str
    points: Decimal
    comment: str = Field("", max_length=1000)


class StartIn(Schema):
    opens_at: datetime | None = Field(None, description="Default: five minutes from now.")


class ApprovalIn(Schema):
    lot: UUID | None = Field(None, description="The lot to be awarded; null: the publication.")


class TaskOut(Schema):
    """The task in which colleagues approve."""

    id: UUID
    act: str
    state: str
    persons: int = Field(description="How many different persons must agree.")


class AwardIn(Schema):
    lot: UUID


class ComplaintIn(Schema):
    lot: UUID
    text: str = Field(min_length=1, max_length=4000)


class DecisionIn(Schema):
    upheld: bool
    decision: str = Field(min_length=1, max_length=4000)


class TenderRow(Schema):
    """A tender in a list."""

    id: UUID
    number: str
    title: dict[str, str]
    buyer: UUID = Field(alias="buyer_id")
    buyer_name: dict[str, str]
    stage: str
    procedure: str
    industry: str
    currency: str
    budget_minor: int | None
    published_at: datetime | None
    bids_until: datetime | None

    @staticmethod
    def resolve_buyer_name(tender: Tender) -> dict[str, str]:
        return dict(tender.buyer.name)


class LineOut(Schema):
    id: UUID
    number: int
    name: dict[str, str]
    description: str
    quantity: str = Field(description=DECIMAL_OUT)
    unit: str
    scheme: str
    code: str

    @staticmethod
    def resolve_quantity(line: Line) -> str:
        return plain(line.quantity)


class BidLineOut(Schema):
    line: UUID = Field(alias="line_id")
    unit_price: str = Field(description=DECIMAL_OUT)
    amount_minor: int

    @staticmethod
    def resolve_unit_price(line: Any) -> str:
        return plain(line.unit_price)


class BidOut(Schema):
    """An opened bid. What is not for the reader is null or empty."""

    id: UUID
    number: int
    mine: bool
    status: str
    received_at: datetime
    receipt: str
    amount_minor: int | None
    final_minor: int | None
    organisation: UUID | None = Field(None, alias="organisation_id")
    organisation_name: dict[str, str] | None = Field(None, alias="organisation")
    deliver_within_days: int | None
    note: str
    reason: str
    lines: list[BidLineOut]
    bond: BondOut | None = Field(None, description="For the buyer and its bidder.")
    rank: int | None
    score: str | None = Field(description="The exact score as a fraction, where the evaluation is for the reader.")

    @staticmethod
    def resolve_score(bid: BidView) -> str | None:
        return f"{bid.score.numerator}/{bid.score.denominator}" if bid.score is not None else None


class BondOut(Schema):
    """A bid bond: money of the bidder, held in the ledger under the same id."""

    id: UUID
    amount_minor: int
    status: str = Field(description="held, returned or forfeited")
    reason: str
    held_at: datetime
    settled_at: datetime | None


class ReceiptOut(Schema):
    """A bid of one's own: what the house certifies, and no price."""

    id: UUID
    lot: UUID = Field(alias="lot_id")
    status: str
    received_at: datetime
    receipt: str = Field(description="SHA-256 of the sealed bid, hexadecimal; the opening record repeats it.")
    bond: BondOut | None = Field(None, description="The bid bond behind it, where the tender asks for one.")

    @staticmethod
    def resolve_bond(bid: Bid) -> Any:
        return max(bid.bonds.all(), key=lambda bond: bond.id, default=None)

    @staticmethod
    def resolve_receipt(bid: Bid) -> str:
        return bytes(bid.receipt or b"").hex()


class AwardOut(Schema):
    id: UUID
    lot: UUID = Field(alias="lot_id")
    bid: UUID | None = Field(alias="bid_id")
    supplier: UUID | None = Field(alias="supplier_id")
    supplier_name: dict[str, str]
    amount_minor: int | None
    status: str
    awarded_at: datetime | None
    standstill_until: datetime | None
    agreement: UUID | None = Field(alias="agreement_id")
    reason: str

    @staticmethod
    def resolve_supplier_name(award: Award) -> Any:
        return award.supplier.name if award.supplier else {}


class SavingOut(Schema):
    """The price at each step, in minor units. `baseline`: budget, or opening where there was no budget."""

    budget: int | None
    opening: int | None
    final: int | None
    contracted: int | None
    delivered: int | None
    baseline: str | None
    saved_minor: int | None
    saved_ppm: int | None = Field(description="In millionths of the baseline.")

    @staticmethod
    def resolve_baseline(saving: Saving) -> str | None:
        return saving.baseline[0] if saving.baseline else None


class LotOut(Schema):
    id: UUID
    number: int
    title: dict[str, str]
    budget_minor: int | None
    bond_minor: int = Field(description="What a bid for it has to put up; 0: nothing.")
    status: str
    reason: str
    auction: UUID | None
    lines: list[LineOut]
    bids: list[BidOut]
    evaluation: dict[str, Any] | None = Field(description="The evaluation file: recompute the ranking from it.")
    award: AwardOut | None
    past_awards: list[AwardOut]
    saving: SavingOut

    @staticmethod
    def resolve_id(view: LotView) -> UUID:
        return view.lot.id

    @staticmethod
    def resolve_number(view: LotView) -> int:
        return view.lot.number

    @staticmethod
    def resolve_title(view: LotView) -> Any:
        return view.lot.title

    @staticmethod
    def resolve_budget_minor(view: LotView) -> int | None:
        return view.lot.budget_minor

    @staticmethod
    def resolve_status(view: LotView) -> str:
        return view.lot.status

    @staticmethod
    def resolve_reason(view: LotView) -> str:
        return view.lot.reason

    @staticmethod
    def resolve_auction(view: LotView) -> UUID | None:
        return view.lot.auction_id


class QuestionOut(Schema):
    id: UUID
    text: str
    asked_at: datetime
    answer: str
    answered_at: datetime | None

    @staticmethod
    def resolve_id(question: Question) -> UUID:
        return question.id


class ComplaintOut(Schema):
    id: UUID
    lot: UUID = Field(alias="lot_id")
    organisation: UUID = Field(alias="organisation_id")
    text: str
    raised_at: datetime
    upheld: bool | None
    decision: str
    decided_at: datetime | None

    @staticmethod
    def resolve_id(complaint: Complaint) -> UUID:
        return complaint.id


class AttachIn(Schema):
    """A stored document of one's own organisation."""

    document: UUID
    kind: str = Field(description=", ".join(DOCUMENT_KINDS), examples=["technicalSpecifications"], max_length=40)
    title: str = Field("", description="Empty: the file's name.", max_length=300)


class AttachmentOut(Schema):
    """A document of a tender. `document` is null where it lies elsewhere, at `address`."""

    id: UUID
    document: UUID | None
    title: str
    kind: str
    address: str
    added_at: datetime | None
    media_type: str
    size: int | None
    sha256: str

    @staticmethod
    def of(one: Attached) -> AttachmentOut:
        kept, attachment = one.document, one.attachment
        return AttachmentOut(
            id=attachment.id, document=attachment.document_id, title=attachment.title, kind=attachment.kind,
            address=attachment.address, added_at=attachment.added_at, media_type=kept.media_type if kept else "",
            size=kept.size if kept else None, sha256=kept.sha256 if kept else "",
        )  # fmt: skip


class TenderOut(Schema):
    """A tender as its reader may see it. `acts`: what the reader may do now."""

    id: UUID
    number: str
    title: dict[str, str]
    description: dict[str, str]
    buyer: UUID
    buyer_name: dict[str, str]
    stage: str
    reason: str
    procedure: str
    industry: str
    delivery_place: str
    currency: str
    budget_minor: int | None
    criteria: list[dict[str, Any]]
    auction: dict[str, Any] | None
    allow_single: bool
    two_persons: bool
    published_at: datetime | None
    questions_until: datetime | None
    bids_until: datetime | None
    opened_at: datetime | None
    closed_at: datetime | None
    standstill_days: int
    standstill_working: bool
    deliver_within_days: int
    inspect_within_days: int
    pay_within_days: int
    late_penalty: LatePenalty | None
    bond_minor: int | None
    bond_ppm: int | None
    sealing_key: str | None = Field(description="The X25519 public key that bids are sealed to, hexadecimal.")
    origin: UUID | None
    version: int
    lots: list[LotOut]
    my_bids: list[ReceiptOut]
    questions: list[QuestionOut]
    complaints: list[ComplaintOut]
    documents: list[AttachmentOut]
    saving: SavingOut
    acts: list[str]
    bidders: int | None
    opening_transcript: str | None = Field(description="SHA-256 over all receipts in the order of receipt.")

    @classmethod
    def of(cls, view: TenderView) -> TenderOut:
        tender = view.tender
        plain_fields = {name: getattr(tender, name) for name in PLAIN}
        return cls.model_validate(
            {
                **plain_fields,
                "buyer": tender.buyer_id,
                "buyer_name": tender.buyer.name,
                "origin": tender.origin_id,
                "sealing_key": bytes(tender.sealing_key).hex() if tender.sealing_key else None,
                "lots": view.lots,
                "my_bids": view.my_bids,
                "questions": view.questions,
                "complaints": view.complaints,
                "documents": [AttachmentOut.of(one) for one in view.documents],
                "saving": view.saving,
                "acts": sorted(view.acts),
                "bidders": view.bidders,
                "opening_transcript": tender.opening["transcript"] if tender.opening and view.shows_bids else None,
            }
        )


PLAIN = (
    *("id", "number", "title", "description", "stage", "reason", "procedure", "industry", "delivery_place"),
    *("currency", "budget_minor", "criteria", "auction", "allow_single", "two_persons", "published_at"),
    *("questions_until", "bids_until", "opened_at", "closed_at", "standstill_days", "standstill_working"),
    *("deliver_within_days", "inspect_within_days", "pay_within_days", "version"),
    *("late_penalty", "bond_minor", "bond_ppm"),
)
