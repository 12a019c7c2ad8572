from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "huangpu.core"
    label = "core"
