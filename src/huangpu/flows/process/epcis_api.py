"""The endpoints of traceability: EPCIS 2.0 documents of a trade, of a shipment, of one's own organisation in a span of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Field, Query, Router, Schema

from huangpu.core import clock
from huangpu.core.errors import Invalid
from huangpu.core.web.paging import cursor_of, id_of
from huangpu.flows.goods import queries as goods
from huangpu.flows.goods.standard import MEDIA_TYPE, document
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require, require_own

from . import queries, traceability

router = Router(tags=["goods"])
DAYS_MAX = 31
ANSWER = {
    "responses": {
        200: {
            "description": "An EPCISDocument as JSON-LD",
            "content": {MEDIA_TYPE: {"schema": {"type": "object", "required": ["@context", "type", "epcisBody"]}}},
        }
    }
}


class Span(Schema):
    """When it was recorded. At most 31 days."""

    since: datetime | None = Field(None, description="Default: 31 days before `until`")
    until: datetime | None = Field(None, description="Default: now")
    cursor: str | None = Field(None, description="From the link of the page before")


@router.get(
    "/m/{marketplace}/trades/{number}/epcis", openapi_extra=ANSWER, response={200: Any}, summary="A trade's goods"
)
def of_trade(request: PartyRequest, marketplace: str, number: str) -> Any:  # noqa: ARG001
    """What happened to them, the earliest first (EPCIS 2.0). For those who may read the trade."""
    agreement = queries.agreement(request.actor, request.marketplace.pk, number)
    return _answer(request, traceability.of_trade(agreement))


@router.get(
    "/m/{marketplace}/shipments/{shipment_id}/epcis",
    openapi_extra=ANSWER,
    response={200: Any},
    summary="A shipment's goods",
)
def of_shipment(request: PartyRequest, marketplace: str, shipment_id: UUID) -> Any:  # noqa: ARG001
    """The delivery it tells of (EPCIS 2.0). For its sender and its receiver."""
    require(request.actor, "goods.see")
    found = goods.shipment(request.actor, request.marketplace.pk, shipment_id)
    return _answer(request, traceability.of_shipment(found))


@router.get(
    "/m/{marketplace}/epcis", openapi_extra=ANSWER, response={200: Any}, summary="One's own goods in a span of time"
)
def of_time(request: PartyRequest, marketplace: str, asked: Query[Span]) -> Any:  # noqa: ARG001
    """What came in, was counted, moved, sent and accepted, the earliest first (EPCIS 2.0). The header `Link` leads on."""
    own = require_own(request.actor, "goods.see")
    until = _aware(asked.until, "until") or clock.now()
    since = _aware(asked.since, "since") or until - timedelta(days=DAYS_MAX)
    if not since < until <= since + timedelta(days=DAYS_MAX):
        raise Invalid(
            "epcis.span",
            _("Ask for a span of at most %(most)s days that ends after it begins."),
            field="since",
            value=clock.rfc3339(since),
            most=DAYS_MAX,
        )
    after = id_of(asked.cursor) if asked.cursor else None
    found, more = traceability.of_organisation(request.marketplace.pk, own, since=since, until=until, after=after)
    answer = _answer(request, found)
    if more:
        query = {"since": clock.rfc3339(since), "until": clock.rfc3339(until), "cursor": cursor_of(more)}
        answer["Link"] = f'<{request.path}?{urlencode(query)}>; rel="next"'
    return answer


def _aware(instant: datetime | None, name: str) -> datetime | None:
    if instant is not None and (instant.tzinfo is None or not 1970 < instant.year < 9000):
        message = _("Write an instant with its offset, such as 2026-11-23T02:00:00Z.")
        raise Invalid("api.timezone_aware", message, field=name, value=instant.isoformat())
    return instant


def _answer(request: PartyRequest, found: list[Any]) -> HttpResponse:
    base = f"{request.scheme}://{request.get_host()}"
    text = document(found, base=base, zone=ZoneInfo(request.marketplace.zone), now=clock.now())
    return HttpResponse(text, content_type=MEDIA_TYPE, headers={"GS1-EPCIS-Version": "2.0", "GS1-CBV-Version": "2.0"})
