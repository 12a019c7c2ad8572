from django.apps import AppConfig
from django.conf import settings


class OperationsConfig(AppConfig):
    name = "huangpu.payments.operations"
    label = "operations"

    def ready(self) -> None:
        from huangpu.payments.gateway import configured

        configured.register_all(settings.HUANGPU.data)
