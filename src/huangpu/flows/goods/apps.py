from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class GoodsConfig(AppConfig):
    name = "huangpu.flows.goods"
    label = "goods"

    def ready(self) -> None:
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.navigation import register as add_section
        from huangpu.core.web.status import State
        from huangpu.core.web.status import register as name_states

        add_section(Section("stock", pgettext_lazy("goods", "Stock"), "stock/", order=65, icon="warehouse"))
        name_states(
            "stock",
            {
                "available": State("done", pgettext_lazy("stock", "Available")),
                "inspecting": State("due", _("Under inspection")),
            },
        )
