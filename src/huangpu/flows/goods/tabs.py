"""The parts of the warehouse's pages, as tabs. A room above that has a part of its own adds it in its AppConfig.ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy


@dataclass(frozen=True, slots=True)
class Tab:
    """A part: its key, its lazily translated label, the name of its address."""

    key: str
    label: Any
    page: str


_tabs: dict[str, Tab] = {
    tab.key: tab
    for tab in (
        Tab("stock", pgettext_lazy("goods", "Stock"), "goods:stock"),
        Tab("places", gettext_lazy("Places"), "goods:places"),
        Tab("movements", gettext_lazy("Movements"), "goods:movements"),
        Tab("shipments", gettext_lazy("Shipments"), "goods:shipments"),
    )
}


def register(tab: Tab) -> None:
    """Adds a part behind the others, or replaces the one with the same key."""
    _tabs[tab.key] = tab


def context(slug: str, here: str) -> dict[str, Any]:
    """What the template of a part needs to show them all: `tabs` and `tabs_label`."""
    shown = [
        {"label": tab.label, "href": reverse(tab.page, args=[slug]), "here": tab.key == here} for tab in _tabs.values()
    ]
    return {"tabs": shown, "tabs_label": _("Parts of the warehouse")}
