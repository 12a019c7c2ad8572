"""After the opening: who stays in, what points the bids get, and the exact ranking as a file anybody can recompute."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, NotFound
from huangpu.core.quantity import plain
from huangpu.parties.actor import Actor

from ..models import Bid, Lot, Score, Tender
from ..rules import Contender, Criterion, evaluation_file, file_hash, rank
from .bidding import settle_lots
from .bonds import give_back, live_bonds
from .common import begin, say, tell, tender_of_bid


@act
def disqualify(*, actor: Actor, bid_id: UUID, reason: str, now: datetime) -> Bid:
    """Leaves a bid out of the evaluation, with a reason that its bidder reads. A lot without any other is unsuccessful."""
    tender = begin(actor, "disqualify", tender_of_bid(bid_id))
    bid = _valid(tender, bid_id)
    if not reason.strip():
        raise Invalid("tender.reason_missing", _("Say why."), field="reason")
    if bid.lot.status != "active":
        raise Conflict("tender.lot_decided", _("This lot is decided already."), value=str(bid.lot_id))
    bid.status, bid.reason = "disqualified", reason.strip()[:1000]
    bid.save(update_fields=["status", "reason"])
    give_back(tender, live_bonds(tender, bid=bid), "rejected", now)
    Lot.objects.filter(pk=bid.lot_id).update(evaluation=None)
    settle_lots(tender, now)
    told = {"bid": str(bid.id), "lot": str(bid.lot_id), "reason": bid.reason}
    tell(tender, "tender.bid_disqualified", (bid.bidder_id,), now, reason=bid.reason)
    say(tender, "tender.bid_disqualified", actor, now, told, audience=(tender.buyer_id, bid.bidder_id))
    return bid


@act
def score(*, actor: Actor, bid_id: UUID, criterion: str, points: Decimal, now: datetime, comment: str = "") -> Score:
    """One evaluator's points for a bid and a criterion; given again, they replace the earlier ones.

    Refuses with tender.criterion_unknown and tender.points_invalid (0 to the criterion's best, three decimals).
    """
    tender = begin(actor, "score", tender_of_bid(bid_id))
    bid = _valid(tender, bid_id)
    known = {data["code"]: Criterion.of(data) for data in tender.criteria}
    if criterion not in known:
        raise Invalid(
            "tender.criterion_unknown",
            _("“%(value)s” is not a criterion of this tender; it has: %(known)s."),
            field="criterion",
            value=criterion,
            known=", ".join(known),
        )
    best = known[criterion].best
    if not points.is_finite() or not 0 <= points <= best or points != round(points, 3):
        raise Invalid(
            "tender.points_invalid",
            _("“%(value)s” points are not possible; give 0 to %(best)s with at most three decimals."),
            field=f"points.{bid.id}.{criterion}",
            value=str(points),
            best=best,
        )
    if actor.person_id is None:
        raise Invalid("tender.evaluator_missing", _("Points are given by a person."), field="points")
    given, _made = Score.objects.update_or_create(
        bid=bid,
        criterion=criterion,
        evaluator=actor.person_id,
        defaults={"points": points, "comment": comment[:1000], "scored_at": now},
    )
    Lot.objects.filter(pk=bid.lot_id).update(evaluation=None)
    told = {"bid": str(bid.id), "criterion": criterion, "points": plain(points), "comment": given.comment}
    say(tender, "tender.bid_scored", actor, now, told, audience=(tender.buyer_id,))
    return given


@act
def evaluate(*, actor: Actor, tender_id: UUID, now: datetime) -> list[Lot]:
    """Ranks the valid bids of every open lot (rules.rank) and keeps the evaluation file. Event tender.evaluated.

    Refuses with tender.scores_missing while a bid lacks points for a criterion.
    """
    tender = begin(actor, "evaluate", tender_id)
    lots = list(Lot.objects.filter(tender=tender, status="active").order_by("number"))
    for lot in lots:
        lot.evaluation = evaluation_of(tender, lot)
    Lot.objects.bulk_update(lots, ["evaluation"])
    tender.evaluated_by = actor.person_id
    tender.save(update_fields=["evaluated_by"])
    told = {
        "lots": [{"lot": str(lot.id), "file": lot.evaluation, "hash": file_hash(lot.evaluation or {})} for lot in lots]
    }
    say(tender, "tender.evaluated", actor, now, told, audience=(tender.buyer_id,))
    return lots


def evaluation_of(tender: Tender, lot: Lot) -> dict[str, Any]:
    """The evaluation file of a lot as the rows say now."""
    criteria = [Criterion.of(data) for data in tender.criteria]
    bids = list(Bid.objects.filter(lot=lot, status="valid"))
    points: dict[UUID, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for given in Score.objects.filter(bid__in=bids).order_by("evaluator"):
        points[given.bid_id][given.criterion].append(given.points)
    missing = [bid.number for bid in bids if any(not points[bid.id][criterion.code] for criterion in criteria)]
    if missing:
        raise Conflict(
            "tender.scores_missing",
            _("These bids of lot %(lot)s lack points for a criterion: %(value)s."),
            value=", ".join(str(number) for number in sorted(n or 0 for n in missing)),
            lot=lot.number,
        )
    contenders = [
        Contender(
            bid_id=bid.id,
            number=bid.number or 0,
            supplier_id=bid.bidder_id,
            received_at=bid.received_at,
            opening_minor=bid.amount_minor or 0,
            price_minor=bid.final_minor or bid.amount_minor or 0,
            points={code: list(given) for code, given in points[bid.id].items()},
        )
        for bid in bids
    ]
    return evaluation_file(
        tender=tender.number,
        lot=lot.number,
        currency=tender.currency,
        criteria=criteria,
        ranked=rank(contenders, criteria),
    )


def _valid(tender: Tender, bid_id: UUID) -> Bid:
    bid = Bid.objects.select_related("lot").filter(pk=bid_id, tender=tender).first()
    if bid is None:
        raise NotFound("tender.bid_not_found", _("There is no such bid."), value=str(bid_id))
    if bid.status != "valid":
        raise Conflict("tender.bid_not_valid", _("This bid is not part of the evaluation."), value=bid.status)
    return bid
