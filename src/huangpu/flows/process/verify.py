"""Commitments are consistent: what is done equals what fulfilled it, holds equal the ledger's, no state contradicts."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

UNEQUAL = """
SELECT count(*) FROM commerce_commitment c LEFT JOIN (
  SELECT commitment_id, sum(quantity) AS quantity, sum(amount) AS amount FROM process_fulfilment GROUP BY 1
) f ON f.commitment_id = c.id
WHERE c.done_quantity <> coalesce(f.quantity, 0) OR c.done_amount <> coalesce(f.amount, 0)
"""
OVERDRAWN = """
SELECT count(*) FROM commerce_commitment h JOIN (
  SELECT agreement_id, draws, sum(done_amount) AS drawn FROM commerce_commitment WHERE draws IS NOT NULL GROUP BY 1, 2
) d ON d.agreement_id = h.agreement_id AND d.draws = h.ordinal
WHERE d.drawn > h.done_amount
"""
TOO_EARLY = """
SELECT count(*) FROM commerce_commitment c
JOIN commerce_commitment w ON w.agreement_id = c.agreement_id AND w.ordinal = ANY (c.after)
WHERE NOT c.stepwise AND w.state NOT IN ('done', 'ended') AND c.state IN ('due', 'done')
"""
UNCLOSED = """
SELECT count(*) FROM commerce_agreement a
WHERE (a.state IN ('fulfilled', 'terminated'))
  <> NOT EXISTS (SELECT FROM commerce_commitment c WHERE c.agreement_id = a.id AND c.state NOT IN ('done', 'ended'))
  AND a.state <> 'disputed'
"""
UNLOGGED = """
SELECT count(*) FROM process_fulfilment f LEFT JOIN log_event e ON e.id = f.event_id WHERE e.id IS NULL
"""
PENALISED = """
SELECT count(*) FROM commerce_commitment p CROSS JOIN LATERAL (
  SELECT sum(coalesce((a.details->'agreed'->>'amount')::bigint, a.amount)) AS value FROM commerce_commitment a
  WHERE a.agreement_id = p.agreement_id AND a.ordinal = ANY (p.after)
) v WHERE p.measure = 'lateness' AND p.done_amount > (p.details->>'cap')::numeric * v.value
"""
UNSIGNED = """
SELECT count(*) FROM process_amendment a WHERE a.state = 'signed' AND EXISTS (
  SELECT FROM commerce_agreementparty p WHERE p.agreement_id = a.agreement_id AND p.role <> 'operator' AND NOT EXISTS (
    SELECT FROM process_signature s WHERE s.amendment_id = a.id AND s.organisation_id = p.organisation_id))
"""
REPRICED = """
SELECT count(*) FROM commerce_agreement g JOIN (
  SELECT agreement_id, sum(amount) AS lines FROM commerce_commitment
  WHERE action IN ('deliver', 'serve', 'transfer_title') AND measure = '' GROUP BY 1
) l ON l.agreement_id = g.id WHERE l.lines <> g.amount
"""
STRANGERS = """
SELECT count(*) FROM commerce_commitment c WHERE NOT EXISTS (
  SELECT FROM commerce_agreementparty p WHERE p.agreement_id = c.agreement_id AND p.organisation_id = c.provider_id
) OR NOT EXISTS (
  SELECT FROM commerce_agreementparty p WHERE p.agreement_id = c.agreement_id AND p.organisation_id = c.receiver_id
)
"""

CHECKS = {
    "commitments of somebody who is no party": STRANGERS,
    "commitments that differ from what fulfilled them": UNEQUAL,
    "holds from which more was drawn than they held": OVERDRAWN,
    "commitments that were due before what they wait for": TOO_EARLY,
    "penalties for lateness above their cap": PENALISED,
    "amendments that apply without every signature": UNSIGNED,
    "agreements whose price is not that of their lines": REPRICED,
    "agreements whose state contradicts their commitments": UNCLOSED,
    "fulfilments without an event in the log": UNLOGGED,
}


def checks() -> Iterator[Check]:
    for what, sql in CHECKS.items():
        yield none_of("process", what, sql)
