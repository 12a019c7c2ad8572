from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ProcessConfig(AppConfig):
    name = "huangpu.flows.process"
    label = "process"

    def ready(self) -> None:
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.navigation import register as add_section
        from huangpu.core.web.status import BASE, State
        from huangpu.core.web.status import register as name_states
        from huangpu.flows.information import references

        from .queries import origins

        references.register(origins)
        add_section(Section("trades", _("Trades"), "trades/", order=60, icon="handshake"))
        name_states("commitment", {**BASE, "unused": State("info", pgettext_lazy("commitment", "Nothing came of it"))})
        name_states(
            "amendment",
            {
                "open": State("waiting", _("Waits for signatures")),
                "signed": State("done", _("Signed by all")),
                "declined": State("cancelled", pgettext_lazy("amendment", "Declined")),
                "withdrawn": State("cancelled", pgettext_lazy("amendment", "Taken back")),
            },
        )
        name_states(
            "agreement",
            {
                "open": State("live", _("Under way")),
                "disputed": State("late", _("In dispute")),
                "fulfilled": State("done", _("Fulfilled")),
                "terminated": State("cancelled", _("Terminated")),
            },
        )
