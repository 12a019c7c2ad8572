from django.apps import AppConfig


class HistoryConfig(AppConfig):
    name = "huangpu.markets.history"
    label = "history"
