"""The notices of trades begin now: in a house that has traded already, nobody is told of what is long past."""

from django.db import migrations

FROM_NOW = """
INSERT INTO log_cursor (subscriber, marketplace_id, position) SELECT 'trade_notices', marketplace_id, position FROM log_head
ON CONFLICT (subscriber, marketplace_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("process", "0003_amendments"), ("log", "0003_record_call")]

    operations = [migrations.RunSQL(FROM_NOW, migrations.RunSQL.noop)]
