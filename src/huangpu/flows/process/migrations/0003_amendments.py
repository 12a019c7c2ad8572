import django.db.models.deletion
from django.db import migrations, models

import huangpu.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("commerce", "0006_one_constraint"),
        ("parties", "0002_search_invitations"),
        ("process", "0002_calls"),
    ]

    operations = [
        migrations.CreateModel(
            name="Amendment",
            fields=[
                (
                    "id",
                    models.UUIDField(default=huangpu.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("marketplace_id", models.UUIDField()),
                ("number", models.SmallIntegerField()),
                ("changes", models.JSONField()),
                ("note", models.CharField(blank=True, max_length=1000)),
                ("terms_hash", models.BinaryField(max_length=32)),
                ("state", models.CharField(default="open", max_length=10)),
                ("proposed_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=1000)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "agreement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="amendments", to="commerce.agreement"
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="parties.organisation"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                (
                    "id",
                    models.UUIDField(default=huangpu.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("person_id", models.UUIDField(null=True)),
                ("signed_at", models.DateTimeField()),
                (
                    "amendment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="signatures", to="process.amendment"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="parties.organisation"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "signed", "declined", "withdrawn"])),
                name="process_amendment_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.UniqueConstraint(fields=("agreement", "number"), name="process_amendment_number_once"),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")), fields=("agreement",), name="process_amendment_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(fields=("amendment", "organisation"), name="process_signature_once"),
        ),
    ]
