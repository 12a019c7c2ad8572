from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "huangpu.parties"
    label = "parties"
