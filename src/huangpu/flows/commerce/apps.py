from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "huangpu.flows.commerce"
    label = "commerce"
