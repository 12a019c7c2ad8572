"""Posting: one call for a single transfer, one for a linked group. Locks: holds, then accounts by id, then slots by id.

Refusals are raised with ERRCODE HP001, the stable code as message and a JSON object as detail.
"""

from django.db import migrations

ITEM = """
CREATE TYPE funds_item AS (
  phase text, id uuid, marketplace_id uuid, debit_id uuid, credit_id uuid, amount bigint, kind text, hold_id uuid,
  reference_id uuid, expires_at timestamptz
)
"""

REFUSE = """
CREATE FUNCTION funds_refuse(code text, facts jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'HP001', MESSAGE = code, DETAIL = facts::text;
END $$
"""

# True: posted now; false: the same transfer was posted before. In-place rows are locked before slots, everywhere.
TRANSFER = """
CREATE FUNCTION ledger_transfer(
  p_id uuid, p_marketplace uuid, p_debit uuid, p_credit uuid, p_amount bigint, p_kind text, p_reference uuid
) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  debit_currency text;
  credit_currency text;
  debit_slots smallint := 0;
  credit_slots smallint := 0;
BEGIN
  INSERT INTO funds_transfer (id, marketplace_id, debit_id, credit_id, amount, phase, kind, group_id, reference_id, posted_at)
  VALUES (p_id, p_marketplace, p_debit, p_credit, p_amount, 'transfer', p_kind, p_id, p_reference, clock_timestamp())
  ON CONFLICT (id) DO NOTHING;
  IF NOT FOUND THEN
    IF EXISTS (SELECT FROM funds_transfer t WHERE t.id = p_id AND t.marketplace_id = p_marketplace AND t.debit_id = p_debit
               AND t.credit_id = p_credit AND t.amount = p_amount AND t.phase = 'transfer' AND t.kind = p_kind
               AND t.reference_id IS NOT DISTINCT FROM p_reference) THEN
      RETURN false;
    END IF;
    PERFORM funds_refuse('transfer.id_reused', jsonb_build_object('index', 0, 'id', p_id));
  END IF;
  IF p_debit < p_credit THEN
    UPDATE funds_account SET posted_debit = posted_debit + p_amount WHERE id = p_debit AND sub_balances = 0
      RETURNING currency INTO debit_currency;
    UPDATE funds_account SET posted_credit = posted_credit + p_amount WHERE id = p_credit AND sub_balances = 0
      RETURNING currency INTO credit_currency;
  ELSE
    UPDATE funds_account SET posted_credit = posted_credit + p_amount WHERE id = p_credit AND sub_balances = 0
      RETURNING currency INTO credit_currency;
    UPDATE funds_account SET posted_debit = posted_debit + p_amount WHERE id = p_debit AND sub_balances = 0
      RETURNING currency INTO debit_currency;
  END IF;
  IF debit_currency IS NULL THEN
    SELECT currency, sub_balances INTO debit_currency, debit_slots FROM funds_account WHERE id = p_debit;
  END IF;
  IF credit_currency IS NULL THEN
    SELECT currency, sub_balances INTO credit_currency, credit_slots FROM funds_account WHERE id = p_credit;
  END IF;
  IF debit_currency IS NULL OR credit_currency IS NULL THEN
    PERFORM funds_refuse('transfer.account_unknown', jsonb_build_object('index', 0, 'id', p_id, 'account',
                         CASE WHEN debit_currency IS NULL THEN p_debit ELSE p_credit END));
  ELSIF debit_currency <> credit_currency THEN
    PERFORM funds_refuse('transfer.currency_mismatch',
                         jsonb_build_object('index', 0, 'id', p_id, 'debit', debit_currency, 'credit', credit_currency));
  END IF;
  IF debit_slots > 0 AND (credit_slots = 0 OR p_debit < p_credit) THEN
    UPDATE funds_subbalance SET posted_debit = posted_debit + p_amount
      WHERE account_id = p_debit AND slot = pg_backend_pid() % debit_slots;
    debit_slots := 0;
  END IF;
  IF credit_slots > 0 THEN
    UPDATE funds_subbalance SET posted_credit = posted_credit + p_amount
      WHERE account_id = p_credit AND slot = pg_backend_pid() % credit_slots;
  END IF;
  IF debit_slots > 0 THEN
    UPDATE funds_subbalance SET posted_debit = posted_debit + p_amount
      WHERE account_id = p_debit AND slot = pg_backend_pid() % debit_slots;
  END IF;
  RETURN true;
END $$
"""

POST = """
CREATE FUNCTION ledger_post(data jsonb) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  items funds_item[];
  fresh int;
  wrong record;
BEGIN
  SELECT array_agg(i ORDER BY n) INTO items
  FROM (SELECT i, row_number() OVER () AS n FROM jsonb_populate_recordset(NULL::funds_item, data) AS i) q;

  INSERT INTO funds_hold (id, marketplace_id, debit_id, credit_id, amount, captured, voided, state, expires_at, reference_id)
  SELECT id, marketplace_id, debit_id, credit_id, amount, 0, 0, 'pending', expires_at, reference_id
  FROM unnest(items) WHERE phase = 'hold' AND EXISTS (SELECT FROM funds_account a WHERE a.id = debit_id)
    AND EXISTS (SELECT FROM funds_account a WHERE a.id = credit_id)
  ORDER BY id ON CONFLICT DO NOTHING;

  PERFORM 1 FROM funds_hold h JOIN unnest(items) i ON i.hold_id = h.id ORDER BY h.id FOR NO KEY UPDATE OF h;

  -- the accounts that a capture or a void leaves open are its hold's
  SELECT array_agg(ROW(i.phase, i.id, i.marketplace_id, coalesce(i.debit_id, h.debit_id), coalesce(i.credit_id, h.credit_id),
    i.amount, i.kind, i.hold_id, i.reference_id, i.expires_at)::funds_item ORDER BY n)
  INTO items
  FROM unnest(items) WITH ORDINALITY AS i(phase, id, marketplace_id, debit_id, credit_id, amount, kind, hold_id,
                                          reference_id, expires_at, n)
  LEFT JOIN funds_hold h ON h.id = i.hold_id;

  SELECT n - 1 AS index, i.id, i.hold_id, i.debit_id, i.credit_id INTO wrong
  FROM unnest(items) WITH ORDINALITY AS i(phase, id, marketplace_id, debit_id, credit_id, amount, kind, hold_id,
                                          reference_id, expires_at, n)
  WHERE i.phase IN ('capture', 'void') AND NOT EXISTS (SELECT FROM funds_hold h WHERE h.id = i.hold_id)
  ORDER BY n LIMIT 1;
  IF FOUND THEN
    PERFORM funds_refuse('transfer.hold_unknown', jsonb_build_object('index', wrong.index, 'id', wrong.id, 'hold', wrong.hold_id));
  END IF;
  SELECT n - 1 AS index, i.id, CASE WHEN d.id IS NULL THEN i.debit_id ELSE i.credit_id END AS account,
         d.currency AS debit, c.currency AS credit INTO wrong
  FROM unnest(items) WITH ORDINALITY AS i(phase, id, marketplace_id, debit_id, credit_id, amount, kind, hold_id,
                                          reference_id, expires_at, n)
  LEFT JOIN funds_account d ON d.id = i.debit_id LEFT JOIN funds_account c ON c.id = i.credit_id
  WHERE d.id IS NULL OR c.id IS NULL OR d.currency <> c.currency ORDER BY n LIMIT 1;
  IF FOUND THEN
    IF wrong.debit IS NULL OR wrong.credit IS NULL THEN
      PERFORM funds_refuse('transfer.account_unknown',
                           jsonb_build_object('index', wrong.index, 'id', wrong.id, 'account', wrong.account));
    END IF;
    PERFORM funds_refuse('transfer.currency_mismatch',
      jsonb_build_object('index', wrong.index, 'id', wrong.id, 'debit', wrong.debit, 'credit', wrong.credit));
  END IF;

  INSERT INTO funds_transfer (id, marketplace_id, debit_id, credit_id, amount, phase, kind, hold_id, group_id, reference_id,
                              posted_at)
  SELECT id, marketplace_id, debit_id, credit_id, amount, phase, kind, hold_id, items[1].id, reference_id, clock_timestamp()
  FROM unnest(items) ON CONFLICT (id) DO NOTHING;
  GET DIAGNOSTICS fresh = ROW_COUNT;
  IF fresh < cardinality(items) THEN
    -- a linked group is there as a whole or not at all: anything else is another group under known ids
    SELECT n - 1 AS index, i.id INTO wrong
    FROM unnest(items) WITH ORDINALITY AS i(phase, id, marketplace_id, debit_id, credit_id, amount, kind, hold_id,
                                            reference_id, expires_at, n)
    LEFT JOIN funds_transfer t ON t.id = i.id AND t.phase = i.phase AND t.debit_id = i.debit_id AND t.credit_id = i.credit_id
      AND t.amount = i.amount AND t.kind = i.kind AND t.marketplace_id = i.marketplace_id
      AND t.hold_id IS NOT DISTINCT FROM i.hold_id AND t.reference_id IS NOT DISTINCT FROM i.reference_id
      AND t.group_id = items[1].id
    WHERE t.id IS NULL OR fresh > 0 ORDER BY n LIMIT 1;
    IF FOUND THEN
      PERFORM funds_refuse('transfer.id_reused', jsonb_build_object('index', wrong.index, 'id', wrong.id));
    END IF;
    RETURN false;
  END IF;

  UPDATE funds_hold h SET captured = h.captured + s.captured, voided = h.voided + s.voided,
    state = CASE WHEN h.captured + h.voided + s.captured + s.voided < h.amount THEN 'pending'
                 WHEN h.captured + s.captured > 0 THEN 'posted' WHEN s.expired THEN 'expired' ELSE 'voided' END
  FROM (SELECT hold_id, coalesce(sum(amount) FILTER (WHERE phase = 'capture'), 0) AS captured,
               coalesce(sum(amount) FILTER (WHERE phase = 'void'), 0) AS voided, bool_or(kind = 'expiry') AS expired
        FROM unnest(items) WHERE hold_id IS NOT NULL GROUP BY 1) s
  WHERE h.id = s.hold_id;

  PERFORM 1 FROM funds_account a JOIN (SELECT debit_id AS id FROM unnest(items) UNION SELECT credit_id FROM unnest(items)
    UNION SELECT h.credit_id FROM funds_hold h JOIN unnest(items) i ON i.hold_id = h.id) u ON u.id = a.id
  WHERE a.sub_balances = 0 ORDER BY a.id FOR NO KEY UPDATE OF a;

  WITH leg AS (
    SELECT debit_id AS id, CASE WHEN phase IN ('transfer', 'capture') THEN amount ELSE 0 END AS posted_debit,
           0::bigint AS posted_credit,
           CASE phase WHEN 'hold' THEN amount WHEN 'transfer' THEN 0 ELSE -amount END AS pending_debit, 0::bigint AS pending_credit
    FROM unnest(items)
    UNION ALL
    SELECT credit_id, 0, CASE WHEN phase IN ('transfer', 'capture') THEN amount ELSE 0 END, 0,
           CASE phase WHEN 'hold' THEN amount ELSE 0 END
    FROM unnest(items)
    UNION ALL
    SELECT h.credit_id, 0, 0, 0, -i.amount FROM unnest(items) i JOIN funds_hold h ON h.id = i.hold_id
  ), net AS (
    SELECT id, sum(posted_debit)::bigint AS posted_debit, sum(posted_credit)::bigint AS posted_credit,
           sum(pending_debit)::bigint AS pending_debit, sum(pending_credit)::bigint AS pending_credit
    FROM leg GROUP BY id
  ), in_place AS (
    UPDATE funds_account a SET posted_debit = a.posted_debit + n.posted_debit, posted_credit = a.posted_credit + n.posted_credit,
      pending_debit = a.pending_debit + n.pending_debit, pending_credit = a.pending_credit + n.pending_credit
    FROM net n WHERE a.id = n.id AND a.sub_balances = 0
  )
  UPDATE funds_subbalance s SET posted_debit = s.posted_debit + n.posted_debit, posted_credit = s.posted_credit + n.posted_credit,
    pending_debit = s.pending_debit + n.pending_debit, pending_credit = s.pending_credit + n.pending_credit
  FROM net n JOIN funds_account a ON a.id = n.id AND a.sub_balances > 0
  WHERE s.account_id = a.id AND s.slot = pg_backend_pid() % a.sub_balances;
  RETURN true;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial")]
    operations = [
        migrations.RunSQL(ITEM, "DROP TYPE funds_item"),
        migrations.RunSQL(REFUSE, "DROP FUNCTION funds_refuse(text, jsonb)"),
        migrations.RunSQL(TRANSFER, "DROP FUNCTION ledger_transfer(uuid, uuid, uuid, uuid, bigint, text, uuid)"),
        migrations.RunSQL(POST, "DROP FUNCTION ledger_post(jsonb)"),
    ]
