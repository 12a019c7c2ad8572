"""Many transfers that have nothing to do with each other, in one go: the bulk lane and the lane of group commits.

It takes only what is right in whatever order it comes, so that it answers what one transfer after the other would have been
answered: every id new, every account there, and each account with enough even if all that leaves it left before anything came.
Otherwise it writes nothing and says false.
"""

from django.db import migrations

SIGNATURE = "uuid[], uuid[], uuid[], uuid[], bigint[], text[], uuid[]"
SINGLES = """
CREATE FUNCTION ledger_singles(
  p_id uuid[], p_marketplace uuid[], p_debit uuid[], p_credit uuid[], p_amount bigint[], p_kind text[], p_reference uuid[]
) RETURNS boolean LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  written int; limited int;
BEGIN
  BEGIN
    -- in the order of the ids, as every posting does
    PERFORM 1 FROM funds_account a JOIN (SELECT DISTINCT id FROM unnest(p_debit || p_credit) u(id)) u ON u.id = a.id
    WHERE a.sub_balances = 0 ORDER BY a.id FOR NO KEY UPDATE OF a;
    GET DIAGNOSTICS limited = ROW_COUNT;

    INSERT INTO funds_transfer (id, marketplace_id, debit_id, credit_id, amount, kind, phase, rest, closes, reference_id, posted_at)
    SELECT i.id, i.marketplace, i.debit, i.credit, i.amount, i.kind, 0, 0, false, i.reference, clock_timestamp()
    FROM unnest(p_id, p_marketplace, p_debit, p_credit, p_amount, p_kind, p_reference)
      AS i(id, marketplace, debit, credit, amount, kind, reference)
    JOIN funds_account d ON d.id = i.debit AND d.marketplace_id = i.marketplace
    JOIN funds_account c ON c.id = i.credit AND c.marketplace_id = i.marketplace AND c.currency = d.currency
    WHERE i.debit <> i.credit
    ORDER BY i.id;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < cardinality(p_id) THEN
      RAISE EXCEPTION USING ERRCODE = 'HP000';
    END IF;

    UPDATE funds_account a SET posted_debit = a.posted_debit + n.debit, posted_credit = a.posted_credit + n.credit
    FROM (
      SELECT id, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit
      FROM (SELECT id, amount AS debit, 0 AS credit FROM unnest(p_debit, p_amount) u(id, amount)
            UNION ALL SELECT id, 0, amount FROM unnest(p_credit, p_amount) u(id, amount)) legs GROUP BY id
    ) n
    WHERE a.id = n.id AND a.sub_balances = 0
      AND (a.posted_credit - a.posted_debit - a.pending_debit - n.debit >= a.balance_min) IS NOT FALSE
      AND (a.posted_credit + a.pending_credit - a.posted_debit + n.credit <= a.balance_max) IS NOT FALSE;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < limited THEN
      RAISE EXCEPTION USING ERRCODE = 'HP000';
    END IF;

    INSERT INTO funds_subbalance AS s (account_id, slot, posted_debit, posted_credit, pending_debit, pending_credit)
    SELECT a.id, pg_backend_pid() % a.sub_balances, sum(n.debit), sum(n.credit), 0, 0
    FROM (SELECT id, amount AS debit, 0 AS credit FROM unnest(p_debit, p_amount) u(id, amount)
          UNION ALL SELECT id, 0, amount FROM unnest(p_credit, p_amount) u(id, amount)) n
    JOIN funds_account a ON a.id = n.id AND a.sub_balances > 0 GROUP BY a.id, a.sub_balances ORDER BY a.id
    ON CONFLICT (account_id, slot) DO UPDATE SET posted_debit = s.posted_debit + excluded.posted_debit,
      posted_credit = s.posted_credit + excluded.posted_credit;
    RETURN true;
  EXCEPTION
    WHEN unique_violation OR check_violation OR numeric_value_out_of_range OR SQLSTATE 'HP000' THEN RETURN false;
  END;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0004_small_groups")]

    operations = [migrations.RunSQL(SINGLES, f"DROP FUNCTION ledger_singles({SIGNATURE})")]
