from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "huangpu.channels.web"
    label = "site"
