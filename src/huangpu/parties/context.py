"""What the frame of every page shows of parties: for whom one acts, the others one could act for, who operates this."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import queries
from .middleware import acting
from .models import Marketplace, Organisation


def frame(request: HttpRequest) -> dict[str, Any]:
    """`acting_organisation`, `acting_choices` (both None and empty for a visitor), `operator` of the marketplace (on the
    city's pages of the city) with its licence, address and contacts, as every page has to show them (电子商务法, article
    15). Asked for only when shown."""
    who = acting(request)
    market = who.marketplace
    found: dict[str, Any] = {"acting_organisation": None, "acting_choices": [], "operator": None}
    if who.actor.person_id is not None:
        found["acting_choices"] = choices = SimpleLazyObject(lambda: _choices(request))
        own = who.actor.organisation_id
        if own is not None:
            found["acting_organisation"] = SimpleLazyObject(lambda: next(one for one in choices if one.pk == own))
    found["operator"] = SimpleLazyObject(lambda: _operator(market))
    return found


def _choices(request: HttpRequest) -> list[Organisation]:
    person = acting(request).actor.person_id
    return [one.organisation for one in queries.memberships_of(person)] if person else []


def _operator(market: Marketplace | None) -> dict[str, Any]:
    shown = market or queries.marketplaces(with_city=True).filter(is_city=True).first()
    if shown is None:
        return {}
    operator = shown.operator
    licence = operator.identifiers.filter(scheme="CN-USCC").values_list("value", flat=True).first()
    contacts = {"address": operator.address, "phone": operator.phone, "email": operator.email}
    return {"name": operator.name, "licence": licence or "", **contacts}
