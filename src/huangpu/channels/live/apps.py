from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "huangpu.channels.live"
    label = "live"
