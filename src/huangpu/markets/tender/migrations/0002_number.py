"""The numbers people call tenders by come from one sequence."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tender", "0001_initial")]

    operations = [migrations.RunSQL("CREATE SEQUENCE tender_number", "DROP SEQUENCE tender_number")]
