from django.apps import AppConfig


class SimulatorsConfig(AppConfig):
    name = "huangpu.channels.simulators"
    label = "simulators"
