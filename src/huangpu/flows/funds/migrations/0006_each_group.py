"""Groups of transfers that have nothing to do with each other, in one statement: the bulk lane and the lane of group commits.

It takes only what is right in whatever order it comes, so that it answers what one group after the other would have been
answered: every id new, every account there, and each account with enough even if all that leaves it left before anything came.
Otherwise it writes nothing and says false. What `ledger_singles` (0005) did in four statements for transfers alone.
"""

from importlib import import_module

from django.db import migrations

FORMER = import_module("huangpu.flows.funds.migrations.0005_many_singles")
SIGNATURE = "uuid[], uuid[], uuid[], uuid[], bigint[], text[], uuid[], uuid[]"
# Nested loops only, from what came, by its id: so the accounts are locked in the order of their ids, as every posting does.
EACH = """
CREATE FUNCTION ledger_each(
  p_id uuid[], p_marketplace uuid[], p_debit uuid[], p_credit uuid[], p_amount bigint[], p_kind text[], p_reference uuid[],
  p_group uuid[]
) RETURNS boolean LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
  whole boolean;
BEGIN
  BEGIN
    WITH net AS MATERIALIZED (
      SELECT id, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit
      FROM (SELECT id, amount AS debit, 0 AS credit FROM unnest(p_debit, p_amount) u(id, amount)
            UNION ALL SELECT id, 0, amount FROM unnest(p_credit, p_amount) u(id, amount)) legs
      GROUP BY id ORDER BY id
    ), fit AS MATERIALIZED (  -- what never changes of an account is looked at before any is locked
      SELECT i.* FROM unnest(p_id, p_marketplace, p_debit, p_credit, p_amount, p_kind, p_reference, p_group)
        AS i(id, marketplace, debit, credit, amount, kind, reference, linked)
      JOIN funds_account d ON d.id = i.debit AND d.marketplace_id = i.marketplace
      JOIN funds_account c ON c.id = i.credit AND c.marketplace_id = i.marketplace AND c.currency = d.currency
      WHERE i.debit <> i.credit ORDER BY i.id
    ), kept AS (
      UPDATE funds_account a SET posted_debit = a.posted_debit + n.debit, posted_credit = a.posted_credit + n.credit
      FROM net n
      WHERE a.id = n.id AND a.sub_balances = 0 AND (SELECT count(*) FROM fit) = cardinality(p_id)
        AND (a.posted_credit - a.posted_debit - a.pending_debit - n.debit >= a.balance_min) IS NOT FALSE
        AND (a.posted_credit + a.pending_credit - a.posted_debit + n.credit <= a.balance_max) IS NOT FALSE
      RETURNING a.id
    ), spread AS MATERIALIZED (
      SELECT a.id, a.sub_balances, n.debit, n.credit
      FROM net n JOIN funds_account a ON a.id = n.id AND a.sub_balances > 0 WHERE n.id NOT IN (SELECT id FROM kept)
    ), written AS (
      INSERT INTO funds_transfer (id, marketplace_id, debit_id, credit_id, amount, kind, phase, rest, closes, group_id,
                                  reference_id, posted_at)
      SELECT id, marketplace, debit, credit, amount, kind, 0, 0, false, linked, reference, clock_timestamp() FROM fit
      WHERE (SELECT count(*) FROM kept) + (SELECT count(*) FROM spread) = (SELECT count(*) FROM net)
      RETURNING 1
    ), slotted AS (
      INSERT INTO funds_subbalance AS s (account_id, slot, posted_debit, posted_credit, pending_debit, pending_credit)
      SELECT id, pg_backend_pid() % sub_balances, debit, credit, 0, 0
      FROM spread WHERE (SELECT count(*) FROM written) = cardinality(p_id)
      ORDER BY id
      ON CONFLICT (account_id, slot) DO UPDATE SET posted_debit = s.posted_debit + excluded.posted_debit,
        posted_credit = s.posted_credit + excluded.posted_credit
    )
    SELECT count(*) = cardinality(p_id) INTO whole FROM written;
    IF NOT whole THEN
      RAISE EXCEPTION USING ERRCODE = 'HP000';
    END IF;
    RETURN true;
  EXCEPTION
    WHEN unique_violation OR check_violation OR numeric_value_out_of_range OR SQLSTATE 'HP000' THEN RETURN false;
  END;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0005_many_singles")]

    operations = [
        migrations.RunSQL(EACH, f"DROP FUNCTION ledger_each({SIGNATURE})"),
        migrations.RunSQL(f"DROP FUNCTION ledger_singles({FORMER.SIGNATURE})", FORMER.SINGLES),
    ]
