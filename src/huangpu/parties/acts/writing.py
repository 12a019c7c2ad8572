"""What every act of the room writes: its event, in the city's log unless a marketplace is concerned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from huangpu.core.log.record import NewEvent, record

from ..actor import Actor
from ..queries import city_id


def write_event(
    actor: Actor,
    kind: str,
    subject: tuple[str, UUID],
    payload: Mapping[str, Any],
    *,
    now: datetime,
    audience: tuple[UUID, ...] = (),
    marketplace_id: UUID | None = None,
) -> None:
    """One event. Without an audience everybody may read it: personal data goes in only where there is one."""
    record(
        [
            NewEvent(
                kind=kind,
                marketplace_id=marketplace_id or city_id(),
                subject_type=subject[0],
                subject_id=subject[1],
                occurred_at=now,
                payload=payload,
                actor_id=actor.person_id,
                organisation_id=actor.organisation_id,
                audience=audience,
            )
        ]
    )
