"""After the standstill: each award becomes an agreement by the terms of the manufacturing trade."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act
from huangpu.core.errors import Conflict
from huangpu.core.quantity import plain
from huangpu.flows.process import acts as process
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace

from ..models import Award, BidLine, Complaint, Lot, Tender
from ..rules import final_lines
from .bonds import give_back, live_bonds
from .common import begin, say

TEMPLATE = "manufacturing.purchase"


@act
def conclude(*, actor: Actor, tender_id: UUID, now: datetime) -> list[UUID]:
    """One agreement an award, with `origin_id` = the tender; returns their ids. Event tender.concluded.

    Refuses with tender.standstill_running until the last standstill is over, and with tender.complaint_undecided.
    """
    tender = begin(actor, "conclude", tender_id)
    awards = list(
        Award.objects.select_related("lot", "bid").filter(tender=tender, status="standing").order_by("lot__number")
    )
    ends = max(award.standstill_until for award in awards if award.standstill_until is not None)
    if now < ends:
        raise Conflict("tender.standstill_running", _("The standstill lasts until %(value)s."), value=rfc3339(ends))
    if Complaint.objects.filter(tender=tender, upheld=None).exists():
        raise Conflict("tender.complaint_undecided", _("A complaint is not decided yet."))
    fee_ppm = Marketplace.objects.values_list("fee_ppm", flat=True).get(pk=tender.marketplace_id)
    for award in awards:
        assert award.supplier_id is not None
        trade = process.conclude(
            actor=actor,
            marketplace_id=tender.marketplace_id,
            template=TEMPLATE,
            parameters=parameters_of(tender, award, fee_ppm),
            parties={"buyer": tender.buyer_id, "seller": award.supplier_id},
            title=_title(tender, award.lot),
            currency=tender.currency,
            now=now,
            origin_id=tender.id,
        )
        award.agreement_id, award.status = trade.id, "concluded"
        award.save(update_fields=["agreement_id", "status"])
    Lot.objects.filter(pk__in=[award.lot_id for award in awards]).update(status="concluded")
    tender.stage, tender.next_deadline_at, tender.closed_at = "concluded", None, now
    tender.save(update_fields=["stage", "next_deadline_at", "closed_at"])
    give_back(tender, live_bonds(tender), "concluded", now)
    told = [
        {"award": str(a.id), "lot": str(a.lot_id), "agreement": str(a.agreement_id), "amount_minor": a.amount_minor}
        for a in awards
    ]
    say(tender, "tender.concluded", actor, now, {"agreements": told, "currency": tender.currency})
    return [award.agreement_id for award in awards if award.agreement_id is not None]


def parameters_of(tender: Tender, award: Award, fee_ppm: int) -> dict[str, Any]:
    """The parameters of the agreement: the lines at the final price (rules.final_lines), the days the tender promised (the
    bid's where it offers to deliver sooner), and the marketplace's fee, rounded down, which the seller bears."""
    assert award.bid is not None
    assert award.amount_minor is not None
    bid = award.bid
    bid_lines = list(BidLine.objects.select_related("line").filter(bid=bid).order_by("line__number"))
    bought = {f"{award.lot.number}.{found.line.number}": found for found in bid_lines}
    priced = final_lines(
        [(key, found.line.quantity, found.unit_price) for key, found in bought.items()],
        tender.currency,
        bid.final_minor,
    )
    days = tender.deliver_within_days if bid.deliver_within_days is None else bid.deliver_within_days
    return {
        "lines": [
            {
                "key": line.key,
                "name": bought[line.key].line.name,
                "quantity": plain(line.quantity),
                "unit": bought[line.key].line.unit,
                "unit_price": plain(line.unit_price),
                "amount": line.amount_minor,
            }
            for line in priced
        ],
        "fee": award.amount_minor * fee_ppm // 1_000_000,
        "pay_within": tender.pay_within_days,
        "deliver_within": days,
        "inspect_within": tender.inspect_within_days,
        "to_place": tender.delivery_place,
        **({"late_penalty": tender.late_penalty} if tender.late_penalty else {}),
    }


def _title(tender: Tender, lot: Lot) -> dict[str, str]:
    if not any(lot.title.values()):
        return dict(tender.title)
    return {language: f"{text} · {lot.title.get(language) or lot.number}" for language, text in tender.title.items()}
