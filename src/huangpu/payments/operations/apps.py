from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "huangpu.payments.operations"
    label = "operations"
