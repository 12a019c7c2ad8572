from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "huangpu.core.web"
    label = "core_web"
