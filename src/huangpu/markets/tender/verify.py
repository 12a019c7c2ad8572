"""What must hold between tenders and what they look for in the market."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

WITHOUT = """
SELECT count(*) FROM tender_tender t WHERE t.stage = 'open' AND NOT EXISTS (
  SELECT FROM commerce_intent i WHERE i.market = 'tender' AND i.subject_id = t.id AND i.closed_at IS NULL
    AND i.organisation_id = t.buyer_id AND i.valid_until = t.bids_until AND i.number = t.number)
"""
LEFT_OPEN = """
SELECT count(*) FROM commerce_intent i WHERE i.market = 'tender' AND i.closed_at IS NULL AND NOT EXISTS (
  SELECT FROM tender_tender t WHERE t.id = i.subject_id AND t.stage = 'open')
"""


def checks() -> Iterator[Check]:
    yield none_of("tender", "tender open for bids without its intent", WITHOUT)
    yield none_of("tender", "intent open whose tender is not open for bids", LEFT_OPEN)
