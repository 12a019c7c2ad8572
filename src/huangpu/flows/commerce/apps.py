from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommerceConfig(AppConfig):
    name = "huangpu.flows.commerce"
    label = "commerce"

    def ready(self) -> None:
        from huangpu.flows.goods import catalogue, tabs

        from .queries import known_items, matching_items, owned_items

        catalogue.register("commerce", catalogue.Catalogue(known_items, matching_items, owned_items))
        tabs.register(tabs.Tab("items", _("Items"), "commerce:items"))
