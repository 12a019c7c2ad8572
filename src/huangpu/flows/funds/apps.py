from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FundsConfig(AppConfig):
    name = "huangpu.flows.funds"
    label = "funds"

    def ready(self) -> None:
        from huangpu.core.web.navigation import Section, register

        register(Section("wallet", _("Wallet"), "wallet/", order=10, icon="wallet", own=True, right="funds.see"))
