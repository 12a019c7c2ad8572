"""The two calls that move money (docs/explanation/ledger.md explains them), and how their tables are kept.

Locks, everywhere in this order: holds by id, accounts by id, the transfers' own ids, sub-balances by account.
A refusal is answered, not raised: nothing has been written then, and the caller's transaction goes on.
"""

from django.db import migrations

# a small fill factor lets the many updates of a balance stay on its page and out of the indexes (HOT)
STORAGE = """
ALTER TABLE funds_account SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE funds_subbalance SET (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE funds_hold SET (fillfactor = 70);
"""
STORAGE_BACK = """
ALTER TABLE funds_account RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE funds_subbalance RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE funds_hold RESET (fillfactor);
"""

RESULT = """
CREATE TYPE funds_result AS (item int, result text, account_id uuid, asked bigint, available bigint)
"""

# `item` counts from 0. A linked group has one net effect an account: what it may not break, it may not break in the end.
POST = """
CREATE FUNCTION ledger_post(
  p_phase smallint[], p_id uuid[], p_marketplace uuid[], p_debit uuid[], p_credit uuid[], p_hold uuid[], p_amount bigint[],
  p_closes boolean[], p_kind text[], p_reference uuid[], p_expires timestamptz[], p_group uuid, p_now timestamptz
) RETURNS SETOF funds_result LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  instant timestamptz;
  old funds_transfer[]; refusal funds_result[]; posted boolean := false;
  result text[]; debit uuid[]; credit uuid[]; nominal uuid[]; amount bigint[]; rest bigint[]; reference uuid[];
  account uuid[]; posted_d bigint[]; posted_c bigint[]; pending_d bigint[]; pending_c bigint[];
BEGIN
  PERFORM 1 FROM funds_hold h JOIN unnest(p_hold) u(id) ON u.id = h.id ORDER BY h.id FOR NO KEY UPDATE OF h;
  PERFORM 1 FROM funds_account a JOIN (
    SELECT unnest(p_debit) AS id UNION SELECT unnest(p_credit)
    UNION SELECT h.debit_id FROM unnest(p_hold) u(id) JOIN funds_hold h ON h.id = u.id
    UNION SELECT h.credit_id FROM unnest(p_hold) u(id) JOIN funds_hold h ON h.id = u.id
  ) used ON used.id = a.id
  WHERE a.sub_balances = 0 ORDER BY a.id FOR NO KEY UPDATE OF a;
  instant := clock_timestamp();
  -- first as if no id were known, since to look for them opens every month's partition; then, if need be, with what is known
  <<tries>>
  FOR try IN 1..5 LOOP
    IF try > 1 THEN
      SELECT array_agg(t) INTO old FROM funds_transfer t JOIN (SELECT DISTINCT unnest(p_id) AS id) u ON u.id = t.id;
    END IF;

    WITH item AS MATERIALIZED (
      SELECT i.*, row_number() OVER (PARTITION BY i.id ORDER BY i.n) AS nth
      FROM unnest(p_phase, p_id, p_marketplace, p_debit, p_credit, p_hold, p_amount, p_closes, p_kind, p_reference, p_expires)
           WITH ORDINALITY AS i(phase, id, marketplace_id, debit_id, credit_id, hold_id, amount, closes, kind, reference_id,
                                expires_at, n)
    ), hold AS MATERIALIZED (
      SELECT h.id, h.marketplace_id, h.debit_id, h.credit_id, h.amount - h.captured - h.voided AS remaining, h.state,
             h.reference_id, h.expires_at, 0 AS n
      FROM funds_hold h JOIN (SELECT DISTINCT hold_id FROM item) u ON u.hold_id = h.id
      UNION ALL
      SELECT i.id, i.marketplace_id, i.debit_id, i.credit_id, i.amount, 'pending', i.reference_id, i.expires_at, i.n
      FROM item i WHERE i.phase = 1 AND i.nth = 1 AND NOT EXISTS (SELECT FROM funds_hold h WHERE h.id = i.id)
    ), placed AS MATERIALIZED (
      SELECT i.n, i.nth, i.phase, i.id, i.marketplace_id, i.hold_id, i.amount, i.closes, i.kind, i.expires_at,
             coalesce(i.debit_id, h.debit_id) AS debit_id, coalesce(i.credit_id, h.credit_id) AS credit_id,
             coalesce(i.reference_id, h.reference_id) AS reference_id, h.credit_id AS nominal_id, h.id AS held,
             h.remaining, h.state, h.expires_at AS hold_expires_at
      FROM item i LEFT JOIN hold h ON i.phase > 1 AND h.id = i.hold_id AND h.n < i.n AND h.marketplace_id = i.marketplace_id
    ), known AS (
      SELECT p.n, t.id IS NOT NULL OR p.nth > 1 AS before,
             CASE WHEN t.id IS NOT NULL THEN
               (t.phase, t.marketplace_id, t.debit_id, t.credit_id, t.kind, t.reference_id, t.closes)
                 IS NOT DISTINCT FROM (p.phase, p.marketplace_id, p.debit_id, p.credit_id, p.kind, p.reference_id, p.closes)
               AND (p.phase = 1 OR t.hold_id IS NOT DISTINCT FROM p.hold_id)
               AND (p.phase > 2 AND p.closes OR t.amount = p.amount)
               AND (p.phase <> 1 OR p.expires_at IS NOT DISTINCT FROM
                    (SELECT h.expires_at FROM funds_hold h WHERE h.id = p.id))
             ELSE
               (f.phase, f.marketplace_id, f.debit_id, f.credit_id, f.kind, f.reference_id, f.closes, f.hold_id, f.amount,
                f.expires_at) IS NOT DISTINCT FROM (p.phase, p.marketplace_id, p.debit_id, p.credit_id, p.kind, p.reference_id,
                p.closes, p.hold_id, p.amount, p.expires_at)
             END AS same
      FROM placed p LEFT JOIN unnest(old) t ON t.id = p.id LEFT JOIN placed f ON p.nth > 1 AND f.id = p.id AND f.nth = 1
    ), run AS (
      SELECT p.*, k.before, k.same, d.id IS NULL OR d.marketplace_id <> p.marketplace_id AS no_debit,
             c.id IS NULL OR c.marketplace_id <> p.marketplace_id AS no_credit, d.currency <> c.currency AS mixed,
             p.remaining - coalesce(sum(p.amount) FILTER (WHERE NOT k.before) OVER earlier, 0)::bigint AS left_over,
             coalesce(bool_or(p.closes) FILTER (WHERE NOT k.before) OVER earlier, false) AS ended
      FROM placed p JOIN known k ON k.n = p.n
      LEFT JOIN funds_account d ON d.id = p.debit_id LEFT JOIN funds_account c ON c.id = p.credit_id
      WINDOW earlier AS (PARTITION BY p.held ORDER BY p.n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), judged AS (
      SELECT *, CASE
          WHEN before THEN CASE WHEN same THEN 'existing' ELSE 'id_reused' END
          WHEN phase > 1 AND held IS NULL THEN 'hold_unknown'
          WHEN no_debit OR no_credit THEN 'account_unknown'
          WHEN debit_id = credit_id THEN 'same_account'
          WHEN mixed THEN 'currency_mismatch'
          WHEN phase > 1 AND (state <> 'pending' OR ended OR left_over <= 0 OR ((hold_expires_at <= p_now) IS TRUE) <> (phase = 4))
            THEN 'hold_closed'
          WHEN phase > 1 AND amount > left_over THEN 'hold_exhausted'
          ELSE 'posted' END AS result
      FROM run
    )
    SELECT array_agg(j.result ORDER BY n), array_agg(debit_id ORDER BY n), array_agg(credit_id ORDER BY n),
           array_agg(nominal_id ORDER BY n),
           array_agg(CASE WHEN phase > 2 AND closes THEN left_over ELSE j.amount END ORDER BY n),
           array_agg(CASE WHEN phase = 2 AND closes THEN left_over - j.amount ELSE 0 END ORDER BY n),
           array_agg(reference_id ORDER BY n),
           ARRAY(SELECT ROW(w.n - 1, w.result, CASE w.result WHEN 'account_unknown' THEN CASE WHEN w.no_debit THEN w.debit_id
                         ELSE w.credit_id END WHEN 'currency_mismatch' THEN w.credit_id END, w.amount, w.left_over)::funds_result
            FROM judged w WHERE w.result NOT IN ('posted', 'existing') ORDER BY w.n LIMIT 1)
    INTO result, debit, credit, nominal, amount, rest, reference, refusal
    FROM judged j;
    EXIT tries WHEN cardinality(refusal) > 0 AND try > 1;
    CONTINUE tries WHEN cardinality(refusal) > 0;

    WITH fresh AS MATERIALIZED (
      SELECT * FROM unnest(result, p_phase, debit, credit, nominal, amount, rest) WITH ORDINALITY
        AS f(result, phase, debit_id, credit_id, nominal_id, amount, rest, n) WHERE f.result = 'posted'
    ), leg AS (
      SELECT n, debit_id AS id, CASE WHEN phase IN (0, 2) THEN f.amount ELSE 0 END AS posted_debit, 0::bigint AS posted_credit,
             CASE phase WHEN 0 THEN 0 WHEN 1 THEN f.amount ELSE -f.amount - f.rest END AS pending_debit,
             0::bigint AS pending_credit
      FROM fresh f
      UNION ALL
      SELECT n, credit_id, 0, CASE WHEN phase IN (0, 2) THEN f.amount ELSE 0 END, 0, CASE phase WHEN 1 THEN f.amount ELSE 0 END
      FROM fresh f WHERE phase < 3
      UNION ALL
      SELECT n, nominal_id, 0, 0, 0, -f.amount - f.rest FROM fresh f WHERE phase > 1
    ), net AS (
      SELECT id, sum(posted_debit)::bigint AS posted_debit, sum(posted_credit)::bigint AS posted_credit,
             sum(pending_debit)::bigint AS pending_debit, sum(pending_credit)::bigint AS pending_credit,
             min(n) FILTER (WHERE posted_debit + pending_debit > 0) AS taken_by,
             min(n) FILTER (WHERE posted_credit + pending_credit > 0) AS given_by
      FROM leg GROUP BY id
    ), breach AS (
      SELECT coalesce(taken_by, 0) AS n, 1 AS side, 'exceeds_floor' AS result, a.id,
             n.posted_debit + n.pending_debit - n.posted_credit AS asked,
             a.posted_credit - a.posted_debit - a.pending_debit - a.balance_min AS available
      FROM net n JOIN funds_account a ON a.id = n.id WHERE a.balance_min IS NOT NULL
      UNION ALL
      SELECT coalesce(given_by, 0), 2, 'exceeds_ceiling', a.id, n.posted_credit + n.pending_credit - n.posted_debit,
             a.balance_max - a.posted_credit - a.pending_credit + a.posted_debit
      FROM net n JOIN funds_account a ON a.id = n.id WHERE a.balance_max IS NOT NULL
    )
    SELECT array_agg(id), array_agg(posted_debit), array_agg(posted_credit), array_agg(pending_debit), array_agg(pending_credit),
           ARRAY(SELECT ROW(b.n - 1, b.result, b.id, b.asked, b.available)::funds_result
            FROM breach b WHERE b.asked > b.available ORDER BY b.n, b.side, b.id LIMIT 1)
    INTO account, posted_d, posted_c, pending_d, pending_c, refusal
    FROM net;
    EXIT tries WHEN cardinality(refusal) > 0 AND try > 1;
    CONTINUE tries WHEN cardinality(refusal) > 0;
    BEGIN
      INSERT INTO funds_transfer (id, marketplace_id, debit_id, credit_id, amount, kind, phase, hold_id, nominal_id, rest, closes,
                                  group_id, reference_id, posted_at)
      SELECT f.id, f.marketplace_id, f.debit_id, f.credit_id, f.amount, f.kind, f.phase,
             CASE f.phase WHEN 1 THEN f.id ELSE f.hold_id END, nullif(f.nominal_id, f.credit_id), f.rest, f.closes,
             p_group, f.reference_id, instant
      FROM unnest(result, p_id, p_marketplace, debit, credit, amount, p_kind, p_phase, p_hold, nominal, rest, p_closes, reference)
        AS f(result, id, marketplace_id, debit_id, credit_id, amount, kind, phase, hold_id, nominal_id, rest, closes, reference_id)
      WHERE f.result = 'posted' ORDER BY f.id;
      posted := true;
      EXIT tries;
    EXCEPTION WHEN unique_violation THEN  -- known after all, or since this instant
      IF try = 5 THEN RAISE; END IF;
    END;
  END LOOP;
  IF NOT posted THEN
    RETURN QUERY SELECT * FROM unnest(refusal);
    RETURN;
  END IF;

  IF account IS NOT NULL THEN
    IF 1 = ANY (p_phase) THEN
      INSERT INTO funds_hold (id, marketplace_id, debit_id, credit_id, amount, captured, voided, state, reference_id, expires_at)
      SELECT f.id, f.marketplace_id, f.debit_id, f.credit_id, f.amount, 0, 0, 'pending', f.reference_id, f.expires_at
      FROM unnest(result, p_phase, p_id, p_marketplace, debit, credit, amount, reference, p_expires)
        AS f(result, phase, id, marketplace_id, debit_id, credit_id, amount, reference_id, expires_at)
      WHERE f.result = 'posted' AND f.phase = 1;
    END IF;

    IF 2 <= ANY (p_phase) THEN
      UPDATE funds_hold h SET captured = h.captured + u.captured, voided = h.voided + u.voided,
        state = CASE WHEN h.captured + u.captured + h.voided + u.voided < h.amount THEN 'pending' WHEN u.expired THEN 'expired'
                     WHEN h.captured + u.captured > 0 THEN 'posted' ELSE 'voided' END
      FROM (
        SELECT f.hold_id, coalesce(sum(f.amount) FILTER (WHERE f.phase = 2), 0)::bigint AS captured,
               (sum(f.rest) + coalesce(sum(f.amount) FILTER (WHERE f.phase > 2), 0))::bigint AS voided,
               bool_or(f.phase = 4) AS expired
        FROM unnest(result, p_phase, p_hold, amount, rest) AS f(result, phase, hold_id, amount, rest)
        WHERE f.result = 'posted' AND f.phase > 1 GROUP BY 1
      ) u WHERE h.id = u.hold_id;
    END IF;

    UPDATE funds_account a SET posted_debit = a.posted_debit + n.posted_debit,
      posted_credit = a.posted_credit + n.posted_credit, pending_debit = a.pending_debit + n.pending_debit,
      pending_credit = a.pending_credit + n.pending_credit
    FROM unnest(account, posted_d, posted_c, pending_d, pending_c)
      AS n(id, posted_debit, posted_credit, pending_debit, pending_credit)
    WHERE a.id = n.id AND a.sub_balances = 0;

    INSERT INTO funds_subbalance AS s (account_id, slot, posted_debit, posted_credit, pending_debit, pending_credit)
    SELECT a.id, pg_backend_pid() % a.sub_balances, n.posted_debit, n.posted_credit, n.pending_debit, n.pending_credit
    FROM unnest(account, posted_d, posted_c, pending_d, pending_c)
      AS n(id, posted_debit, posted_credit, pending_debit, pending_credit)
    JOIN funds_account a ON a.id = n.id AND a.sub_balances > 0 ORDER BY a.id
    ON CONFLICT (account_id, slot) DO UPDATE SET posted_debit = s.posted_debit + excluded.posted_debit,
      posted_credit = s.posted_credit + excluded.posted_credit, pending_debit = s.pending_debit + excluded.pending_debit,
      pending_credit = s.pending_credit + excluded.pending_credit;
  END IF;

  RETURN QUERY SELECT n::int - 1, r, NULL::uuid, NULL::bigint, NULL::bigint FROM unnest(result) WITH ORDINALITY u(r, n);
END $$
"""

# The quick way for one transfer. True: posted. False: nothing was done, ask `ledger_post`, which knows why.
TRANSFER = """
CREATE FUNCTION ledger_transfer(
  p_id uuid, p_marketplace uuid, p_debit uuid, p_credit uuid, p_amount bigint, p_kind text, p_reference uuid
) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  debit_slots int; credit_slots int;  -- unset: kept in one row
  debit_currency text; credit_currency text;
  debited boolean := false; credited boolean := false; posted boolean := false;
BEGIN
  -- the higher row is touched only when the lower one is ours, or in sub-balances: so `ledger_post` may follow in its order
  IF p_debit > p_credit THEN
    UPDATE funds_account SET posted_credit = posted_credit + p_amount
    WHERE id = p_credit AND sub_balances = 0 AND marketplace_id = p_marketplace
      AND (posted_credit + pending_credit + p_amount - posted_debit <= balance_max) IS NOT FALSE
    RETURNING currency INTO credit_currency;
    credited := FOUND;
    IF NOT credited THEN
      SELECT currency, sub_balances INTO credit_currency, credit_slots
      FROM funds_account WHERE id = p_credit AND sub_balances > 0 AND marketplace_id = p_marketplace;
    END IF;
    IF credit_currency IS NULL THEN
      RETURN false;
    END IF;
  END IF;
  UPDATE funds_account SET posted_debit = posted_debit + p_amount
  WHERE id = p_debit AND sub_balances = 0 AND marketplace_id = p_marketplace
    AND (posted_credit - posted_debit - pending_debit - p_amount >= balance_min) IS NOT FALSE
  RETURNING currency INTO debit_currency;
  debited := FOUND;
  IF NOT debited THEN
    SELECT currency, sub_balances INTO debit_currency, debit_slots
    FROM funds_account WHERE id = p_debit AND sub_balances > 0 AND marketplace_id = p_marketplace;
  END IF;
  IF p_debit < p_credit AND debit_currency IS NOT NULL THEN
    UPDATE funds_account SET posted_credit = posted_credit + p_amount
    WHERE id = p_credit AND sub_balances = 0 AND marketplace_id = p_marketplace
      AND (posted_credit + pending_credit + p_amount - posted_debit <= balance_max) IS NOT FALSE
    RETURNING currency INTO credit_currency;
    credited := FOUND;
    IF NOT credited THEN
      SELECT currency, sub_balances INTO credit_currency, credit_slots
      FROM funds_account WHERE id = p_credit AND sub_balances > 0 AND marketplace_id = p_marketplace;
    END IF;
  END IF;
  IF debit_currency = credit_currency AND p_debit <> p_credit THEN
    BEGIN
      INSERT INTO funds_transfer (id, marketplace_id, debit_id, credit_id, amount, kind, phase, rest, closes, reference_id,
                                  posted_at)
      VALUES (p_id, p_marketplace, p_debit, p_credit, p_amount, p_kind, 0, 0, false, p_reference, clock_timestamp());
      posted := true;
    EXCEPTION WHEN unique_violation THEN NULL;
    END;
  END IF;
  IF posted THEN
    IF p_debit < p_credit AND debit_slots > 0 THEN
      PERFORM ledger_slot(p_debit, debit_slots, p_amount, 0);
    END IF;
    IF credit_slots > 0 THEN
      UPDATE funds_subbalance SET posted_credit = posted_credit + p_amount
      WHERE account_id = p_credit AND slot = pg_backend_pid() % credit_slots;
      IF NOT FOUND THEN
        PERFORM ledger_slot(p_credit, credit_slots, 0, p_amount);
      END IF;
    END IF;
    IF p_debit > p_credit AND debit_slots > 0 THEN
      PERFORM ledger_slot(p_debit, debit_slots, p_amount, 0);
    END IF;
    RETURN true;
  END IF;
  IF credited THEN
    UPDATE funds_account SET posted_credit = posted_credit - p_amount WHERE id = p_credit;
  END IF;
  IF debited THEN
    UPDATE funds_account SET posted_debit = posted_debit - p_amount WHERE id = p_debit;
  END IF;
  RETURN false;
END $$
"""

# A connection keeps to one slot, so that two connections seldom meet; the first use of a slot makes it.
SLOT = """
CREATE FUNCTION ledger_slot(p_account uuid, p_slots int, p_debit bigint, p_credit bigint) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE funds_subbalance SET posted_debit = posted_debit + p_debit, posted_credit = posted_credit + p_credit
  WHERE account_id = p_account AND slot = pg_backend_pid() % p_slots;
  IF NOT FOUND THEN
    INSERT INTO funds_subbalance AS s (account_id, slot, posted_debit, posted_credit, pending_debit, pending_credit)
    VALUES (p_account, pg_backend_pid() % p_slots, p_debit, p_credit, 0, 0)
    ON CONFLICT (account_id, slot) DO UPDATE
    SET posted_debit = s.posted_debit + p_debit, posted_credit = s.posted_credit + p_credit;
  END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial")]
    operations = [
        migrations.RunSQL(STORAGE, STORAGE_BACK),
        migrations.RunSQL(RESULT, "DROP TYPE funds_result"),
        migrations.RunSQL(SLOT, "DROP FUNCTION ledger_slot(uuid, int, bigint, bigint)"),
        migrations.RunSQL(POST, "DROP FUNCTION ledger_post"),
        migrations.RunSQL(TRANSFER, "DROP FUNCTION ledger_transfer"),
    ]
