from django.apps import AppConfig


class BenchConfig(AppConfig):
    name = "huangpu.channels.bench"
    label = "bench"
