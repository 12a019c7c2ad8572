"""The sequence behind the human numbers of agreements: unique, not gap-free (only invoices need that by law)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("commerce", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE commerce_agreement_number", "DROP SEQUENCE commerce_agreement_number")
    ]
