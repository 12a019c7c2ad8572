from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ClearingConfig(AppConfig):
    name = "huangpu.payments.clearing"
    label = "clearing"

    def ready(self) -> None:
        from huangpu.core.web import navigation, status
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.status import State

        navigation.register(
            Section("clearing", _("Clearing room"), "clearing/", order=50, icon="scale", own=True, right="clearing.see")
        )
        status.register(
            "window",
            {
                "open": State("live", pgettext_lazy("window", "Open")),
                "closed": State("due", pgettext_lazy("window", "Closed, to be confirmed")),
                "pending": State("waiting", pgettext_lazy("window", "Confirmed, to be settled")),
                "settled": State("done", pgettext_lazy("window", "Settled")),
            },
        )
