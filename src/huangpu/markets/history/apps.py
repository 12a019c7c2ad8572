from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class HistoryConfig(AppConfig):
    name = "huangpu.markets.history"
    label = "history"

    def ready(self) -> None:
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.navigation import register as add_section
        from huangpu.core.web.status import State
        from huangpu.core.web.status import register as name_states

        add_section(
            Section("history", _("History"), "history/", order=40, icon="calendar-clock", sector="manufacturing")
        )
        name_states(
            "history",
            {
                "planning": State("draft", _("Planning")),
                "planned": State("draft", _("Planned")),
                "active": State("live", pgettext_lazy("procurement", "Active")),
                "complete": State("done", _("Complete")),
                "unsuccessful": State("cancelled", _("Unsuccessful")),
                "cancelled": State("cancelled", _("Cancelled")),
                "withdrawn": State("cancelled", _("Withdrawn")),
                "pending": State("waiting", _("Pending")),
                "valid": State("done", pgettext_lazy("bid", "Valid")),
                "invited": State("info", _("Invited")),
                "disqualified": State("cancelled", _("Disqualified")),
                "terminated": State("done", pgettext_lazy("contract", "Ended")),
            },
        )
        name_states(
            "history-award",
            {
                "pending": State("waiting", _("Pending")),
                "active": State("done", pgettext_lazy("award", "Awarded")),
                "unsuccessful": State("cancelled", pgettext_lazy("award", "Unsuccessful")),
                "cancelled": State("cancelled", _("Cancelled")),
            },
        )
