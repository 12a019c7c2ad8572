"""Small groups go a quick way, as single transfers do; accounts are opened and items posted from JSON by other rooms' calls.

`ledger_post` (0003) stays the way that knows every reason; docs/explanation/ledger.md says what was measured.
"""

from django.db import migrations

ITEMS = """
  p_phase smallint[], p_id uuid[], p_marketplace uuid[], p_debit uuid[], p_credit uuid[], p_hold uuid[], p_amount bigint[],
  p_closes boolean[], p_kind text[], p_reference uuid[], p_expires timestamptz[], p_group uuid, p_now timestamptz
"""
PASSED = """p_phase, p_id, p_marketplace, p_debit, p_credit, p_hold, p_amount, p_closes, p_kind, p_reference, p_expires,
    p_group, p_now"""
SIGNATURE = "smallint[], uuid[], uuid[], uuid[], uuid[], uuid[], bigint[], boolean[], text[], uuid[], timestamptz[], uuid, timestamptz"

# New holds, or captures and voids in part of one hold that is there, in one marketplace. False: nothing has been written, and
# `ledger_post` will know why. Locks as there: the hold, accounts by id, the transfers' ids, sub-balances by account.
QUICKLY = f"""
CREATE FUNCTION ledger_quickly({ITEMS}) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
  items int := cardinality(p_id);
  market uuid := p_marketplace[1];
  captured bigint := 0; voided bigint := 0;
  payer uuid; nominal uuid; reference uuid; known record;
  account uuid[] := '{{}}'; posted_d bigint[]; posted_c bigint[]; pending_d bigint[]; pending_c bigint[];  -- net, an account
  who uuid; place int; seen int := 0; money text; instant timestamptz;
  slotted int[] := '{{}}'; slots int[];
BEGIN
  FOR i IN 1..items LOOP
    IF p_phase[i] NOT BETWEEN 1 AND 3 OR p_closes[i] OR p_marketplace[i] <> market OR (p_phase[i] = 1) <> (p_phase[1] = 1)
       OR p_hold[i] IS DISTINCT FROM p_hold[1] THEN
      RETURN false;
    END IF;
    IF p_phase[i] = 2 THEN
      captured := captured + p_amount[i];
    ELSE
      voided := voided + p_amount[i];
    END IF;
  END LOOP;

  BEGIN
    IF p_phase[1] > 1 THEN
      UPDATE funds_hold h SET captured = h.captured + captured, voided = h.voided + voided,
        state = CASE WHEN h.captured + h.voided + captured + voided < h.amount THEN 'pending'
                     WHEN h.captured + captured > 0 THEN 'posted' ELSE 'voided' END
      WHERE h.id = p_hold[1] AND h.marketplace_id = market AND h.state = 'pending'
        AND h.captured + h.voided + captured + voided <= h.amount AND (h.expires_at <= p_now) IS NOT TRUE
      RETURNING h.debit_id, h.credit_id, h.reference_id INTO payer, nominal, reference;
      IF NOT FOUND THEN
        RETURN false;
      END IF;
    END IF;

    FOR i IN 1..items LOOP
      FOR leg IN 1..3 LOOP  -- who is debited, who is credited, and whose nominal credit falls
        who := CASE leg WHEN 1 THEN coalesce(payer, p_debit[i]) WHEN 2 THEN
                 CASE p_phase[i] WHEN 1 THEN p_credit[i] WHEN 2 THEN coalesce(p_credit[i], nominal) END ELSE nominal END;
        CONTINUE WHEN who IS NULL;
        place := array_position(account, who);
        IF place IS NULL THEN
          account := account || who;
          place := cardinality(account);
          posted_d[place] := 0; posted_c[place] := 0; pending_d[place] := 0; pending_c[place] := 0;
        END IF;
        IF leg = 1 THEN
          IF p_phase[i] = 2 THEN
            posted_d[place] := posted_d[place] + p_amount[i];
          END IF;
          pending_d[place] := pending_d[place] + CASE p_phase[i] WHEN 1 THEN p_amount[i] ELSE -p_amount[i] END;
        ELSIF leg = 3 THEN
          pending_c[place] := pending_c[place] - p_amount[i];
        ELSIF p_phase[i] = 1 THEN
          pending_c[place] := pending_c[place] + p_amount[i];
        ELSE
          posted_c[place] := posted_c[place] + p_amount[i];
        END IF;
      END LOOP;
    END LOOP;

    FOR known IN
      SELECT a.id, a.currency, a.sub_balances, u.n::int AS n FROM unnest(account) WITH ORDINALITY u(id, n)
      JOIN funds_account a ON a.id = u.id AND a.marketplace_id = market ORDER BY a.id
    LOOP
      seen := seen + 1;
      place := known.n;
      IF known.currency <> money THEN
        RAISE EXCEPTION USING ERRCODE = 'HP000';
      END IF;
      money := known.currency;
      IF known.sub_balances = 0 THEN
        UPDATE funds_account a SET posted_debit = a.posted_debit + posted_d[place], posted_credit = a.posted_credit + posted_c[place],
          pending_debit = a.pending_debit + pending_d[place], pending_credit = a.pending_credit + pending_c[place]
        WHERE a.id = known.id;
      ELSE
        slotted := slotted || place;
        slots := slots || known.sub_balances::int;
      END IF;
    END LOOP;
    IF seen < cardinality(account) THEN
      RAISE EXCEPTION USING ERRCODE = 'HP000';
    END IF;

    instant := clock_timestamp();
    FOR i IN 1..items LOOP
      INSERT INTO funds_transfer (id, marketplace_id, debit_id, credit_id, amount, kind, phase, hold_id, nominal_id, rest, closes,
                                  group_id, reference_id, posted_at)
      VALUES (p_id[i], market, coalesce(payer, p_debit[i]), coalesce(p_credit[i], nominal), p_amount[i], p_kind[i], p_phase[i],
              CASE p_phase[i] WHEN 1 THEN p_id[i] ELSE p_hold[i] END,
              nullif(nominal, coalesce(p_credit[i], nominal)), 0, false, p_group,
              coalesce(p_reference[i], reference), instant);
      IF p_phase[i] = 1 THEN
        INSERT INTO funds_hold (id, marketplace_id, debit_id, credit_id, amount, captured, voided, state, reference_id, expires_at)
        VALUES (p_id[i], market, p_debit[i], p_credit[i], p_amount[i], 0, 0, 'pending', p_reference[i], p_expires[i]);
      END IF;
    END LOOP;

    FOR i IN 1..cardinality(slotted) LOOP
      place := slotted[i];
      UPDATE funds_subbalance s SET posted_debit = s.posted_debit + posted_d[place],
        posted_credit = s.posted_credit + posted_c[place], pending_debit = s.pending_debit + pending_d[place],
        pending_credit = s.pending_credit + pending_c[place]
      WHERE s.account_id = account[place] AND s.slot = pg_backend_pid() % slots[i];
      IF NOT FOUND THEN  -- `ledger_post` will make the slot
        RAISE EXCEPTION USING ERRCODE = 'HP000';
      END IF;
    END LOOP;
    RETURN true;
  EXCEPTION
    -- an id that is known, a limit, two accounts that do not fit: all undone
    WHEN unique_violation OR check_violation OR SQLSTATE 'HP000' THEN RETURN false;
  END;
END $$
"""

GROUP = f"""
CREATE FUNCTION ledger_group({ITEMS}) RETURNS SETOF funds_result LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF cardinality(p_id) <= 8 AND ledger_quickly({PASSED}) THEN
    FOR i IN 1..cardinality(p_id) LOOP
      RETURN NEXT ROW(i - 1, 'posted', NULL, NULL, NULL)::funds_result;
    END LOOP;
  ELSE
    RETURN QUERY SELECT * FROM ledger_post({PASSED});
  END IF;
END $$
"""

# For a room's own call that writes its rows and moves money together: what is refused undoes all of it (SQLSTATE HP001, the
# detail is the refusal).
COLUMNS = """phase smallint, id uuid, marketplace_id uuid, debit_id uuid, credit_id uuid,
      hold_id uuid, amount bigint, closes boolean, kind text, reference_id uuid, expires_at timestamptz"""
ITEMS_CALL = f"""
CREATE FUNCTION ledger_items(items jsonb, p_group uuid) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  c record; refused funds_result; kept record;
BEGIN
  IF jsonb_array_length(items) = 1 THEN
    SELECT ARRAY[phase] AS phase, ARRAY[id] AS id, ARRAY[marketplace_id] AS marketplace, ARRAY[debit_id] AS debit,
           ARRAY[credit_id] AS credit, ARRAY[hold_id] AS hold, ARRAY[amount] AS amount, ARRAY[closes] AS closes,
           ARRAY[kind] AS kind, ARRAY[reference_id] AS reference, ARRAY[expires_at] AS expires
    INTO c FROM jsonb_to_record(items->0) AS i({COLUMNS});
  ELSE
    SELECT array_agg(phase) AS phase, array_agg(id) AS id, array_agg(marketplace_id) AS marketplace, array_agg(debit_id) AS debit,
           array_agg(credit_id) AS credit, array_agg(hold_id) AS hold, array_agg(amount) AS amount, array_agg(closes) AS closes,
           array_agg(kind) AS kind, array_agg(reference_id) AS reference, array_agg(expires_at) AS expires
    INTO c FROM jsonb_to_recordset(items) AS i({COLUMNS});
  END IF;
  IF cardinality(c.id) <= 8 AND ledger_quickly(c.phase, c.id, c.marketplace, c.debit, c.credit, c.hold, c.amount, c.closes,
                                               c.kind, c.reference, c.expires, p_group, clock_timestamp()) THEN
    RETURN;
  END IF;
  SELECT * INTO refused FROM ledger_post(c.phase, c.id, c.marketplace, c.debit, c.credit, c.hold, c.amount, c.closes, c.kind,
    c.reference, c.expires, p_group, clock_timestamp()) r WHERE r.result NOT IN ('posted', 'existing') LIMIT 1;
  IF FOUND THEN
    SELECT a.book, a.currency INTO kept FROM funds_account a WHERE a.id = coalesce(refused.account_id,
      (SELECT h.debit_id FROM funds_hold h WHERE h.id = coalesce(c.hold[refused.item + 1], c.id[refused.item + 1])));
    RAISE EXCEPTION 'the ledger refused: %', refused.result USING ERRCODE = 'HP001',
      DETAIL = row_to_json(refused)::jsonb || jsonb_build_object('book', kept.book, 'currency', kept.currency);
  END IF;
END $$
"""

OPEN = """
CREATE FUNCTION ledger_open(accounts jsonb) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
  INSERT INTO funds_account (id, marketplace_id, book, holder_id, currency, balance_min, balance_max, sub_balances,
                             posted_debit, posted_credit, pending_debit, pending_credit)
  SELECT a.*, 0, 0, 0, 0 FROM jsonb_to_recordset(accounts) AS a(id uuid, marketplace_id uuid, book text, holder_id uuid,
    currency text, balance_min bigint, balance_max bigint, sub_balances smallint)
  ORDER BY a.id ON CONFLICT (id) DO NOTHING
$$
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0003_once_planned")]

    operations = [
        migrations.RunSQL(QUICKLY, f"DROP FUNCTION ledger_quickly({SIGNATURE})"),
        migrations.RunSQL(GROUP, f"DROP FUNCTION ledger_group({SIGNATURE})"),
        migrations.RunSQL(ITEMS_CALL, "DROP FUNCTION ledger_items(jsonb, uuid)"),
        migrations.RunSQL(OPEN, "DROP FUNCTION ledger_open(jsonb)"),
    ]
