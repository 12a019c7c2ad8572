"""What the frame of every page shows: the marketplace's sections and operator, whom one acts for, what waits."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from huangpu.core.web import navigation
from huangpu.parties import queries
from huangpu.parties.models import Identifier, Marketplace, Membership, Organisation


def frame(request: HttpRequest) -> dict[str, Any]:
    """`sections`, `section_here`, `operator`, `acting_organisation`, `acting_choices`, `zone_name`.

    Everything is read when a template asks for it, and only then: an answer without a frame costs nothing.
    """
    marketplace: Marketplace | None = getattr(request, "marketplace", None)
    here = request.path.split("/")[3] if request.path.startswith("/m/") and request.path.count("/") > 2 else ""
    choices = SimpleLazyObject(lambda: acting_choices(request))
    return {
        "sections": navigation.sections(marketplace.sectors) if marketplace and not marketplace.is_city else [],
        "section_here": here,
        "operator": SimpleLazyObject(lambda: operator_of(marketplace)),
        "acting_choices": choices,
        "acting_organisation": SimpleLazyObject(lambda: acting_organisation(request, choices)),
        "zone_name": timezone.get_current_timezone_name(),
    }


def acting_choices(request: HttpRequest) -> list[Organisation]:
    """The organisations that the person of this request may act for."""
    actor = getattr(request, "actor", None)
    if actor is None or actor.person_id is None:
        return []
    members: list[Membership] = list(queries.memberships_of(actor.person_id))
    return [member.organisation for member in members]


def acting_organisation(request: HttpRequest, choices: Any) -> Organisation | None:
    """The organisation that the person acts for now."""
    actor = getattr(request, "actor", None)
    return next((one for one in choices if one.pk == actor.organisation_id), None) if actor else None


def operator_of(marketplace: Marketplace | None) -> dict[str, Any]:
    """Whom the law asks to be named on every page: the operator with its licence code and how to reach it
    (《上海市促进电子商务发展规定》 on operators' information; 电子商务法 art. 15). On the city's pages the city's operator.
    """
    shown = marketplace or queries.marketplaces(with_city=True).filter(is_city=True).select_related("operator").first()
    if shown is None:
        return {}
    operator = shown.operator
    licence = Identifier.objects.filter(organisation=operator, scheme="CN-USCC").values_list("value", flat=True).first()
    return {
        "name": operator.name,
        "licence": licence,
        "address": operator.address,
        "phone": operator.phone,
        "email": operator.email,
    }
