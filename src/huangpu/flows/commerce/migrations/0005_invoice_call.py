"""The call that keeps invoices, for the act that issues them together with what they are for."""

from django.db import migrations

INVOICE = """
CREATE FUNCTION commerce_invoice(invoices jsonb) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
  INSERT INTO commerce_invoice (id, marketplace_id, agreement_id, seller_id, number, currency, amount, issued_at)
  SELECT i.* FROM jsonb_to_recordset(invoices) AS i(id uuid, marketplace_id uuid, agreement_id uuid, seller_id uuid, number text,
    currency text, amount bigint, issued_at timestamptz)
$$
"""


class Migration(migrations.Migration):
    dependencies = [("commerce", "0004_alter_agreement_marketplace_and_more")]
    operations = [migrations.RunSQL(INVOICE, "DROP FUNCTION commerce_invoice(jsonb)")]
