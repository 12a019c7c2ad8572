"""Writing the log: `record` is called by every act, in the act's own transaction, with all its events at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ..canonical import canonical, canonical_texts, write_json
from ..clock import rfc3339
from ..db import execute
from ..ids import uuid7


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be written. The payload holds only what JSON and RFC 8785 can write: no floats, integers
    below 2**53, decimals as plain text, instants by `clock.rfc3339`, codes and parameters rather than sentences."""

    kind: str
    marketplace_id: UUID
    subject_type: str
    subject_id: UUID
    occurred_at: datetime
    payload: Mapping[str, Any]
    thread_id: UUID | None = None  # default: the subject itself
    actor_id: UUID | None = None
    organisation_id: UUID | None = None
    audience: tuple[UUID, ...] = ()
    id: UUID = field(default_factory=uuid7)


def payload_hash(salt: bytes, payload: Mapping[str, Any]) -> bytes:
    """SHA-256 over the salt and the payload's RFC 8785 bytes: a commitment that tells nothing once the salt is gone."""
    return hashlib.sha256(salt + canonical(dict(payload))).digest()


def leaf_hash(event: NewEvent, committed: bytes) -> bytes:
    """The RFC 6962 leaf of an event: SHA-256(0x00 ‖ JCS(header)); `committed` is its `payload_hash`."""
    header: dict[str, Any] = {
        "id": str(event.id),
        "marketplace": str(event.marketplace_id),
        "kind": event.kind,
        "subject": [event.subject_type, str(event.subject_id)],
        "thread": str(event.thread_id or event.subject_id),
        "actor": str(event.actor_id) if event.actor_id else None,
        "organisation": str(event.organisation_id) if event.organisation_id else None,
        "occurred_at": rfc3339(event.occurred_at),
        "payload_hash": committed.hex(),
    }
    return hashlib.sha256(b"\x00" + canonical_texts(header)).digest()


def record(events: Iterable[NewEvent]) -> None:
    """Writes events, their payloads and their places in the queue of the sequencer: one statement for any number."""
    batch = [told(event) for event in events]
    if batch:
        execute("SELECT log_record(%s::jsonb)", [write_json(batch)])


def told(event: NewEvent) -> dict[str, Any]:
    """An event as the database's function `log_record` takes it, for an act whose own statement calls that one."""
    salt = os.urandom(16)
    committed = payload_hash(salt, event.payload)
    return {
        "id": event.id,
        "marketplace_id": event.marketplace_id,
        "kind": event.kind,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "thread_id": event.thread_id or event.subject_id,
        "actor_id": event.actor_id,
        "organisation_id": event.organisation_id,
        "occurred_at": event.occurred_at,
        "payload_hash": committed.hex(),
        "leaf": leaf_hash(event, committed).hex(),
        "audience": event.audience,
        "salt": salt.hex(),
        "body": dict(event.payload),
    }
