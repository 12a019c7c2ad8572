from django.apps import AppConfig


class ProcessConfig(AppConfig):
    name = "huangpu.flows.process"
    label = "process"
