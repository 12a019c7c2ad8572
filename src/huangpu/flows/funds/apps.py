from django.apps import AppConfig


class FundsConfig(AppConfig):
    name = "huangpu.flows.funds"
    label = "funds"
