from django.apps import AppConfig


class BoardConfig(AppConfig):
    name = "huangpu.city.board"
    label = "board"
