"""What must hold of tenders beyond what constraints see: times against stages, bids against their lines, awards against
bids and agreements."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

TOO_LATE = """
SELECT count(*) FROM tender_bid b JOIN tender_tender t ON t.id = b.tender_id WHERE b.received_at >= t.bids_until
"""
TOO_EARLY = """
SELECT count(*) FROM tender_tender t
WHERE t.opened_at < t.bids_until
   OR t.opened_at IS NULL AND (t.stage IN ('evaluation', 'auction', 'standstill', 'concluded')
                               OR EXISTS (SELECT FROM tender_bid b WHERE b.tender_id = t.id AND b.amount_minor IS NOT NULL))
"""
OTHER_BYTES = """
SELECT count(*) FROM tender_bid WHERE sealed IS NOT NULL AND sha256(sealed) <> receipt
"""
OTHER_SUM = """
SELECT count(*) FROM tender_bid b
WHERE b.status = 'valid'
  AND b.amount_minor <> (SELECT coalesce(sum(l.amount_minor), 0) FROM tender_bidline l WHERE l.bid_id = b.id)
"""
OTHER_BID = """
SELECT count(*) FROM tender_award a JOIN tender_bid b ON b.id = a.bid_id
WHERE a.status IN ('standing', 'concluded')
  AND (b.status, b.lot_id, b.bidder_id, coalesce(b.final_minor, b.amount_minor))
      IS DISTINCT FROM ('valid', a.lot_id, a.supplier_id, a.amount_minor)
"""
NO_AGREEMENT = """
SELECT count(*) FROM tender_award a JOIN tender_tender t ON t.id = a.tender_id
LEFT JOIN commerce_agreement g ON g.id = a.agreement_id
WHERE a.status = 'concluded' AND (g.origin_id, g.amount, g.currency) IS DISTINCT FROM (t.id, a.amount_minor, t.currency)
"""
NOT_AWARDED = """
SELECT count(*) FROM tender_lot l
WHERE l.status IN ('awarded', 'concluded') AND NOT EXISTS (
  SELECT FROM tender_award a
  WHERE a.lot_id = l.id AND a.status = CASE l.status WHEN 'awarded' THEN 'standing' ELSE 'concluded' END
)
"""

CHECKS = {
    "bids received at their end or later": TOO_LATE,
    "tenders opened before their time, or read without an opening": TOO_EARLY,
    "sealed bids that are not what their receipt says": OTHER_BYTES,
    "bids whose amount is not the sum of their lines": OTHER_SUM,
    "awards that differ from their bid": OTHER_BID,
    "concluded awards without the agreement that they became": NO_AGREEMENT,
    "lots awarded or concluded without an award": NOT_AWARDED,
}


def checks() -> Iterator[Check]:
    for what, sql in CHECKS.items():
        yield none_of("tender", what, sql)
