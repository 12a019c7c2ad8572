"""Sealed bids: taken before the deadline, withdrawn or replaced until then, all opened at once after it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, InvalidMany
from huangpu.core.ids import uuid7
from huangpu.core.money import LARGEST, line_total
from huangpu.core.quantity import plain
from huangpu.core.words import instant_text
from huangpu.parties.actor import Actor

from ..models import GONE, Bid, BidLine, Line, Lot, Tender
from ..procedures import procedure_of
from ..sealing import KeyMissing, Seal, Unreadable, keys, receipt, seal, unseal
from .bonds import give_back, hold_bond, live_bonds
from .common import begin, bidders, keep_intent, lot_of, say, tell, tender_of_bid

PRICE_LARGEST = Decimal(10) ** 12


@act
def submit_bid(
    *,
    actor: Actor,
    tender_id: UUID,
    lot_id: UUID,
    prices: Mapping[UUID, Decimal],
    now: datetime,
    deliver_within_days: int | None = None,
    note: str = "",
) -> Bid:
    """Seals and takes a bid: an exact unit price (whole currency units, without limit to fen) for each line of the lot.

    It replaces an earlier bid of the same bidder for the lot, whose ciphertext is erased. `now` is the server's time of
    receipt and must be *before* the tender's `bids_until`. Returns the bid with its receipt; nothing in the database,
    in the event or in the answer tells a price. `deliver_within_days` may be shorter than the tender's, not longer.
    Refuses with tender.bids_closed, tender.lot_not_found, tender.price_missing, tender.price_invalid, tender.line_unknown,
    tender.total_invalid, tender.days_invalid, and tender.bond_not_covered where the tender asks for a bid bond that the
    bidder's wallet does not have.
    """
    tender = begin(actor, "submit_bid", tender_id)
    _before_the_end(tender, now)
    lot = lot_of(tender, lot_id)
    assert actor.organisation_id is not None
    content = _content(tender, lot, prices, deliver_within_days, note)
    earlier = Bid.objects.filter(lot=lot, bidder_id=actor.organisation_id, status="sealed").first()
    if earlier is not None:
        _erase(earlier, "replaced", now)
    bid = Bid(
        id=uuid7(),
        marketplace_id=tender.marketplace_id,
        tender=tender,
        lot=lot,
        bidder_id=actor.organisation_id,
        received_at=now,
        submitted_by=actor.person_id,
    )
    bid.sealed = seal(content, bytes(tender.sealing_key or b""), _about(bid))
    bid.receipt = receipt(bid.sealed)
    bid.save(force_insert=True)
    told = {"bid": str(bid.id), "lot": str(lot.id), "receipt": bid.receipt.hex(), "received_at": rfc3339(now)}
    told["replaces"] = str(earlier.id) if earlier else ""
    hold_bond(tender, lot, bid, earlier, actor, now)
    say(tender, "tender.bid_received", actor, now, told, audience=(actor.organisation_id,), hidden=True)
    return bid


@act
def withdraw_bid(*, actor: Actor, bid_id: UUID, now: datetime) -> Bid:
    """Takes a sealed bid back before the end of the bids; its ciphertext is erased, its receipt stays on record."""
    tender = begin(actor, "withdraw_bid", tender_of_bid(bid_id))
    bid = Bid.objects.filter(pk=bid_id, bidder_id=actor.organisation_id).first()
    if bid is None or bid.status != "sealed":
        raise Conflict("tender.bid_not_standing", _("You have no such bid that could be withdrawn."), value=str(bid_id))
    _before_the_end(tender, now)
    _erase(bid, "withdrawn", now)
    give_back(tender, live_bonds(tender, bid=bid), "withdrawn", now)
    told = {"bid": str(bid.id), "lot": str(bid.lot_id), "receipt": bytes(bid.receipt or b"").hex()}
    say(tender, "tender.bid_withdrawn", actor, now, told, audience=(bid.bidder_id,), hidden=True)
    return bid


@act
def open_bids(*, actor: Actor, tender_id: UUID, now: datetime) -> Tender:
    """Releases the key, opens every bid at once and writes the record of the opening (who bid, the amounts, the hashes).

    A bid that does not open is reported as unreadable and kept. A lot without a readable bid, or with a single one where
    the tender does not allow that, is unsuccessful; so is the tender when all its lots are. Events tender.bids_opened (the
    record) and, for the buyer, tender.prices_opened (the unit prices).
    Refuses before the end of the bids (tender.too_early) and when the key is lost (tender.key_missing: the bids stay
    sealed until an operator brings the key back; nothing is given up).
    """
    tender = begin(actor, "open_bids", tender_id)
    assert tender.bids_until is not None
    if now < tender.bids_until:
        raise Conflict("tender.too_early", _("The bids are sealed until %(value)s."), value=rfc3339(tender.bids_until))
    private = _released(tender, now)
    bids = list(Bid.objects.filter(tender=tender, status="sealed").order_by("received_at", "id"))
    numbers = {bidder: place for place, bidder in enumerate(dict.fromkeys(bid.bidder_id for bid in bids), 1)}
    lines = {line.id: line for line in Line.objects.filter(lot__tender=tender)}
    opened: list[BidLine] = []
    for bid in bids:
        bid.number = numbers[bid.bidder_id]
        try:
            opened += _open(bid, unseal(bytes(bid.sealed or b""), private, _about(bid)), lines, tender.currency)
        except (Unreadable, KeyError, ValueError, InvalidOperation):
            bid.status = "unreadable"
    Bid.objects.bulk_update(bids, ["status", "number", "amount_minor", "deliver_within_days", "note"])
    BidLine.objects.bulk_create(opened)
    give_back(tender, live_bonds(tender, bid__status="unreadable"), "rejected", now)
    tender.opened_at, tender.opening = now, _record_of_opening(tender, bids, now)
    settle_lots(tender, now)
    audience = () if procedure_of(tender.procedure).opening_public else (tender.buyer_id, *bidders(tender))
    told = {**tender.opening, "stage": tender.stage, "lots": _lots_told(tender)}
    if procedure_of(tender.procedure).auction:  # named by tender.bidders_named, once nothing can be gained from it
        told["bids"] = [{**bid, "bidder": None} for bid in tender.opening["bids"]]
    say(tender, "tender.bids_opened", actor, now, told, audience=audience)
    tell(tender, "tender.bids_opened", (tender.buyer_id, *bidders(tender)), now)
    say(tender, "tender.prices_opened", actor, now, {"lines": _lines_told(opened)}, audience=(tender.buyer_id,))
    return tender


def settle_lots(tender: Tender, now: datetime) -> None:
    """After an opening or a disqualification: lots that cannot go on are unsuccessful; the tender goes where they lead."""
    single_allowed = tender.allow_single or tender.stage != "open"
    for lot in Lot.objects.filter(tender=tender, status="active"):
        valid = Bid.objects.filter(lot=lot, status="valid").count()
        if valid == 0 or (valid == 1 and not single_allowed):
            tried = Bid.objects.filter(lot=lot).exclude(status__in=GONE).exists()
            lot.status = "unsuccessful"
            lot.reason = "single_bid" if valid else "no_valid_bid" if tried else "no_bids"
            lot.save(update_fields=["status", "reason"])
            give_back(tender, live_bonds(tender, lot=lot), "unsuccessful", now)
    going_on = Lot.objects.filter(tender=tender, status__in=("active", "awarded")).exists()
    tender.next_deadline_at = None
    if going_on:
        tender.stage = "evaluation"
    else:
        tender.stage, tender.closed_at = "unsuccessful", now
    tender.save()
    keep_intent(tender, now)


def _content(
    tender: Tender, lot: Lot, prices: Mapping[UUID, Decimal], deliver_within_days: int | None, note: str
) -> dict[str, Any]:
    """The plaintext of a bid, checked in full: what is sealed wrong could never be put right."""
    wrong: list[Invalid] = []
    told, total = [], 0
    lines = list(Line.objects.filter(lot=lot).order_by("number"))
    for line in lines:
        price = prices.get(line.id)
        if price is None:
            wrong.append(Invalid("tender.price_missing", _("Give a price for every line."), field=f"price.{line.id}"))
        elif not price.is_finite() or not 0 < price < PRICE_LARGEST or price != round(price, 6):
            wrong.append(
                Invalid(
                    "tender.price_invalid",
                    _("“%(value)s” is not a price; write a number above 0 with at most six decimals."),
                    field=f"price.{line.id}",
                    value=str(price),
                )
            )
        else:
            told.append({"line": str(line.id), "unit_price": plain(price)})
            total += line_total(line.quantity, price, tender.currency)
    if unknown := prices.keys() - {line.id for line in lines}:
        wrong.append(
            Invalid(
                "tender.line_unknown", _("A price is given for a line this lot does not have."), value=str(min(unknown))
            )
        )
    if not wrong and not 0 < total <= LARGEST:
        wrong.append(Invalid("tender.total_invalid", _("The total of a bid must be above 0."), field="total"))
    if deliver_within_days is not None and not 0 <= deliver_within_days <= tender.deliver_within_days:
        wrong.append(
            Invalid(
                "tender.days_invalid",
                _("“%(value)s” days are not possible here; write 0 to %(most)s."),
                field="deliver_within_days",
                value=deliver_within_days,
                most=tender.deliver_within_days,
            )
        )
    if len(note) > 2000:
        wrong.append(Invalid("tender.note_long", _("A note has at most 2,000 characters."), field="note"))
    if wrong:
        raise InvalidMany(wrong)
    return {"currency": tender.currency, "lines": told, "deliver_within_days": deliver_within_days, "note": note}


def _before_the_end(tender: Tender, now: datetime) -> None:
    assert tender.bids_until is not None
    if now >= tender.bids_until:
        raise Conflict(
            "tender.bids_closed",
            _("The time for bids ended at %(ended)s."),
            field="bids_until",
            value=rfc3339(tender.bids_until),
            ended=instant_text(tender.bids_until),
        )


def _about(bid: Bid) -> Seal:
    return Seal(bid.tender_id, bid.lot_id, bid.id, bid.bidder_id)


def _erase(bid: Bid, status: str, now: datetime) -> None:
    bid.status, bid.sealed, bid.gone_at = status, None, now
    bid.save(update_fields=["status", "sealed", "gone_at"])


def _released(tender: Tender, now: datetime) -> bytes:
    missing = Conflict(
        "tender.key_missing",
        _("The key that opens the bids of %(number)s is not in the key folder; bring it back and open again."),
        number=tender.number,
    )
    assert tender.bids_until is not None
    try:
        private = keys().release(tender.id, tender.bids_until, now)
    except KeyMissing as gone:
        raise missing from gone
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    if public != bytes(tender.sealing_key or b""):
        raise missing  # another key would make every bid look spoilt
    return private


def _open(bid: Bid, content: dict[str, Any], lines: Mapping[UUID, Line], currency: str) -> list[BidLine]:
    """Fills an opened bid and returns its lines. Raises what makes it unreadable, before it changes the bid."""
    made = []
    for told in content["lines"]:
        line, price = lines[UUID(told["line"])], Decimal(told["unit_price"])
        amount = line_total(line.quantity, price, currency)
        made.append(BidLine(bid=bid, line=line, unit_price=price, amount_minor=amount))
    bid.amount_minor = sum(line.amount_minor for line in made)
    bid.deliver_within_days, bid.note = content["deliver_within_days"], content["note"]
    bid.status = "valid"
    return made


def _record_of_opening(tender: Tender, bids: list[Bid], now: datetime) -> dict[str, Any]:
    """Everybody who bid, the amounts and the hashes; withdrawn and replaced bids by their receipt alone."""
    gone = Bid.objects.filter(tender=tender, status__in=GONE).order_by("received_at", "id")
    receipts = [bytes(bid.receipt or b"") for bid in bids]
    return {
        "opened_at": rfc3339(now),
        "bids": [
            {
                "bid": str(bid.id),
                "lot": str(bid.lot_id),
                "bidder": str(bid.bidder_id),
                "number": bid.number,
                "received_at": rfc3339(bid.received_at),
                "receipt": bytes(bid.receipt or b"").hex(),
                "status": bid.status,
                "amount_minor": bid.amount_minor,
            }
            for bid in bids
        ],
        "gone": [{"receipt": bytes(bid.receipt or b"").hex(), "status": bid.status} for bid in gone],
        "transcript": hashlib.sha256(b"".join(receipts)).hexdigest(),
    }


def _lines_told(opened: list[BidLine]) -> list[dict[str, Any]]:
    return [
        {
            "bid": str(line.bid_id),
            "line": str(line.line_id),
            "unit_price": plain(line.unit_price),
            "amount_minor": line.amount_minor,
        }
        for line in opened
    ]


def _lots_told(tender: Tender) -> list[dict[str, Any]]:
    found = Lot.objects.filter(tender=tender).order_by("number").values_list("id", "status", "reason")
    return [{"lot": str(id), "status": status, "reason": reason} for id, status, reason in found]
