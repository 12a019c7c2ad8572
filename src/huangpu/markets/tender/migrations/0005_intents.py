"""Tenders that were open for bids before their intents were written get theirs."""

from django.db import migrations

FILL = """
INSERT INTO commerce_intent (id, marketplace_id, organisation_id, kind, market, subject_id, number, name, link, amount, currency,
                             valid_until)
SELECT t.id, t.marketplace_id, t.buyer_id, 'request', 'tender', t.id, t.number, t.title,
       '/m/' || m.slug || '/tenders/' || t.number || '/', t.budget_minor, t.currency, t.bids_until
FROM tender_tender t JOIN parties_marketplace m ON m.id = t.marketplace_id
WHERE t.stage = 'open'
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("tender", "0004_bonds_and_penalties"), ("commerce", "0007_intents_and_items")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
