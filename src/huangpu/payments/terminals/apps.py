from django.apps import AppConfig


class TerminalsConfig(AppConfig):
    name = "huangpu.payments.terminals"
    label = "terminals"
