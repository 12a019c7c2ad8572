from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AuctionConfig(AppConfig):
    name = "huangpu.markets.auction"
    label = "auction"

    def ready(self) -> None:
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.navigation import register as register_section
        from huangpu.core.web.status import State, register

        register_section(Section("auctions", _("Auctions"), "auctions/", 20, icon="gavel"))
        register(
            "auction",
            {
                "scheduled": State("waiting", _("Not open yet")),
                "running": State("live", pgettext_lazy("auction", "Running")),
                "ending": State("due", _("Time is over")),
                "paused": State("due", pgettext_lazy("auction", "Paused")),
                "closed": State("done", pgettext_lazy("auction", "Closed")),
                "cancelled": State("cancelled", _("Cancelled")),
            },
        )
