from django.apps import AppConfig


class TenderConfig(AppConfig):
    name = "huangpu.markets.tender"
    label = "tender"
