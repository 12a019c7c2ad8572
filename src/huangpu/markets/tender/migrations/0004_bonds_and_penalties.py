import django.db.models.deletion
from django.db import migrations, models

import huangpu.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("parties", "0002_search_invitations"),
        ("tender", "0003_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bond",
            fields=[
                (
                    "id",
                    models.UUIDField(default=huangpu.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("marketplace_id", models.UUIDField()),
                ("amount_minor", models.BigIntegerField()),
                ("status", models.CharField(default="held", max_length=10)),
                ("reason", models.CharField(blank=True, max_length=16)),
                ("held_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="tender",
            name="bond_minor",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="tender",
            name="bond_ppm",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="tender",
            name="late_penalty",
            field=models.JSONField(null=True),
        ),
        migrations.AddConstraint(
            model_name="tender",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("bond_minor__isnull", True),
                        models.Q(("bond_minor__gt", 0), ("bond_ppm__isnull", True)),
                        _connector="OR",
                    ),
                    models.Q(("bond_ppm__isnull", True), ("bond_ppm__range", (1, 1000000)), _connector="OR"),
                ),
                name="tender_bond",
            ),
        ),
        migrations.AddField(
            model_name="bond",
            name="bid",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="bonds", to="tender.bid"),
        ),
        migrations.AddField(
            model_name="bond",
            name="bidder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="bid_bonds", to="parties.organisation"
            ),
        ),
        migrations.AddField(
            model_name="bond",
            name="lot",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="bonds", to="tender.lot"),
        ),
        migrations.AddField(
            model_name="bond",
            name="tender",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="bonds", to="tender.tender"
            ),
        ),
        migrations.AddConstraint(
            model_name="bond",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "held")), fields=("bid",), name="tender_one_live_bond"
            ),
        ),
        migrations.AddConstraint(
            model_name="bond",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ("held", "returned", "forfeited"))), name="tender_bond_status"
            ),
        ),
        migrations.AddConstraint(
            model_name="bond",
            constraint=models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="tender_bond_amount"),
        ),
        migrations.AddConstraint(
            model_name="bond",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_at__isnull", True), ("status", "held")),
                    models.Q(models.Q(("status", "held"), _negated=True), ("settled_at__isnull", False)),
                    _connector="OR",
                ),
                name="tender_bond_settled",
            ),
        ),
    ]
