from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "huangpu.channels.api"
    label = "api"
