"""What may be asked of tenders: lists with search and filters, one tender as its reader may see it, the saving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from huangpu.core import search
from huangpu.core.errors import NotFound
from huangpu.flows.commerce.models import Agreement
from huangpu.flows.information.references import Origin
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace, Person

from .models import GONE, Award, Bid, BidLine, Bond, Complaint, Line, Lot, Question, Score, Tender
from .procedures import STEPS, possible, procedure_of
from .rights import allowed
from .rules import Saving, bond_amount, lot_budget
from .snapshot import Attached, documents_of

SORTS = {
    "newest": ("-id",),
    "deadline": (F("bids_until").asc(nulls_last=True), "-id"),
    "budget": (F("budget_minor").desc(nulls_last=True), "-id"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of tenders is narrowed by; empty values narrow nothing. Amounts in minor units."""

    text: str = ""
    stage: str = ""
    industry: str = ""
    procedure: str = ""
    budget_from: int | None = None
    budget_to: int | None = None
    mine: str = ""  # "buying": of my organisation, drafts too; "bidding": for which it has bid
    sort: str = "newest"


@dataclass(frozen=True, slots=True)
class BidView:
    """An opened bid as its reader may see it: names, unit prices and notes are empty where they are not for the reader."""

    id: UUID
    number: int
    mine: bool
    status: str
    received_at: datetime
    receipt: str
    amount_minor: int | None
    final_minor: int | None
    organisation_id: UUID | None = None
    organisation: dict[str, str] | None = None
    deliver_within_days: int | None = None
    note: str = ""
    reason: str = ""
    lines: list[BidLine] = field(default_factory=list)
    points: dict[str, list[Score]] = field(default_factory=dict)
    bond: Bond | None = None
    rank: int | None = None
    score: Fraction | None = None

    @property
    def hundredths(self) -> str:
        """The score times 100, cut to two decimals, for reading; the fraction is what counts."""
        if self.score is None:
            return ""
        cut = int(self.score * 10_000)
        return f"{cut // 100}.{cut % 100:02d}"


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot with what is known of its bids."""

    lot: Lot
    lines: list[Line]
    bids: list[BidView]
    evaluation: dict[str, Any] | None
    award: Award | None
    past_awards: list[Award]
    my_bid: Bid | None  # standing, whatever its status
    bond_minor: int  # what a bid has to put up; 0: nothing
    saving: Saving


@dataclass(frozen=True, slots=True)
class TenderView:
    """A tender as one reader may see it at one time. `acts`: what the reader may do now."""

    tender: Tender
    lots: list[LotView]
    my_bids: list[Bid]
    questions: list[Question]
    complaints: list[Complaint]
    documents: list[Attached]
    saving: Saving
    acts: frozenset[str]
    is_buyer: bool
    shows_bids: bool
    bidders: int | None  # how many have bid; None before the opening, when nobody knows


def visible(actor: Actor, marketplace_id: UUID) -> QuerySet[Tender]:
    """The tenders of a marketplace that the actor may know of: all published ones, and the own drafts."""
    public = Q(published_at__isnull=False)
    if actor.organisation_id is not None:
        public |= Q(buyer_id=actor.organisation_id)
    return Tender.objects.filter(public, marketplace_id=marketplace_id).select_related("buyer")


def listing(actor: Actor, marketplace_id: UUID, filters: Filters) -> QuerySet[Tender]:
    """The visible tenders that match, in the order asked for."""
    found = visible(actor, marketplace_id)
    if filters.text.strip():
        asked = search.query(filters.text)
        found = found.filter(search=SearchQuery(asked, config="simple", search_type="raw")) if asked else found.none()
    for name in ("stage", "industry", "procedure"):
        if value := getattr(filters, name):
            found = found.filter(**{name: value})
    if filters.budget_from is not None:
        found = found.filter(budget_minor__gte=filters.budget_from)
    if filters.budget_to is not None:
        found = found.filter(budget_minor__lte=filters.budget_to)
    if filters.mine == "buying":
        found = found.filter(buyer_id=actor.organisation_id)
    elif filters.mine == "bidding":
        own = Bid.objects.filter(bidder_id=actor.organisation_id).exclude(status__in=GONE)
        found = found.filter(pk__in=own.values("tender_id"))
    return found.order_by(*SORTS.get(filters.sort, SORTS["newest"]))


def find(actor: Actor, marketplace_id: UUID, tender_id: UUID) -> Tender:
    """One visible tender, else NotFound tender.not_found."""
    found = visible(actor, marketplace_id).filter(pk=tender_id).first()
    if found is None:
        raise NotFound("tender.not_found", _("There is no such tender."), value=str(tender_id))
    return found


def find_by_number(actor: Actor, marketplace_id: UUID, number: str) -> Tender:
    """One visible tender by the number people call it by, else NotFound tender.not_found."""
    found = visible(actor, marketplace_id).filter(number=number).first()
    if found is None:
        raise NotFound("tender.not_found", _("There is no such tender."), value=number)
    return found


def see(actor: Actor, tender: Tender, now: datetime) -> TenderView:
    """Everything of a tender that this reader may see.

    Before the opening nobody sees a bid, nor how many there are; a bidder sees the receipts of its own. After it: amounts
    to everybody or to the parties (by the procedure); names with an auction only after the first award; unit prices,
    notes and points to the buyer, the own ones to each bidder; the evaluation to everybody once the lot is awarded.
    """
    is_buyer = actor.is_system or (actor.organisation_id is not None and actor.organisation_id == tender.buyer_id)
    overseer = _oversees(actor, tender)
    bids = list(
        Bid.objects.filter(tender=tender).select_related("bidder").prefetch_related("bonds").order_by("number", "id")
    )
    mine = [bid for bid in bids if actor.organisation_id is not None and bid.bidder_id == actor.organisation_id]
    awards = list(Award.objects.filter(tender=tender).select_related("supplier").order_by("id"))
    procedure = procedure_of(tender.procedure)
    shows_bids = tender.opened_at is not None and (procedure.opening_public or is_buyer or overseer or bool(mine))
    names = is_buyer or overseer or not procedure.auction or bool(awards)
    lots = _lots(tender, bids if shows_bids else [], mine, awards, Access(actor.organisation_id, is_buyer, names))
    return TenderView(
        tender=tender,
        lots=lots,
        my_bids=sorted(mine, key=lambda bid: bid.received_at, reverse=True),
        questions=list(Question.objects.filter(tender=tender).order_by("id")),
        complaints=_complaints(actor, tender, is_buyer or overseer),
        documents=documents_of(tender),
        saving=saving_of(tender, lots),
        acts=acts_of(actor, tender, now),
        is_buyer=is_buyer,
        shows_bids=shows_bids,
        bidders=len({bid.bidder_id for bid in bids if bid.status not in GONE}) if tender.opened_at else None,
    )


@dataclass(frozen=True, slots=True)
class Access:
    """What a reader may see of bids that are opened."""

    organisation_id: UUID | None
    everything: bool  # unit prices, notes and points of all: the buyer
    names: bool


def acts_of(actor: Actor, tender: Tender, now: datetime) -> frozenset[str]:
    """What the actor may do with the tender now: right, stage and time. The acts themselves ask all of it again."""
    found = {act for act in STEPS if possible(tender.procedure, act, tender.stage) and allowed(actor, act, tender)}
    open_now = tender.bids_until is not None and now < tender.bids_until
    if not open_now:
        found -= {"submit_bid", "withdraw_bid", "ask", "answer", "amend"}
        found -= {"attach"} if tender.stage == "open" else set()
    else:
        found -= {"open_bids"}
    if tender.questions_until is not None and now >= tender.questions_until:
        found -= {"ask"}
    return frozenset(found)


def saving_of(tender: Tender, lots: Iterable[LotView]) -> Saving:
    """The saving of all lots that are awarded: each step is told only where every one of them has reached it."""
    awarded = [lot.saving for lot in lots if lot.award is not None]
    if not awarded:
        return Saving(tender.budget_minor, None, None)
    budget = _sum(saving.budget for saving in awarded)
    whole = all(lot.award is not None or lot.lot.status == "unsuccessful" for lot in lots)
    if budget is None and whole and all(lot.award is not None for lot in lots):
        budget = tender.budget_minor
    return Saving(
        budget,
        _sum(saving.opening for saving in awarded),
        _sum(saving.final for saving in awarded),
        _sum(saving.contracted for saving in awarded),
        _sum(saving.delivered for saving in awarded),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _oversees(actor: Actor, tender: Tender) -> bool:
    here = actor.marketplace_id == tender.marketplace_id and bool(actor.market_roles & {"operator", "arbiter"})
    return here or "regulator" in actor.city_roles


def _complaints(actor: Actor, tender: Tender, all_of_them: bool) -> list[Complaint]:
    found = Complaint.objects.filter(tender=tender).select_related("lot", "organisation").order_by("id")
    if all_of_them:
        return list(found)
    return [] if actor.organisation_id is None else list(found.filter(organisation_id=actor.organisation_id))


def _lots(tender: Tender, bids: list[Bid], mine: list[Bid], awards: list[Award], access: Access) -> list[LotView]:
    lots = list(Lot.objects.filter(tender=tender).order_by("number"))
    lines: dict[UUID, list[Line]] = defaultdict(list)
    for line in Line.objects.filter(lot__in=lots).order_by("number"):
        lines[line.lot_id].append(line)
    standing = {award.lot_id: award for award in awards if award.status in ("standing", "concluded")}
    contracted = _contracted(awards)
    prices, points = _details(bids, access)
    bonds = {bond.bid_id: bond for bid in bids for bond in bid.bonds.all()}
    views = []
    for lot in lots:
        award = standing.get(lot.id)
        shown = lot.evaluation if access.everything or award is not None else None
        ranks = {UUID(bid["bid"]): bid for bid in (shown or {"bids": []})["bids"]}
        opened = [
            _bid_view(bid, access, prices[bid.id], points[bid.id], ranks.get(bid.id), bonds.get(bid.id))
            for bid in bids
            if bid.lot_id == lot.id and bid.status not in GONE
        ]
        views.append(
            LotView(
                lot=lot,
                lines=lines[lot.id],
                bids=sorted(opened, key=lambda bid: (bid.rank or 10**6, bid.number)),
                evaluation=shown,
                award=award,
                past_awards=[past for past in awards if past.lot_id == lot.id and past is not award],
                my_bid=next((bid for bid in mine if bid.lot_id == lot.id and bid.status not in GONE), None),
                bond_minor=bond_amount(
                    tender.bond_minor, tender.bond_ppm, lot_budget(tender.budget_minor, lot.budget_minor, len(lots))
                ),
                saving=_lot_saving(lot, opened, award, contracted),
            )
        )
    return views


def _details(bids: list[Bid], access: Access) -> tuple[dict[UUID, list[BidLine]], dict[UUID, dict[str, list[Score]]]]:
    readable = [bid.id for bid in bids if access.everything or bid.bidder_id == access.organisation_id]
    prices: dict[UUID, list[BidLine]] = defaultdict(list)
    for line in BidLine.objects.select_related("line").filter(bid_id__in=readable).order_by("line__number"):
        prices[line.bid_id].append(line)
    points: dict[UUID, dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
    for score in Score.objects.filter(bid_id__in=readable if access.everything else []).order_by("scored_at"):
        points[score.bid_id][score.criterion].append(score)
    return prices, points


def _bid_view(
    bid: Bid,
    access: Access,
    lines: list[BidLine],
    points: dict[str, list[Score]],
    ranked: dict[str, Any] | None,
    bond: Bond | None,
) -> BidView:
    own = bid.bidder_id == access.organisation_id
    named = access.names or own
    private = access.everything or own
    return BidView(
        id=bid.id,
        number=bid.number or 0,
        mine=own,
        status=bid.status,
        received_at=bid.received_at,
        receipt=bytes(bid.receipt or b"").hex(),
        amount_minor=bid.amount_minor,
        final_minor=bid.final_minor,
        organisation_id=bid.bidder_id if named else None,
        organisation=bid.bidder.name if named else None,
        deliver_within_days=bid.deliver_within_days if private else None,
        note=bid.note if private else "",
        reason=bid.reason if private else "",
        lines=lines,
        points=points,
        bond=bond if private else None,
        rank=ranked["rank"] if ranked else None,
        score=Fraction(ranked["score"]) if ranked else None,
    )


def _contracted(awards: list[Award]) -> dict[UUID, tuple[int, int | None]]:
    """Agreement → its price, and what was paid out in the end (None while it runs): what was released and charged."""
    ids = [award.agreement_id for award in awards if award.agreement_id is not None]
    found: dict[UUID, tuple[int, int | None]] = {}
    for agreement in Agreement.objects.filter(pk__in=ids).prefetch_related("commitments"):
        paid = sum(one.done_amount for one in agreement.commitments.all() if one.action in ("release", "charge"))
        found[agreement.pk] = (agreement.amount, paid if agreement.closed_at is not None else None)
    return found


def _lot_saving(
    lot: Lot, bids: list[BidView], award: Award | None, contracted: dict[UUID, tuple[int, int | None]]
) -> Saving:
    opening = [bid.amount_minor for bid in bids if bid.status == "valid" and bid.amount_minor is not None]
    price, delivered = (
        contracted.get(award.agreement_id, (None, None)) if award and award.agreement_id else (None, None)
    )
    if award is not None and award.file:  # as it was when the decision fell; a bid disqualified since counted then
        opening = [bid["opening_minor"] for bid in award.file["bids"]]
    return Saving(lot.budget_minor, min(opening, default=None), award.amount_minor if award else None, price, delivered)


def formula_parts(tender: Tender) -> list[tuple[str, dict[str, str], Decimal]]:
    """The criteria with the price first: code, name, weight in per cent."""
    rest = sum(int(data["weight"]) for data in tender.criteria)
    parts: list[tuple[str, dict[str, str], Decimal]] = [("price", {}, Decimal(1000 - rest) / 10)]
    return parts + [(data["code"], data["name"], Decimal(data["weight"]) / 10) for data in tender.criteria]


def person_name(person_id: UUID | None) -> str:
    """How a person is called; empty if there is none."""
    found = Person.objects.filter(pk=person_id).first() if person_id else None
    return found.get_full_name() if found else ""


def origins(references: list[UUID]) -> dict[UUID, Origin]:
    """The tenders among what transfers were for: their number and page, for statements of the ledger."""
    found = Tender.objects.filter(pk__in=references).values_list("pk", "number", "marketplace_id")
    slugs = dict(Marketplace.objects.filter(pk__in={market for _, _, market in found}).values_list("pk", "slug"))
    return {id: Origin(number, reverse("tender:page", args=[slugs[market], number])) for id, number, market in found}


def industries(marketplace_id: UUID) -> list[str]:
    """The industries of a marketplace's tenders."""
    found = Tender.objects.filter(marketplace_id=marketplace_id).exclude(industry="")
    return list(found.order_by("industry").values_list("industry", flat=True).distinct())
