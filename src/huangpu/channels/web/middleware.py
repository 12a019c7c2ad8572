"""What every page stands in: the zone of its marketplace."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from huangpu.core.clock import SHANGHAI


class Zone:
    """Shows times in the marketplace's zone; outside of a marketplace in the city's, Asia/Shanghai."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        marketplace = getattr(request, "marketplace", None)
        with timezone.override(ZoneInfo(marketplace.zone) if marketplace else SHANGHAI):
            return self.get_response(request)
