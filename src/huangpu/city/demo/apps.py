from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "huangpu.city.demo"
    label = "demo"
