"""The two calls that write a trade: all that an act changed, its event, and what follows for goods and money, in one statement.

Which is its own transaction when the act is alone, so that nothing can be half-written. What a room below refuses undoes all.
Locks: the agreement, then stock, then the ledger.
"""

from django.db import migrations

STANDING = (  # of a commitment, what performing changes
    "amount bigint, state text, done_quantity numeric, done_amount bigint, open_since timestamptz, due_at timestamptz,"
    " late_at timestamptz, settled_at timestamptz"
)
TYPES = (
    "id uuid, ordinal smallint, key text, flow text, action text, provider_id uuid, receiver_id uuid, name jsonb,"
    " after smallint[], stepwise bool, automatic bool, draws smallint, measure text, due jsonb, on_silence text,"
    " quantity numeric, unit text, details jsonb, " + STANDING
)
COLUMNS = ", ".join(part.split()[0] for part in TYPES.split(","))

# `act` has the keys that there is something for; see store.py, which writes it
WRITE = f"""
CREATE FUNCTION process_write(act jsonb) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  agreement uuid := act->>'id'; market uuid := act->>'marketplace_id';
BEGIN
  IF act ? 'fresh' THEN
    INSERT INTO commerce_commitment (agreement_id, marketplace_id, {COLUMNS})
    SELECT agreement, market, n.* FROM jsonb_to_recordset(act->'fresh') AS n({TYPES});
  END IF;
  IF act ? 'fulfilled' THEN
    INSERT INTO process_fulfilment (id, marketplace_id, event_id, agreement_id, commitment_id, quantity, amount, recorded_at)
    SELECT f.id, market, (act->'events'->0->>'id')::uuid, agreement, f.commitment_id, f.quantity, f.amount, clock_timestamp()
    FROM jsonb_to_recordset(act->'fulfilled') AS f(id uuid, commitment_id uuid, quantity numeric, amount bigint);
  END IF;
  PERFORM log_record(act->'events');
  IF act ? 'moves' THEN
    PERFORM goods_move(market, agreement, act->'moves', act->'balances');
  END IF;
  IF act ? 'accounts' THEN
    PERFORM ledger_open(act->'accounts');
  END IF;
  IF act ? 'ledger' THEN
    PERFORM ledger_items(act->'ledger', (act->>'group')::uuid);
  END IF;
  IF act ? 'shipments' THEN
    PERFORM goods_ship(act->'shipments');
  END IF;
  IF act ? 'invoices' THEN
    PERFORM commerce_invoice(act->'invoices');
  END IF;
END $$
"""

CONCLUDE = """
CREATE FUNCTION process_conclude(act jsonb) RETURNS text LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  given text;
BEGIN
  INSERT INTO commerce_agreement (id, marketplace_id, number, title, template, template_version, parameters, options, terms_hash,
                                  origin_id, currency, amount, state, version, concluded_at, closed_at)
  SELECT a.id, a.marketplace_id, a.prefix || lpad(nextval('commerce_agreement_number')::text, 6, '0'), a.title, a.template,
         a.template_version, a.parameters, a.options, decode(a.terms_hash, 'hex'), a.origin_id, a.currency, a.amount, a.state, 1,
         a.concluded_at, a.closed_at
  FROM jsonb_to_record(act->'agreement') AS a(id uuid, marketplace_id uuid, prefix text, title jsonb, template text,
    template_version int, parameters jsonb, options jsonb, terms_hash text, origin_id uuid, currency text, amount bigint,
    state text, concluded_at timestamptz, closed_at timestamptz)
  RETURNING number INTO given;
  INSERT INTO commerce_agreementparty (agreement_id, role, organisation_id)
  SELECT (act->>'id')::uuid, key, value::uuid FROM jsonb_each_text(act->'roles');
  PERFORM process_write(act);
  RETURN given;
END $$
"""

# false: another act was faster, and nothing has been written
CHANGE = f"""
CREATE FUNCTION process_change(act jsonb) RETURNS boolean LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  UPDATE commerce_agreement
  SET version = version + 1, state = act->>'state', closed_at = (act->>'closed_at')::timestamptz
  WHERE id = (act->>'id')::uuid AND version = (act->>'version')::int;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE commerce_commitment c
  SET state = n.state, done_quantity = n.done_quantity, done_amount = n.done_amount, amount = n.amount,
      open_since = n.open_since, due_at = n.due_at, late_at = n.late_at, settled_at = n.settled_at
  FROM jsonb_to_recordset(act->'changed') AS n(id uuid, {STANDING})
  WHERE c.id = n.id;
  PERFORM process_write(act);
  RETURN true;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("process", "0001_initial"),
        ("log", "0003_record_call"),
        ("commerce", "0005_invoice_call"),
        ("goods", "0004_ship_call"),
        ("funds", "0004_small_groups"),
    ]
    operations = [
        migrations.RunSQL(WRITE, "DROP FUNCTION process_write(jsonb)"),
        migrations.RunSQL(CONCLUDE, "DROP FUNCTION process_conclude(jsonb)"),
        migrations.RunSQL(CHANGE, "DROP FUNCTION process_change(jsonb)"),
    ]
