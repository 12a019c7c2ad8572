"""Bid bonds (投标保证金): a bidder's money is held by the act that takes its bid, and given back or forfeited by the act that
ends what it stands for. One hold of the ledger a bond, under the same id; an event each.

Before the opening nobody may learn that there is a bid, so until then only its bidder reads these events.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Conflict, HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.words import money_text
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Void
from huangpu.parties.actor import SYSTEM, Actor

from ..models import Bid, Bond, Lot, Tender
from ..rules import bond_amount, lot_budget
from .common import say, tell


def bond_of(tender: Tender, lot: Lot) -> int:
    """What a bid for this lot has to put up, in minor units; 0: nothing."""
    if tender.bond_minor is None and tender.bond_ppm is None:
        return 0
    lots = 1 if lot.budget_minor is not None else Lot.objects.filter(tender=tender).count()
    return bond_amount(tender.bond_minor, tender.bond_ppm, lot_budget(tender.budget_minor, lot.budget_minor, lots))


def live_bonds(tender: Tender, **narrowed: Any) -> QuerySet[Bond]:
    """The bonds of a tender that are held now, in the order of their ids."""
    return Bond.objects.filter(tender=tender, status="held", **narrowed).order_by("id")


@act
def hold_bond(tender: Tender, lot: Lot, bid: Bid, replaced: Bid | None, actor: Actor, now: datetime) -> Bond | None:
    """Holds a bid's bond, or takes over that of the bid it replaces. Event tender.bond_held, for the bidder alone.

    Refused with tender.bond_not_covered where the bidder's wallet does not have it.
    """
    amount = bond_of(tender, lot)
    if amount == 0:
        return None
    if replaced is not None and live_bonds(tender, bid=replaced).update(bid=bid):
        return live_bonds(tender, bid=bid).get()
    bond = Bond.objects.create(
        id=uuid7(), marketplace_id=tender.marketplace_id, tender=tender, lot=lot, bid=bid, bidder_id=bid.bidder_id,
        amount_minor=amount, held_at=now,
    )  # fmt: skip
    say(tender, "tender.bond_held", actor, now, _told(tender, bond), audience=(bid.bidder_id,), hidden=True)
    wallet, escrow = _account(tender, "wallet", bid.bidder_id), _account(tender, "escrow", None)
    funds.ensure_accounts([wallet, escrow])
    held = Hold(
        id=bond.id, marketplace_id=tender.marketplace_id, debit=wallet.id, credit=escrow.id, amount=amount, kind="bid_bond",
        reference=tender.id,
    )  # fmt: skip
    try:
        funds.post([held], now=now)
    except HuangpuError as refused:
        if refused.code != "transfer.exceeds_floor":
            raise
        raise Conflict(
            "tender.bond_not_covered",
            _("The wallet does not have the bid bond of %(bond)s; top it up and send the bid again."),
            value=amount,
            bond=money_text(amount, tender.currency),
        ) from refused
    return bond


@act
def give_back(tender: Tender, bonds: Iterable[Bond], reason: str, now: datetime) -> None:
    """Frees these bonds. `reason`: a code of words.BOND_REASONS. An event tender.bond_returned each, and a notice."""
    returned = list(bonds)
    funds.post(
        [
            Void(id=uuid7(), marketplace_id=bond.marketplace_id, hold_id=bond.id, kind="bond_return")
            for bond in returned
        ],
        now=now,
    )
    for bond in returned:
        _settle(tender, bond, "returned", reason, SYSTEM, now)


@act
def forfeit(tender: Tender, bonds: Iterable[Bond], actor: Actor, now: datetime) -> None:
    """These bonds go to the buyer, since their bidder defaulted. An event tender.bond_forfeited each, and a notice."""
    lost = list(bonds)
    if not lost:
        return
    wallet = _account(tender, "wallet", tender.buyer_id)
    funds.ensure_accounts([wallet])
    funds.post(
        [
            Capture(
                id=uuid7(), marketplace_id=bond.marketplace_id, hold_id=bond.id, amount=bond.amount_minor,
                credit=wallet.id, final=True, kind="bond_forfeit",
            )
            for bond in lost
        ],
        now=now,
    )  # fmt: skip
    for bond in lost:
        _settle(tender, bond, "forfeited", "defaulted", actor, now)


def _settle(tender: Tender, bond: Bond, status: str, reason: str, actor: Actor, now: datetime) -> None:
    bond.status, bond.reason, bond.settled_at = status, reason, now
    bond.save(update_fields=["status", "reason", "settled_at"])
    opened = tender.opened_at is not None
    audience = (bond.bidder_id, tender.buyer_id) if opened else (bond.bidder_id,)
    kind = f"tender.bond_{status}"
    say(tender, kind, actor, now, {**_told(tender, bond), "because": reason}, audience=audience, hidden=not opened)
    amount = {"minor": bond.amount_minor, "currency": tender.currency}
    tell(tender, kind, audience if status == "forfeited" else (bond.bidder_id,), now, amount=amount)


def _told(tender: Tender, bond: Bond) -> dict[str, Any]:
    return {
        "bond": str(bond.id), "bid": str(bond.bid_id), "lot": str(bond.lot_id), "amount_minor": bond.amount_minor,
        "currency": tender.currency,
    }  # fmt: skip


def _account(tender: Tender, book: str, holder: UUID | None) -> AccountSpec:
    return AccountSpec(tender.marketplace_id, book, holder, tender.currency)
