"""What the frame of every page shows: the marketplace's sections and operator, whom one acts for, what waits."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from huangpu.core.web import navigation


def frame(request: HttpRequest) -> dict[str, Any]:
    """`sections`, `section_here`, `zone_name`. Read from the request only: a page of an error has them too."""
    marketplace = getattr(request, "marketplace", None)
    here = request.path.split("/")[3] if request.path.startswith("/m/") and request.path.count("/") > 2 else ""
    return {
        "sections": SimpleLazyObject(lambda: navigation.sections(marketplace.sectors)) if marketplace else [],
        "section_here": here,
        "zone_name": timezone.get_current_timezone_name(),
    }
