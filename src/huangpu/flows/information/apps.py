from django.apps import AppConfig


class InformationConfig(AppConfig):
    name = "huangpu.flows.information"
    label = "information"
