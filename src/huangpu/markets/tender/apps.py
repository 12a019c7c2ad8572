from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TenderConfig(AppConfig):
    name = "huangpu.markets.tender"
    label = "tender"

    def ready(self) -> None:
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.navigation import register as add_section
        from huangpu.core.web.status import State
        from huangpu.core.web.status import register as name_states
        from huangpu.flows.information import references
        from huangpu.flows.process.words import declare_events, declare_tasks

        from . import words
        from .approval import NAMES
        from .procedures import STAGE_NAMES
        from .queries import origins

        declare_events("commerce", words.COMMERCE)
        declare_events("process", words.PROCESS)
        declare_events("", words.TOLD_ONLY)
        declare_tasks(NAMES)
        references.register(origins)
        add_section(Section("tenders", _("Tenders"), "tenders/", order=10, icon="gavel", sector="manufacturing"))
        looks = {"open": "live", "auction": "live", "evaluation": "due", "standstill": "waiting", "concluded": "done"}
        looks |= {"draft": "draft", "cancelled": "cancelled", "unsuccessful": "cancelled"}
        name_states("tender", {stage: State(looks[stage], word) for stage, word in STAGE_NAMES.items()})
        name_states(
            "tender-bid",
            {
                "sealed": State("waiting", _("Sealed")),
                "valid": State("done", pgettext_lazy("bid", "Valid")),
                "unreadable": State("late", _("Unreadable")),
                "disqualified": State("cancelled", _("Disqualified")),
                "withdrawn": State("cancelled", _("Withdrawn")),
                "replaced": State("cancelled", _("Replaced")),
            },
        )
        name_states(
            "tender-lot",
            {
                "active": State("due", pgettext_lazy("lot", "Undecided")),
                "awarded": State("done", pgettext_lazy("lot", "Awarded")),
                "concluded": State("done", _("Concluded")),
                "unsuccessful": State("cancelled", _("Unsuccessful")),
                "cancelled": State("cancelled", _("Cancelled")),
            },
        )
        name_states(
            "tender-bond",
            {
                "held": State("waiting", pgettext_lazy("bond", "Held")),
                "returned": State("done", pgettext_lazy("bond", "Given back")),
                "forfeited": State("late", pgettext_lazy("bond", "Forfeited")),
            },
        )
        name_states(
            "tender-award",
            {
                "standing": State("waiting", pgettext_lazy("award", "In standstill")),
                "concluded": State("done", _("Concluded")),
                "cancelled": State("cancelled", pgettext_lazy("award", "Void")),
                "defaulted": State("late", pgettext_lazy("award", "Defaulted")),
            },
        )
