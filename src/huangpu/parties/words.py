"""The words of the room's codes: districts and industries of the document's city, levels, sectors, markets."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LEVELS: dict[int, Any] = {
    0: _("Identity not checked"),
    1: _("Code checked in its register"),
    2: _("Licence checked"),
    3: _("Licence and persons checked"),
}
LEVEL_STATES = {0: "waiting", 1: "info", 2: "done", 3: "done"}  # kinds of core.web.status

SECTORS: dict[str, Any] = {
    "manufacturing": _("Manufacturing"),
    "commodities": _("Commodities"),
    "retail": _("Retail"),
    "distribution": _("Distribution"),
    "freight": _("Freight"),
    "port": _("Port"),
    "express": _("Express"),
    "banking": _("Banking"),
    "insurance": _("Insurance"),
    "wealth": _("Wealth"),
    "directory": _("Directory"),
    "travel": _("Travel"),
}
MARKETS: dict[str, Any] = {
    "posted": _("Posted prices"),
    "listing": _("Listings"),
    "tender": _("Tenders"),
    "auction": _("Auctions"),
    "orderbook": _("Order book"),
    "booking": _("Bookings"),
    "matching": _("Matching"),
}
INDUSTRIES: dict[str, Any] = {
    "electronics": pgettext_lazy("industry", "Electronics"),
    "automobiles": pgettext_lazy("industry", "Automobiles"),
    "chemicals": pgettext_lazy("industry", "Petro- and fine chemicals"),
    "steel": pgettext_lazy("industry", "Fine steel"),
    "equipment": pgettext_lazy("industry", "Complete equipment"),
    "biomedicine": pgettext_lazy("industry", "Biomedicine"),
}
DISTRICTS: dict[str, Any] = {
    "huangpu": pgettext_lazy("district", "Huangpu"),
    "luwan": pgettext_lazy("district", "Luwan"),
    "xuhui": pgettext_lazy("district", "Xuhui"),
    "changning": pgettext_lazy("district", "Changning"),
    "jingan": pgettext_lazy("district", "Jing'an"),
    "putuo": pgettext_lazy("district", "Putuo"),
    "zhabei": pgettext_lazy("district", "Zhabei"),
    "hongkou": pgettext_lazy("district", "Hongkou"),
    "yangpu": pgettext_lazy("district", "Yangpu"),
    "minhang": pgettext_lazy("district", "Minhang"),
    "baoshan": pgettext_lazy("district", "Baoshan"),
    "jiading": pgettext_lazy("district", "Jiading"),
    "pudong": pgettext_lazy("district", "Pudong"),
    "jinshan": pgettext_lazy("district", "Jinshan"),
    "songjiang": pgettext_lazy("district", "Songjiang"),
    "qingpu": pgettext_lazy("district", "Qingpu"),
    "fengxian": pgettext_lazy("district", "Fengxian"),
    "chongming": pgettext_lazy("district", "Chongming"),
}


def word(table: dict[str, Any], code: str) -> Any:
    """The word of a code; a code that has none is shown as it is."""
    return table.get(code, code)
