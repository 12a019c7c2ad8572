from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "huangpu.payments.reconciliation"
    label = "reconciliation"
