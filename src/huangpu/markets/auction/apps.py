from django.apps import AppConfig


class AuctionConfig(AppConfig):
    name = "huangpu.markets.auction"
    label = "auction"
