from django.apps import AppConfig


class LogConfig(AppConfig):
    name = "huangpu.core.log"
    label = "log"
