from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class InformationConfig(AppConfig):
    name = "huangpu.flows.information"
    label = "information"

    def ready(self) -> None:
        autodiscover_modules("notices")  # each room's sentences
