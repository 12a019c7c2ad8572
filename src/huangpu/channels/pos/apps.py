from django.apps import AppConfig


class PosConfig(AppConfig):
    name = "huangpu.channels.pos"
    label = "pos"
