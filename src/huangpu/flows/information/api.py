"""The API of this room: documents, notices, the feed of events, webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, Schema, UploadedFile
from ninja.responses import Status
from pydantic import Field

from huangpu.core import clock
from huangpu.core.web.paging import LIMIT_DEFAULT, LIMIT_MAX, Page, page_of
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace

from . import acts, queries, webhooks
from .models import Delivery, Document, Endpoint, Notice
from .sentences import sentence
from .serving import serve

router = Router(tags=["information"])
POSITION_MAX = 2**63 - 1

Position = Annotated[int, Field(ge=0, le=POSITION_MAX)]


class Asking(HttpRequest):
    """A request as the middleware of parties leaves it."""

    actor: Actor
    marketplace: Marketplace


class DocumentOut(Schema):
    """A stored file. `audience`: the organisations that may read it; empty: everybody."""

    id: UUID
    organisation_id: UUID
    filename: str
    media_type: str
    size: int
    sha256: str
    audience: list[UUID]
    created_at: datetime


class Audience(Schema):
    audience: list[UUID] = Field([], max_length=acts.AUDIENCE_MAX)


@router.post("/m/{slug}/documents", response={201: DocumentOut})
def store_document(request: Asking, slug: str, file: File[UploadedFile], audience: Form[Audience]) -> Status[Document]:
    """Store a document of one's organisation. Its kind is told by its bytes; see the list in the refusal."""
    stored = acts.store_document(
        actor=request.actor,
        marketplace_id=request.marketplace.pk,
        content=file.read(),
        filename=file.name or "",
        audience=audience.audience,
        now=clock.now(),
    )
    return Status(201, stored)


@router.get("/m/{slug}/documents", response=Page[DocumentOut])
def list_documents(request: Asking, slug: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT) -> Page[Document]:
    """The documents that one's organisation has stored here."""
    return page_of(queries.documents(actor=request.actor, marketplace_id=request.marketplace.pk), cursor, limit)


@router.get("/documents/{document_id}", response=DocumentOut)
def see_document(request: Asking, document_id: UUID) -> Document:
    """What is known of a document."""
    return queries.document_of(actor=request.actor, document_id=document_id)


@router.get(
    "/documents/{document_id}/content",
    response=None,
    openapi_extra={
        "responses": {
            200: {
                "description": "The bytes, as an attachment.",
                "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
    },
)
def read_document(request: Asking, document_id: UUID) -> HttpResponse:
    """The bytes of a document, as an attachment."""
    return serve(queries.document_of(actor=request.actor, document_id=document_id))


class NoticeOut(Schema):
    """Something the person should know, as a sentence in the language of Accept-Language and as its code."""

    id: UUID
    kind: str
    sentence: str
    params: dict[str, Any]
    link: str
    created_at: datetime
    read_at: datetime | None

    @staticmethod
    def resolve_sentence(notice: Notice) -> str:
        return sentence(notice.kind, notice.params)


@router.get("/notices", response=Page[NoticeOut])
def list_notices(
    request: Asking, unread: bool = False, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Notice]:
    """One's own notices, newest first."""
    found = queries.notices(actor=request.actor)
    return page_of(found.filter(read_at=None) if unread else found, cursor, limit)


class Marking(Schema):
    """Which notices; null: all."""

    ids: list[UUID] | None = Field(None, max_length=LIMIT_MAX)
    read: bool = True


class Count(Schema):
    count: int


@router.post("/notices/marks", response=Count)
def mark_notices(request: Asking, marking: Marking) -> Count:
    """Mark one's own notices as read or unread."""
    return Count(count=acts.mark_notices(actor=request.actor, ids=marking.ids, read=marking.read, now=clock.now()))


class FeedEventOut(Schema):
    """What happened. `payload` is null once it has been erased; `leaf` proves the event in the log's tree."""

    position: int
    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    thread_id: UUID
    actor_id: UUID | None
    organisation_id: UUID | None
    occurred_at: datetime
    leaf: str
    payload: dict[str, Any] | None


class FeedOut(Schema):
    """Go on with `after`. `more`: there is more at once."""

    events: list[FeedEventOut]
    after: int
    more: bool


@router.get("/m/{slug}/events", response=FeedOut)
def read_events(
    request: Asking,
    slug: str,
    after: Position = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> queries.Feed:
    """What happened on a marketplace, as far as one may read it: in commit order, without a gap.

    Ask again with the `after` of the answer; nothing is ever inserted before it.
    """
    return queries.feed(actor=request.actor, marketplace_id=request.marketplace.pk, after=after, limit=limit)


class EndpointIn(Schema):
    """`kinds` such as "tender.published" or "tender.*"; an empty list means all events that one may read."""

    url: str = Field(max_length=500)
    kinds: list[str] = Field([], max_length=50)


class EndpointOut(Schema):
    id: UUID
    url: str
    kinds: list[str]
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str


class EndpointWithSecret(EndpointOut):
    """`secret` signs the calls (Standard Webhooks). It is shown this once."""

    secret: str


def _with_secret(endpoint: Endpoint, secret: str) -> dict[str, Any]:
    shown = EndpointOut.from_orm(endpoint).model_dump()
    return {**shown, "secret": secret}


@router.get("/m/{slug}/webhooks", response=Page[EndpointOut])
def list_webhooks(request: Asking, slug: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT) -> Page[Endpoint]:
    """The webhooks of one's organisation on a marketplace."""
    return page_of(queries.endpoints(actor=request.actor, marketplace_id=request.marketplace.pk), cursor, limit)


@router.post("/m/{slug}/webhooks", response={201: EndpointWithSecret})
def register_webhook(
    request: Asking, slug: str, endpoint: EndpointIn, response: HttpResponse
) -> Status[dict[str, Any]]:
    """Register an address that is called when something happens. Its answer shows the secret and is not kept, so the
    same key again is answered with `idempotency.answer_not_kept`; rotate the secret if it was lost."""
    made, secret = webhooks.register_endpoint(
        actor=request.actor,
        marketplace_id=request.marketplace.pk,
        url=endpoint.url,
        kinds=endpoint.kinds,
        now=clock.now(),
    )
    response["Cache-Control"] = "no-store"
    return Status(201, _with_secret(made, secret))


@router.post("/m/{slug}/webhooks/{endpoint_id}/secret", response=EndpointWithSecret)
def rotate_webhook_secret(request: Asking, slug: str, endpoint_id: UUID, response: HttpResponse) -> dict[str, Any]:
    """A new secret. For 24 hours calls are signed with the old one as well."""
    endpoint, secret = webhooks.rotate_secret(
        actor=request.actor, marketplace_id=request.marketplace.pk, endpoint_id=endpoint_id, now=clock.now()
    )
    response["Cache-Control"] = "no-store"
    return _with_secret(endpoint, secret)


@router.delete("/m/{slug}/webhooks/{endpoint_id}", response=EndpointOut)
def disable_webhook(request: Asking, slug: str, endpoint_id: UUID) -> Endpoint:
    """End the calls to an address. Its log stays."""
    return webhooks.disable_endpoint(
        actor=request.actor, marketplace_id=request.marketplace.pk, endpoint_id=endpoint_id, now=clock.now()
    )


class DeliveryOut(Schema):
    """One event on its way to one address. `state`: waiting, delivered or failed."""

    id: UUID
    event_id: UUID
    position: int
    kind: str
    state: str
    attempts: int
    next_at: datetime | None
    delivered_at: datetime | None
    last_at: datetime | None
    last_status: int | None
    last_error: str


@router.get("/m/{slug}/webhooks/{endpoint_id}/deliveries", response=Page[DeliveryOut])
def list_deliveries(
    request: Asking, slug: str, endpoint_id: UUID, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Delivery]:
    """What was and will be sent to an address, for 30 days."""
    found = queries.deliveries(actor=request.actor, marketplace_id=request.marketplace.pk, endpoint_id=endpoint_id)
    return page_of(found, cursor, limit)


@router.post("/m/{slug}/deliveries/{delivery_id}/replay", response=DeliveryOut)
def replay_delivery(request: Asking, slug: str, delivery_id: UUID) -> Delivery:
    """Send one event once more."""
    return webhooks.replay_delivery(
        actor=request.actor, marketplace_id=request.marketplace.pk, delivery_id=delivery_id, now=clock.now()
    )


class ReplayIn(Schema):
    """Positions are those of the feed; 0 is the beginning."""

    after: Position = 0


@router.post("/m/{slug}/webhooks/{endpoint_id}/replay", response=Count)
def replay_webhook(request: Asking, slug: str, endpoint_id: UUID, replay: ReplayIn) -> Count:
    """Send what happened after a position once more, at most 10,000 events."""
    count = webhooks.replay_from(
        actor=request.actor,
        marketplace_id=request.marketplace.pk,
        endpoint_id=endpoint_id,
        position=replay.after,
        now=clock.now(),
    )
    return Count(count=count)
