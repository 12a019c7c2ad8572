"""All that must hold of a commitment is one constraint.

PostgreSQL reads the text of each constraint anew at every statement that writes a row, which was half the cost of changing a
commitment; a call of one function is short.
"""

from django.db import migrations, models

CONSISTENT = """
CREATE FUNCTION commerce_commitment_is_consistent(
  flow text, state text, quantity numeric, done_quantity numeric, amount bigint, done_amount bigint
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN flow IN ('commerce', 'goods', 'funds', 'information', 'process')
    AND state IN ('waiting', 'due', 'done', 'ended')
    AND done_quantity >= 0 AND (done_quantity <= quantity) IS NOT FALSE
    AND done_amount >= 0 AND (done_amount <= amount) IS NOT FALSE;
END $$
"""
BEFORE = ("flow", "state", "not_over_quantity", "not_over_amount")


class Migration(migrations.Migration):
    dependencies = [("commerce", "0005_invoice_call")]
    operations = [
        migrations.RunSQL(
            CONSISTENT,
            "DROP FUNCTION commerce_commitment_is_consistent(text, text, numeric, numeric, bigint, bigint)",
        ),
        *(migrations.RemoveConstraint(model_name="commitment", name=f"commerce_commitment_{name}") for name in BEFORE),
        migrations.AddConstraint(
            model_name="commitment",
            constraint=models.CheckConstraint(
                condition=models.Func(
                    "flow",
                    "state",
                    "quantity",
                    "done_quantity",
                    "amount",
                    "done_amount",
                    function="commerce_commitment_is_consistent",
                    output_field=models.BooleanField(),
                ),
                name="commerce_commitment_consistent",
            ),
        ),
    ]
