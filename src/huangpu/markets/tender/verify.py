"""What must hold of tenders: stages, times, bids, awards, bonds, intents and agreements say the same, and so do the files."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of
from huangpu.flows.commerce.models import Agreement

from .models import Award
from .rules import recompute, standstill_end

UNTIMELY = """
SELECT count(*) FROM tender_tender t
WHERE (t.stage IN ('evaluation', 'auction', 'standstill', 'concluded') AND t.opened_at IS NULL)
   OR (t.stage IN ('draft', 'open') AND t.opened_at IS NOT NULL)
   OR (t.stage = 'draft' AND t.published_at IS NOT NULL)
   OR t.opened_at < t.bids_until OR t.published_at >= t.bids_until
   OR (t.stage IN ('concluded', 'unsuccessful', 'cancelled')) <> (t.closed_at IS NOT NULL)
   OR (t.stage IN ('draft', 'concluded', 'unsuccessful', 'cancelled') AND t.next_deadline_at IS NOT NULL)
"""
UNMATCHED = """
SELECT count(*) FROM tender_lot l JOIN tender_tender t ON t.id = l.tender_id
LEFT JOIN tender_award a ON a.lot_id = l.id AND a.status IN ('standing', 'concluded')
WHERE l.status IS DISTINCT FROM CASE a.status WHEN 'standing' THEN 'awarded' WHEN 'concluded' THEN 'concluded'
        ELSE CASE WHEN l.status IN ('awarded', 'concluded') THEN 'active' ELSE l.status END END
   OR (t.stage IN ('concluded', 'unsuccessful', 'standstill') AND l.status = 'active')
   OR (t.stage = 'concluded' AND l.status = 'awarded') OR (t.stage = 'unsuccessful' AND l.status <> 'unsuccessful')
"""
MISAWARDED = """
SELECT count(*) FROM tender_award a LEFT JOIN tender_bid b ON b.id = a.bid_id JOIN tender_tender t ON t.id = a.tender_id
WHERE a.status IN ('standing', 'concluded') AND (
  b.status IS DISTINCT FROM 'valid' OR b.lot_id <> a.lot_id OR b.tender_id <> a.tender_id OR b.bidder_id <> a.supplier_id
  OR a.amount_minor IS DISTINCT FROM coalesce(b.final_minor, b.amount_minor) OR a.supplier_id = t.buyer_id
  OR a.awarded_at < t.opened_at OR a.file IS NULL)
"""
UNENTITLED = """
SELECT count(*) FROM tender_award a JOIN tender_tender t ON t.id = a.tender_id
WHERE a.awarded_by IS NOT NULL AND a.status IN ('standing', 'concluded') AND t.two_persons
  AND a.awarded_by = t.evaluated_by AND NOT EXISTS (
    SELECT FROM tender_award d WHERE d.lot_id = a.lot_id AND d.status = 'defaulted')
"""
SHOWN = """
SELECT count(*) FROM tender_bid b JOIN tender_tender t ON t.id = b.tender_id
WHERE t.opened_at IS NULL AND (
  b.status NOT IN ('sealed', 'withdrawn', 'replaced') OR b.amount_minor IS NOT NULL OR b.final_minor IS NOT NULL
  OR b.number IS NOT NULL OR b.note <> '' OR EXISTS (SELECT FROM tender_bidline l WHERE l.bid_id = b.id))
"""
LEFT_SEALED = """
SELECT count(*) FROM tender_bid b JOIN tender_tender t ON t.id = b.tender_id
WHERE (t.opened_at IS NOT NULL AND b.status = 'sealed') OR b.received_at >= t.bids_until OR b.bidder_id = t.buyer_id
"""
OTHER_BYTES = """
SELECT count(*) FROM tender_bid WHERE sealed IS NOT NULL AND sha256(sealed) <> receipt
"""
UNADDED = """
SELECT count(*) FROM tender_bid b JOIN (SELECT bid_id, sum(amount_minor) AS total FROM tender_bidline GROUP BY 1) l
  ON l.bid_id = b.id
WHERE b.amount_minor IS DISTINCT FROM l.total
"""
UNHELD = """
SELECT count(*) FROM tender_bond d LEFT JOIN funds_hold h ON h.id = d.id
WHERE h.amount IS DISTINCT FROM d.amount_minor
   OR h.state <> CASE d.status WHEN 'held' THEN 'pending' WHEN 'returned' THEN 'voided' ELSE 'posted' END
   OR (d.status = 'forfeited' AND h.captured <> d.amount_minor)
"""
ORPHANED = """
SELECT count(*) FROM funds_transfer f LEFT JOIN tender_bond d ON d.id = f.hold_id
WHERE f.phase = 1 AND f.kind = 'bid_bond' AND d.id IS NULL
"""
UNBONDED = """
SELECT count(*) FROM tender_bid b JOIN tender_tender t ON t.id = b.tender_id
WHERE (t.bond_minor IS NOT NULL OR t.bond_ppm IS NOT NULL) AND t.stage = 'open' AND b.status = 'sealed'
  AND NOT EXISTS (SELECT FROM tender_bond d WHERE d.bid_id = b.id AND d.status = 'held' AND d.bidder_id = b.bidder_id)
"""
KEPT = """
SELECT count(*) FROM tender_bond d JOIN tender_bid b ON b.id = d.bid_id JOIN tender_tender t ON t.id = d.tender_id
WHERE d.status = 'held' AND (
  t.stage IN ('concluded', 'unsuccessful', 'cancelled') OR b.status NOT IN ('sealed', 'valid') OR EXISTS (
    SELECT FROM tender_award a WHERE a.lot_id = d.lot_id AND a.status IN ('standing', 'concluded') AND a.bid_id <> d.bid_id))
"""
UNAGREED = """
SELECT count(*) FROM tender_award a LEFT JOIN commerce_agreement g ON g.id = a.agreement_id
JOIN tender_tender t ON t.id = a.tender_id
WHERE (a.status = 'concluded') <> (a.agreement_id IS NOT NULL AND a.status <> 'defaulted')
   OR (a.agreement_id IS NOT NULL AND (g.id IS NULL OR g.origin_id IS DISTINCT FROM a.tender_id OR g.currency <> t.currency
       OR g.marketplace_id <> a.marketplace_id))
   OR (t.stage = 'concluded' AND a.status = 'standing')
"""
UNSOUGHT = """
SELECT count(*) FROM tender_tender t WHERE t.stage = 'open' AND NOT EXISTS (
  SELECT FROM commerce_intent i WHERE i.market = 'tender' AND i.subject_id = t.id AND i.closed_at IS NULL
    AND i.organisation_id = t.buyer_id AND i.valid_until = t.bids_until AND i.number = t.number)
"""
SOUGHT_STILL = """
SELECT count(*) FROM commerce_intent i WHERE i.market = 'tender' AND i.closed_at IS NULL AND NOT EXISTS (
  SELECT FROM tender_tender t WHERE t.id = i.subject_id AND t.stage = 'open')
"""

CHECKS = {
    "stages that contradict their times": UNTIMELY,
    "lots that contradict their standing award or their tender": UNMATCHED,
    "awards to a bid that could not win": MISAWARDED,
    "awards by the person who evaluated where two are asked for": UNENTITLED,
    "bids that show something before the opening": SHOWN,
    "bids that came late, from the buyer, or stayed sealed at the opening": LEFT_SEALED,
    "sealed bids that are not what their receipt says": OTHER_BYTES,
    "bids that are not the sum of their lines": UNADDED,
    "bid bonds that differ from their hold": UNHELD,
    "bid bonds held in the ledger and unknown to the tender": ORPHANED,
    "standing bids without the bond that is asked for": UNBONDED,
    "bid bonds that should have been given back": KEPT,
    "concluded awards without their agreement": UNAGREED,
    "tender open for bids without its intent": UNSOUGHT,
    "intent open whose tender is not open for bids": SOUGHT_STILL,
}


def checks() -> Iterator[Check]:
    """One check a rule; `huangpu verify` runs them all."""
    for what, sql in CHECKS.items():
        yield none_of("tender", what, sql)
    yield from _recomputed()


def _recomputed() -> Iterator[Check]:
    """The files: each award's ranking once more, its standstill, and the price and hence the saving that it tells."""
    wrong_rank, wrong_end, wrong_saving = [], [], []
    for award in Award.objects.filter(file__isnull=False).select_related("tender").order_by("id").iterator(500):
        if not _follows(award):
            wrong_rank.append(str(award.id))
        if award.awarded_at is not None and award.standstill_until != standstill_end(
            award.awarded_at, award.tender.standstill_days, award.tender.standstill_working
        ):
            wrong_end.append(str(award.id))
        if award.status == "concluded" and award.agreement_id is not None and not _agreed_for(award):
            wrong_saving.append(str(award.id))
    for what, found in (
        ("awards whose evaluation file gives another ranking", wrong_rank),
        ("standstills of another length than the tender says", wrong_end),
        ("savings that differ between award and agreement", wrong_saving),
    ):
        yield Check(f"tender: no {what}", not found, ", ".join(found[:5]))


def _follows(award: Award) -> bool:
    """Whether the file's ranking is the one that its own figures give, and the award's bid stands in it at its price."""
    file = award.file or {}
    try:
        ranked = {
            str(one.contender.bid_id): (one.rank, f"{one.score.numerator}/{one.score.denominator}")
            for one in recompute(file)
        }
        own = next(bid for bid in file["bids"] if bid["bid"] == str(award.bid_id))
    except (KeyError, ValueError, StopIteration, ZeroDivisionError):
        return False
    told = {bid["bid"]: (bid["rank"], bid["score"]) for bid in file["bids"]}
    return ranked == told and own["price_minor"] == award.amount_minor


def _agreed_for(award: Award) -> bool:
    """Whether the agreement was concluded at the awarded price: the step «contracted» of the saving."""
    assert award.agreement_id is not None
    parameters = Agreement.objects.filter(pk=award.agreement_id).values_list("parameters", flat=True).first()
    return parameters is not None and sum(line["amount"] for line in parameters["lines"]) == award.amount_minor
