"""Documents and notices. What concerns webhooks is in `webhooks.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, rows
from huangpu.core.errors import Invalid
from huangpu.core.ids import uuid7
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
def notify(
    *,
    marketplace_id: UUID,
    organisation_ids: Iterable[UUID],
    kind: str,
    params: Mapping[str, Any],
    link: str,
    now: datetime,
) -> int:
    """Tells every member of organisations something; returns how many persons were told. Letters go out after commit.

    `kind` must be declared (`sentences.declare`), `link` an address of ours such as "/m/harbour/tenders/…".
    """
    if not sentences.is_declared(kind):
        raise ValueError(f"no room's notices.py declares the notice {kind!r}")
    if link and (not link.startswith("/") or link.startswith("//") or "\\" in link):
        raise ValueError(f"a notice links to an address of ours, not to {link!r}")
    people = rows(PEOPLE, [sorted(set(organisation_ids))])
    new = [
        Notice(
            id=uuid7(),
            marketplace_id=marketplace_id,
            organisation_id=organisation_id,
            person_id=person_id,
            kind=kind,
            params=dict(params),
            link=link,
            created_at=now,
        )
        for organisation_id, person_id, _mailed in people
    ]
    Notice.objects.bulk_create(new)
    _mail_after_commit([notice.pk for notice, (_o, _p, mailed) in zip(new, people, strict=True) if mailed])
    return len(new)


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
