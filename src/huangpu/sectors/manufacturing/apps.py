from django.apps import AppConfig


class ManufacturingConfig(AppConfig):
    name = "huangpu.sectors.manufacturing"
    label = "manufacturing"

    def ready(self) -> None:
        from .terms import declare

        declare()
