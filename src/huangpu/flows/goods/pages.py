"""The warehouse's pages: stock with its filters, one balance, places, movements, shipments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from huangpu.core import clock
from huangpu.core.errors import HuangpuError, Invalid, NotFound
from huangpu.core.names import in_language
from huangpu.core.quantity import Quantity, parse_decimal, parse_quantity
from huangpu.core.web.paging import page_of
from huangpu.flows.information import references
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may, require_own

from . import acts, catalogue, queries, tabs
from .models import Place, Shipment, Stock
from .rules import REASONS

ROWS = 50
SHOWN = 12  # of a place's or a balance's movements
REASON_NAMES: dict[str, Any] = {
    "counted": gettext_lazy("Counted"),
    "damaged": pgettext_lazy("stock", "Damaged"),
    "expired": pgettext_lazy("stock", "Expired"),
    "lost": pgettext_lazy("stock", "Lost"),
    "destroyed": pgettext_lazy("stock", "Destroyed"),
    "consumed": pgettext_lazy("stock", "Consumed"),
    "found": pgettext_lazy("stock", "Found"),
    "other": pgettext_lazy("stock", "Other"),
}
KINDS: dict[str, Any] = {  # what a movement is called
    "taken_in": gettext_lazy("Taken in"),
    "adjusted": gettext_lazy("Adjusted"),
    "relocated": gettext_lazy("Moved to another place"),
    "reserved": gettext_lazy("Reserved for a trade"),
    "lifted": gettext_lazy("Reservation lifted"),
    "delivered": gettext_lazy("Delivered"),
    "received": pgettext_lazy("movement", "Received"),
    "accepted": gettext_lazy("Accepted"),
}
STATES: dict[str, Any] = {
    "": gettext_lazy("All"),
    "free": pgettext_lazy("stock", "Free"),
    "reserved": pgettext_lazy("stock", "Reserved"),
    "inspecting": gettext_lazy("Under inspection"),
}


@require_GET
def stock(request: PartyRequest, marketplace: str) -> HttpResponse:
    """What there is now, by place, item, lot and serial."""
    own = _own(request)
    asked = queries.Asked(
        request.GET.get("q", "").strip()[:100], _uuid(request.GET.get("place")), _uuid(request.GET.get("item")),
        state=request.GET.get("state", "") if request.GET.get("state") in STATES else "",
    )  # fmt: skip
    found = queries.stock(request.marketplace.pk, own, asked).order_by(
        "place__code", "item_id", "lot", "serial", "disposition"
    )
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    context = {
        "page": page, "rows": _with_items(page.object_list), "asked": asked, "places": list(queries.places(own)),
        "states": STATES.items(), "is_filtered": asked != queries.Asked(), "may_take_in": may(request.actor, "goods.take_in"),
    }  # fmt: skip
    return _show(request, "stock", "goods/stock.html", context)


@require_http_methods(["GET", "POST"])
def take_in(request: PartyRequest, marketplace: str) -> HttpResponse:
    """Goods that were made or bought elsewhere come in."""
    own = _own(request, "goods.take_in")
    errors: dict[str, HuangpuError] = {}
    given: Mapping[str, str] = request.POST if request.method == "POST" else request.GET
    if request.method == "POST":
        try:
            balance = _taken_in(request, own)
            messages.success(request, _("The goods are in stock."))
            return redirect("goods:balance", request.marketplace.slug, balance)
        except HuangpuError as error:
            errors = _errors(error)
    places = [(str(one.pk), f"{one.code} · {in_language(one.name)}") for one in queries.places(own)]
    context = {"given": given, "errors": errors, "places": places, "items": catalogue.owned(own)}
    return _show(request, "stock", "goods/take_in.html", context, 422 if errors else 200)


def _taken_in(request: PartyRequest, own: UUID) -> UUID:
    serials = request.POST.get("serials", "").replace(",", " ").replace("，", " ").split()
    item = catalogue.by_code(own, request.POST.get("item", ""))
    place = _uuid(request.POST.get("place"))
    if place is None:
        raise Invalid("place.missing", gettext_lazy("Choose a place."), field="place_id")
    typed = request.POST.get("quantity", "").strip()
    quantity = parse_quantity(typed or str(len(serials)) if serials else typed, item.unit).value
    balance = acts.take_in(
        actor=request.actor, marketplace_id=request.marketplace.pk, place_id=place, item_id=item.id, quantity=quantity,
        lot=request.POST.get("lot", "").strip(), serials=serials, now=clock.now(),
    )  # fmt: skip
    return balance.id


@require_http_methods(["GET", "POST"])
def balance(request: PartyRequest, marketplace: str, stock_id: UUID) -> HttpResponse:
    """One balance: what there is, its count, its losses, its movements."""
    own = _own(request)
    market = request.marketplace
    found = queries.one_stock(request.actor, market.pk, stock_id)
    errors: dict[str, HuangpuError] = {}
    did = request.POST.get("do", "")
    if request.method == "POST":
        try:
            shown, sentence = _doings(request, found)[did]()
            messages.success(request, sentence)
            return redirect("goods:balance", market.slug, shown)
        except KeyError:
            return redirect("goods:balance", market.slug, stock_id)
        except HuangpuError as error:
            errors = _errors(error)
    item = catalogue.shown([found.item_id])[found.item_id]
    moved = queries.movements(market.pk, own, stock_id=stock_id).order_by("-pk")[:SHOWN]
    context = {
        "balance": found, "item": item, "lines": _lines(own, moved), "errors": errors, "did": did, "given": request.POST,
        "reasons": [(code, word) for code, word in REASON_NAMES.items() if code != "counted"],
        "all_reasons": list(REASON_NAMES.items()),
        "others": [(str(one.pk), f"{one.code} · {in_language(one.name)}") for one in queries.places(own) if one != found.place],
        "may_adjust": may(request.actor, "goods.adjust"), "may_relocate": may(request.actor, "goods.relocate"),
    }  # fmt: skip
    return _show(request, "stock", "goods/balance.html", context, 422 if errors else 200)


def _doings(request: PartyRequest, found: Stock) -> dict[str, Callable[[], tuple[UUID, str]]]:
    """What the three forms of a balance do; each returns the balance to show and what to say."""
    data, now, actor = request.POST, clock.now(), request.actor
    reason, note = data.get("reason", ""), data.get("note", "")

    def count() -> tuple[UUID, str]:
        counted = parse_decimal(data.get("counted", ""), field="counted", zero=True)
        acts.adjust(actor=actor, stock_id=found.pk, counted=counted, reason=reason, note=note, now=now)
        return found.pk, _("The count is recorded.")

    def write_off() -> tuple[UUID, str]:
        quantity = parse_decimal(data.get("quantity", ""))
        acts.write_off(actor=actor, stock_id=found.pk, quantity=quantity, reason=reason, note=note, now=now)
        return found.pk, _("The goods are written off.")

    def relocate() -> tuple[UUID, str]:
        to = _uuid(data.get("to_place"))
        if to is None:
            raise Invalid("place.missing", gettext_lazy("Choose a place."), field="to_place")
        quantity = parse_decimal(data.get("quantity", ""))
        moved = acts.relocate(actor=actor, stock_id=found.pk, to_place_id=to, quantity=quantity, now=now)
        return moved.id, _("The goods are at their new place.")

    return {"count": count, "write-off": write_off, "relocate": relocate}


@require_http_methods(["GET", "POST"])
def places(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The organisation's places, and the form of a new one."""
    own = _own(request)
    errors: dict[str, HuangpuError] = {}
    if request.method == "POST":
        try:
            made = acts.open_place(actor=request.actor, organisation_id=own, now=clock.now(), **_place_facts(request))
            messages.success(request, _("The place is open."))
            return redirect("goods:place", request.marketplace.slug, made.pk)
        except HuangpuError as error:
            errors = _errors(error)
    counted = queries.by_place(request.marketplace.pk, own)
    context = {
        "rows": [(one, counted.get(one.pk, 0)) for one in queries.places(own).order_by("code")], "errors": errors,
        "given": request.POST, "may_open": may(request.actor, "goods.open_place"),
    }  # fmt: skip
    return _show(request, "places", "goods/places.html", context, 422 if errors else 200)


@require_http_methods(["GET", "POST"])
def place(request: PartyRequest, marketplace: str, place_id: UUID) -> HttpResponse:
    """A place: what lies there, what moved, its name."""
    own = _own(request)
    market = request.marketplace
    found = queries.place(request.actor, place_id)
    errors: dict[str, HuangpuError] = {}
    if request.method == "POST":
        try:
            acts.edit_place(actor=request.actor, place_id=place_id, now=clock.now(), **_place_facts(request))
            messages.success(request, _("The place is changed."))
            return redirect("goods:place", market.slug, place_id)
        except HuangpuError as error:
            errors = _errors(error)
    lying = queries.stock(market.pk, own, queries.Asked(place_id=place_id)).order_by("item_id", "lot", "serial")
    moved = queries.movements(market.pk, own, place_id=place_id).order_by("-pk")[:SHOWN]
    context = {
        "place": found, "rows": _with_items(lying[:ROWS]), "lines": _lines(own, moved), "errors": errors,
        "given": request.POST if errors else _typed(found), "may_edit": may(request.actor, "goods.edit_place"),
        "may_take_in": may(request.actor, "goods.take_in"),
    }  # fmt: skip
    return _show(request, "places", "goods/place.html", context, 422 if errors else 200)


@require_GET
def movements(request: PartyRequest, marketplace: str) -> HttpResponse:
    """Every change of the organisation's stock, newest first."""
    own = _own(request)
    at, item = _uuid(request.GET.get("place")), _uuid(request.GET.get("item"))
    found = queries.movements(request.marketplace.pk, own, place_id=at, item_id=item)
    page = page_of(found, request.GET.get("cursor"), ROWS)
    context = {"page": page, "lines": _lines(own, page.items), "places": list(queries.places(own)), "at": at}
    return _show(request, "movements", "goods/movements.html", context)


@require_GET
def shipments(request: PartyRequest, marketplace: str) -> HttpResponse:
    """What was sent and received."""
    own = _own(request)
    page = page_of(queries.shipments(request.marketplace.pk, own), request.GET.get("cursor"), ROWS)
    trades = references.addresses(one.reference_id for one in page.items)
    rows = [(one, one.sender_id == own, trades.get(one.reference_id)) for one in page.items]
    return _show(request, "shipments", "goods/shipments.html", {"page": page, "rows": rows})


@require_GET
def shipment(request: PartyRequest, marketplace: str, shipment_id: UUID) -> HttpResponse:
    """A despatch, for its sender and its receiver, with a link to its trade."""
    own = _own(request)
    found = queries.shipment(request.actor, request.marketplace.pk, shipment_id)
    context = {
        "shipment": found, "is_ours": found.sender_id == own, "lines": _shipped(found),
        "trade": references.addresses([found.reference_id]).get(found.reference_id),
    }  # fmt: skip
    return _show(request, "shipments", "goods/shipment.html", context)


def _shipped(found: Shipment) -> list[dict[str, Any]]:
    return [
        {
            **line, "quantity": Quantity(Decimal(line["quantity"]), line["unit"]),
            "lots": [{**lot, "quantity": Quantity(Decimal(lot["quantity"]), line["unit"])} for lot in line.get("lots", ())],
        }
        for line in found.lines
    ]  # fmt: skip


def _show(request: PartyRequest, here: str, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, template, {**context, **tabs.context(request.marketplace.slug, here)}, status=status)


def _own(request: PartyRequest, act: str = "goods.see") -> UUID:
    return require_own(request.actor, act)


def _with_items(found: Iterable[Stock]) -> list[tuple[Stock, catalogue.Known]]:
    listed = list(found)
    items = catalogue.shown(one.item_id for one in listed)
    return [(one, items[one.item_id]) for one in listed]


def _lines(own: UUID, found: Iterable[Any]) -> list[dict[str, Any]]:
    lines = queries.lines(own, found)
    items = catalogue.shown(line.item_id for line in lines)
    trades = references.addresses(line.reference_id for line in lines)
    return [
        {
            "line": line, "item": items[line.item_id], "trade": trades.get(line.reference_id),
            "words": KINDS.get(line.kind, line.kind), "reason": REASON_NAMES.get(line.reason, ""),
            "quantity": line.quantity or abs(line.reservation), "is_out": line.source is not None and line.target is None,
        }
        for line in lines
    ]  # fmt: skip


def _place_facts(request: PartyRequest) -> dict[str, Any]:
    data = request.POST
    return {
        "code": data.get("code", ""), "name": {"zh-hans": data.get("name_zh", ""), "en": data.get("name_en", "")},
        "address": data.get("address", ""), "gln": data.get("gln", ""),
    }  # fmt: skip


def _typed(found: Place) -> dict[str, str]:
    return {
        "code": found.code, "name_zh": found.name.get("zh-hans", ""), "name_en": found.name.get("en", ""),
        "address": found.address, "gln": found.gln,
    }  # fmt: skip


def _errors(error: HuangpuError) -> dict[str, HuangpuError]:
    """Each refusal beside its field; one about no field of the form stands above it."""
    if isinstance(error, NotFound) and error.code == "stock.unknown":
        raise error
    names = {"value": "gln", "scheme": "gln", "serial": "serials", "name": "name_zh"}
    known = {
        "code", "name_zh", "address", "gln", "item", "quantity", "lot", "serials", "place_id", "counted", "reason", "to_place",
    }  # fmt: skip
    found: dict[str, HuangpuError] = {}
    for one in error.each:
        name = names.get(one.field or "", one.field or "")
        found[name if name in known else "form"] = one
    return found


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


assert set(REASON_NAMES) == set(REASONS)

app_name = "goods"
_AT = "m/<slug:marketplace>/stock/"
urlpatterns = [
    path(_AT, stock, name="stock"),
    path(f"{_AT}take-in/", take_in, name="take_in"),
    path(f"{_AT}places/", places, name="places"),
    path(f"{_AT}places/<uuid:place_id>/", place, name="place"),
    path(f"{_AT}movements/", movements, name="movements"),
    path(f"{_AT}shipments/", shipments, name="shipments"),
    path(f"{_AT}shipments/<uuid:shipment_id>/", shipment, name="shipment"),
    path(f"{_AT}<uuid:stock_id>/", balance, name="balance"),
]
