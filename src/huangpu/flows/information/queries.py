"""What may be read: documents by right, one's own notices, events in their order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import row, rows
from huangpu.core.errors import NotFound
from huangpu.core.log import sequencer
from huangpu.parties.actor import Actor
from huangpu.parties.queries import actor_for
from huangpu.parties.rights import require

from .models import Delivery, Document, Endpoint, Notice

UNREAD_SHOWN_MAX = 100
NOBODY = UUID(int=0)

FEED = """
SELECT p.position, e.id, e.kind, e.subject_type, e.subject_id, e.thread_id, e.actor_id, e.organisation_id,
       e.occurred_at, e.leaf, b.body
FROM log_position p JOIN log_event e ON e.id = p.event_id LEFT JOIN log_payload b ON b.id = p.event_id
WHERE p.marketplace_id = %(market)s AND p.position > %(after)s AND p.position <= %(head)s
  AND (e.audience = '{}' OR %(reader)s::uuid = ANY(e.audience))
ORDER BY p.position LIMIT %(limit)s
"""


def document_of(*, actor: Actor, document_id: UUID) -> Document:
    """A document that the actor may read. One that is not there and one that is not for the actor look the same:
    `information.no_document`."""
    found = Document.objects.filter(pk=document_id).first()
    if found is None or not _readable(actor, found):
        raise NotFound(
            "information.no_document",
            _("There is no document %(value)s, or it is not for you."),
            field="document",
            value=str(document_id),
        )
    return found


def _readable(actor: Actor, document: Document) -> bool:
    own = actor.organisation_id is not None and actor.organisation_id in (document.organisation_id, *document.audience)
    if not document.audience or own or actor.is_system:
        return True
    if actor.marketplace_id is None:  # the address of a document names none, so no office was looked up yet
        actor = actor_for(person_id=actor.person_id, marketplace_id=document.marketplace_id)
    return actor.marketplace_id == document.marketplace_id and "arbiter" in actor.market_roles


def readable(*, actor: Actor, document_ids: Iterable[UUID]) -> dict[UUID, Document]:
    """Those of some documents that the actor may read, by id. Others are left out without a word."""
    found = Document.objects.filter(pk__in=set(document_ids))
    return {document.pk: document for document in found if _readable(actor, document)}


def documents(*, actor: Actor, marketplace_id: UUID) -> QuerySet[Document]:
    """The documents that the actor's own organisation has stored on a marketplace."""
    require(actor, "information.see_webhooks", marketplace_id=marketplace_id)
    return Document.objects.filter(marketplace_id=marketplace_id, organisation_id=actor.organisation_id or NOBODY)


def notices(*, actor: Actor) -> QuerySet[Notice]:
    """The actor's own notices."""
    require(actor, "information.mark_notices")
    return Notice.objects.filter(person_id=actor.person_id or NOBODY)


def unread_count(person_id: UUID) -> int:
    """How many notices a person has not read; counts up to 100."""
    return Notice.objects.filter(person_id=person_id, read_at=None)[:UNREAD_SHOWN_MAX].count()


def endpoints(*, actor: Actor, marketplace_id: UUID) -> QuerySet[Endpoint]:
    """The endpoints of the actor's organisation on a marketplace."""
    require(actor, "information.see_webhooks", marketplace_id=marketplace_id)
    return Endpoint.objects.filter(marketplace_id=marketplace_id, organisation_id=actor.organisation_id or NOBODY)


def endpoint_of(*, actor: Actor, marketplace_id: UUID, endpoint_id: UUID) -> Endpoint:
    """One endpoint of the actor's organisation on a marketplace, else `information.no_endpoint`."""
    found = endpoints(actor=actor, marketplace_id=marketplace_id).filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound(
            "information.no_endpoint",
            _("Your organisation has no webhook %(value)s here."),
            field="endpoint",
            value=str(endpoint_id),
        )
    return found


def deliveries(*, actor: Actor, marketplace_id: UUID, endpoint_id: UUID) -> QuerySet[Delivery]:
    """What was and will be sent to one endpoint."""
    endpoint = endpoint_of(actor=actor, marketplace_id=marketplace_id, endpoint_id=endpoint_id)
    return Delivery.objects.filter(endpoint=endpoint)


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event as its reader sees it. `actor_id`, a person, is shown to the person's own organisation only."""

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


@dataclass(frozen=True, slots=True)
class Feed:
    """Events after a position, in order, and where to go on: `after` of the next request."""

    events: list[FeedEvent]
    after: int
    more: bool


def feed(*, actor: Actor, marketplace_id: UUID, after: int, limit: int) -> Feed:
    """The events of a marketplace that the actor's organisation may read, above a position, without a gap.

    Positions of events that are for others are skipped, so numbers may jump; whoever goes on with `after` misses nothing,
    because the log gives a position only when nothing earlier can still come.
    """
    require(actor, "information.read_events")
    if row("SELECT 1 FROM log_pending WHERE marketplace_id = %s LIMIT 1", [marketplace_id]):
        sequencer.sequence()
    head = row("SELECT position FROM log_head WHERE marketplace_id = %s", [marketplace_id])
    top = head[0] if head else 0
    reader = actor.organisation_id
    found = rows(FEED, {"market": marketplace_id, "after": after, "head": top, "reader": reader, "limit": limit + 1})
    events = [_shown(values, reader) for values in found[:limit]]
    more = len(found) > limit
    return Feed(events, events[-1].position if more else max(after, top), more)


def _shown(values: tuple[Any, ...], reader: UUID | None) -> FeedEvent:
    position, id, kind, subject_type, subject_id, thread_id, actor_id, organisation_id, occurred_at, leaf, body = values
    return FeedEvent(
        position,
        id,
        kind,
        subject_type,
        subject_id,
        thread_id,
        actor_id if reader is not None and reader == organisation_id else None,
        organisation_id,
        occurred_at,
        bytes(leaf).hex(),
        json.loads(body) if isinstance(body, str) else body,
    )
