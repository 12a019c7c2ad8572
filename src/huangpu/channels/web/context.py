"""What the frame of every page shows of the installation: the marketplace's sections, the zone. parties.context adds whom one
acts for and who operates this; the rooms add their counts.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from huangpu.core.web import navigation
from huangpu.parties.middleware import acting
from huangpu.parties.models import Marketplace
from huangpu.parties.rights import decide


def _own(request: HttpRequest, marketplace: Marketplace) -> list[navigation.Section]:
    actor = acting(request).actor
    return [
        one
        for one in navigation.sections(marketplace.sectors, own=True)
        if not one.right or decide(actor, one.right, marketplace_id=marketplace.pk).allowed
    ]


def frame(request: HttpRequest) -> dict[str, Any]:
    """`sections` of the marketplace, `section_here` (the key of the one that is open), `own_sections`, `zone_name`."""
    marketplace: Marketplace | None = getattr(request, "marketplace", None)
    sections = navigation.sections(marketplace.sectors) if marketplace and not marketplace.is_city else []
    own = _own(request, marketplace) if sections and marketplace else []
    below = request.path.removeprefix(f"/m/{marketplace.slug}/") if marketplace else ""
    here = next((one.key for one in sections if one.address and below.startswith(one.address)), "")
    zone = timezone.get_current_timezone_name()
    return {"sections": sections, "section_here": here, "own_sections": own, "zone_name": zone}
