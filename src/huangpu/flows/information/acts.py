"""Documents and notices. What concerns webhooks is in `webhooks.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, lock, rows
from huangpu.core.errors import Invalid, NotFound
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.jobs import enqueue
from huangpu.core.log.record import NewEvent, record
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require

from . import media, sentences, storage
from .models import Document, Notice

AUDIENCE_MAX = 1000
MAIL_BATCH = 100

PEOPLE = """
SELECT member.organisation_id, person.id, person.email <> ''
FROM parties_membership member JOIN parties_person person ON person.id = member.person_id AND person.is_active
WHERE member.ended_at IS NULL AND member.organisation_id = ANY(%s) ORDER BY 1, 2
"""


@act
def store_document(
    *,
    actor: Actor,
    marketplace_id: UUID,
    content: bytes,
    filename: str,
    audience: list[UUID],
    now: datetime,
) -> Document:
    """Stores a file of the actor's organisation. `audience`: the organisations that may read it; empty: everybody.

    The bytes are on the disk before the row that names them. Refuses `information.empty`, `information.too_large`,
    `information.filename`, `information.media_type`, `information.extension`, `information.audience`.
    """
    require(actor, "information.store_document", marketplace_id=marketplace_id)
    limit = settings.HUANGPU.document_bytes_max
    if len(content) > limit:
        raise Invalid(
            "information.too_large",
            _("The file has %(value)s bytes; at most %(most)s are accepted."),
            field="content",
            value=len(content),
            most=limit,
        )
    if len(audience) > AUDIENCE_MAX:
        raise Invalid(
            "information.audience",
            _("A document is for at most %(most)s organisations, not %(value)s."),
            field="audience",
            value=len(audience),
            most=AUDIENCE_MAX,
        )
    name = media.clean_filename(filename)
    media_type = media.media_type_of(content, name)
    document = Document.objects.create(
        marketplace_id=marketplace_id,
        organisation_id=actor.organisation_id or UUID(int=0),
        person_id=actor.person_id,
        sha256=storage.keep(content),
        size=len(content),
        media_type=media_type,
        filename=name,
        audience=sorted(set(audience)),
        created_at=now,
    )
    record([_stored(document, actor, now)])
    return document


def _stored(document: Document, actor: Actor, now: datetime) -> NewEvent:
    readers = {*document.audience, document.organisation_id} if document.audience else set()
    return NewEvent(
        kind="document.stored",
        marketplace_id=document.marketplace_id,
        subject_type="document",
        subject_id=document.pk,
        occurred_at=now,
        actor_id=actor.person_id,
        organisation_id=actor.organisation_id,
        audience=tuple(sorted(readers)),
        payload={
            "filename": document.filename,
            "media_type": document.media_type,
            "size": document.size,
            "sha256": document.sha256,
        },
    )


@act
def share(
    *, actor: Actor, marketplace_id: UUID, document_ids: Sequence[UUID], organisation_ids: Collection[UUID] | None
) -> list[Document]:
    """Lets other organisations read documents of the actor's own, besides who may already; None: everybody. Returns the
    documents in the order asked for. The act that shares them tells of it in its own event.

    Refuses a document that is not the organisation's own, or of another marketplace, with `information.no_document`.
    """
    found = lock(Document, document_ids)
    for id in document_ids:
        document = found.get(id)
        own = document is not None and actor.organisation_id == document.organisation_id
        if document is None or not own or document.marketplace_id != marketplace_id:
            raise NotFound(
                "information.no_document",
                _("There is no document %(value)s, or it is not for you."),
                field="documents",
                value=str(id),
            )
        # an empty audience is everybody; to share with some takes nothing from anybody
        readers = (
            sorted({*document.audience, *organisation_ids})
            if organisation_ids is not None and document.audience
            else []
        )
        if readers != document.audience:
            document.audience = readers
            document.save(update_fields=["audience"])
    return [found[id] for id in document_ids]


@dataclass(frozen=True, slots=True)
class News:
    """Something that the members of organisations should know. `kind` must be declared (`sentences.declare`), `link` an
    address of ours such as "/m/harbour/tenders/…". With `event_id` a notice's id follows from event and
    person, so that nobody is told of an event twice; `but` is who needs not be told, having done it."""

    marketplace_id: UUID
    organisation_ids: Collection[UUID]
    kind: str
    params: Mapping[str, Any]
    link: str
    now: datetime
    event_id: UUID | None = None
    but: UUID | None = None


@act
def notify(
    *,
    marketplace_id: UUID,
    organisation_ids: Iterable[UUID],
    kind: str,
    params: Mapping[str, Any],
    link: str,
    now: datetime,
) -> int:
    """Tells every member of organisations something; returns how many notices were written. Letters go out after commit.

    See `News` for what `kind` and `link` must be.
    """
    return notify_all([News(marketplace_id, set(organisation_ids), kind, params, link, now)])


@act
def notify_all(news: Sequence[News]) -> int:
    """Tells many things at once, in a few statements however many; returns how many notices that are."""
    for one in news:
        _check(one)
    members: dict[UUID, list[tuple[UUID, bool]]] = {}
    for organisation_id, person_id, mailed in rows(
        PEOPLE, [sorted({id for one in news for id in one.organisation_ids})]
    ):
        members.setdefault(organisation_id, []).append((person_id, mailed))
    new: list[Notice] = []
    mail: set[UUID] = set()
    for one in news:
        told: set[UUID] = set()
        for organisation_id in sorted(set(one.organisation_ids)):
            for person_id, mailed in members.get(organisation_id, ()):
                if person_id == one.but or (one.event_id and person_id in told):
                    continue
                told.add(person_id)
                new.append(_notice(one, organisation_id, person_id))
                if mailed:
                    mail.add(new[-1].pk)
    Notice.objects.bulk_create(new, ignore_conflicts=True)  # told of that event before: not again
    _mail_after_commit([notice.pk for notice in new if notice.pk in mail])
    return len(new)


def _notice(news: News, organisation_id: UUID, person_id: UUID) -> Notice:
    return Notice(
        id=uuid7_of(news.event_id, person_id) if news.event_id else uuid7(),
        marketplace_id=news.marketplace_id,
        organisation_id=organisation_id,
        person_id=person_id,
        kind=news.kind,
        params=dict(news.params),
        link=news.link,
        created_at=news.now,
    )


def _check(news: News) -> None:
    link = news.link
    if not sentences.is_declared(news.kind):
        raise ValueError(f"no room's notices.py declares the notice {news.kind!r}")
    if link and (not link.startswith("/") or link.startswith("//") or "\\" in link):
        raise ValueError(f"a notice links to an address of ours, not to {link!r}")


def _mail_after_commit(ids: list[UUID]) -> None:
    """Jobs that exist exactly when this transaction commits."""
    from .jobs import mail_notices

    for start in range(0, len(ids), MAIL_BATCH):
        enqueue(mail_notices, ids=[str(id) for id in ids[start : start + MAIL_BATCH]])


@act
def mark_notices(*, actor: Actor, ids: Iterable[UUID] | None, read: bool, now: datetime) -> int:
    """Marks the actor's own notices as read or unread, all of them with `ids=None`; returns how many changed."""
    require(actor, "information.mark_notices")
    own = Notice.objects.filter(person_id=actor.person_id or UUID(int=0), read_at__isnull=read)
    if ids is not None:
        own = own.filter(pk__in=set(ids))
    return own.update(read_at=now if read else None)
