from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class WalletsConfig(AppConfig):
    name = "huangpu.payments.wallets"
    label = "wallets"

    def ready(self) -> None:
        from huangpu.core.web import navigation, status
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.status import State

        navigation.register(
            Section("sendings", _("Send money"), "sendings/", order=15, icon="send", own=True, right="wallets.see")
        )
        status.register(
            "sending",
            {
                "waiting": State("waiting", pgettext_lazy("sending", "Waits to be accepted")),
                "accepted": State("done", pgettext_lazy("sending", "Accepted")),
                "declined": State("cancelled", pgettext_lazy("sending", "Declined")),
                "withdrawn": State("cancelled", pgettext_lazy("sending", "Taken back")),
                "expired": State("late", pgettext_lazy("sending", "Not accepted in time")),
            },
        )
