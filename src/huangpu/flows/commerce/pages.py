"""The catalogue's pages: the items of the organisation one acts for, and the form of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.quantity import UNITS, unit_name
from huangpu.core.web.paging import page_of
from huangpu.flows.goods import tabs
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may, require, require_own
from huangpu.parties.words import INDUSTRIES

from . import acts, queries
from .models import Item

ROWS = 50


@require_GET
def items(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The catalogue with its search."""
    own = require_own(request.actor, "commerce.see_items")
    text = request.GET.get("q", "").strip()[:100]
    page = page_of(queries.items(own, text), request.GET.get("cursor"), ROWS)
    context = {
        "page": page,
        "text": text,
        "may_edit": may(request.actor, "commerce.edit_item"),
        "industries": INDUSTRIES,
    }
    return render(request, "commerce/items.html", context)


@require_http_methods(["GET", "POST"])
def new(request: PartyRequest, marketplace: str) -> HttpResponse:
    """A new item."""
    require(request.actor, "commerce.edit_item")
    return _form(request, None)


@require_http_methods(["GET", "POST"])
def edit(request: PartyRequest, marketplace: str, item_id: UUID) -> HttpResponse:
    """An item of one's own, as a form for those who may change it."""
    require(request.actor, "commerce.see_items")
    return _form(request, queries.item_by_id(request.actor, item_id))


def _form(request: PartyRequest, item: Item | None) -> HttpResponse:
    given: Any = request.POST if request.method == "POST" else _typed(item)
    errors: dict[str, HuangpuError] = {}
    if request.method == "POST":
        common: dict[str, Any] = {"actor": request.actor, "marketplace_id": request.marketplace.pk, "now": clock.now()}
        try:
            if item is None:
                item = acts.create_item(facts=_facts(request), **common)
            else:
                acts.edit_item(item_id=item.pk, facts=_facts(request), **common)
            messages.success(request, _("The item is saved."))
            return redirect("commerce:items", request.marketplace.slug)
        except HuangpuError as error:
            errors = {{"name": "name_zh"}.get(one.field or "", one.field or "form"): one for one in error.each}
    units = [(code, f"{unit_name(code)} ({code})") for code in UNITS]
    if given.get("unit") and given["unit"] not in UNITS:
        units.append((given["unit"], given["unit"]))
    context = {
        "item": item, "given": given, "errors": errors, "units": units, "industries": [("", "–"), *INDUSTRIES.items()],
        "may_edit": may(request.actor, "commerce.edit_item"),
    }  # fmt: skip
    context |= tabs.context(request.marketplace.slug, "items")
    return render(request, "commerce/item.html", context, status=422 if errors else 200)


def _facts(request: PartyRequest) -> acts.ItemFacts:
    data = request.POST
    return acts.ItemFacts(
        code=data.get("code", ""), name={"zh-hans": data.get("name_zh", ""), "en": data.get("name_en", "")},
        unit=data.get("unit", ""), gtin=data.get("gtin", ""), industry=data.get("industry", ""),
        classification_scheme=data.get("classification_scheme", ""), classification_code=data.get("classification_code", ""),
    )  # fmt: skip


def _typed(item: Item | None) -> dict[str, str]:
    if item is None:
        return {"unit": "C62"}
    names = ("code", "unit", "gtin", "industry", "classification_scheme", "classification_code")
    words = {"name_zh": item.name.get("zh-hans", ""), "name_en": item.name.get("en", "")}
    return {**{name: getattr(item, name) for name in names}, **words}


app_name = "commerce"
_AT = "m/<slug:marketplace>/stock/items/"
urlpatterns = [
    path(_AT, items, name="items"),
    path(f"{_AT}new/", new, name="new_item"),
    path(f"{_AT}<uuid:item_id>/", edit, name="item"),
]
