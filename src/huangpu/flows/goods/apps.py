from django.apps import AppConfig


class GoodsConfig(AppConfig):
    name = "huangpu.flows.goods"
    label = "goods"
