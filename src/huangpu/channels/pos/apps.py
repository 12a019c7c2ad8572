from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PosConfig(AppConfig):
    name = "huangpu.channels.pos"
    label = "pos"

    def ready(self) -> None:
        from huangpu.core.web.navigation import Section, register

        register(
            Section(
                "terminals", _("Card terminals"), "pos/", order=40, icon="credit-card", own=True, right="terminals.see"
            )
        )
