"""The log is complete: every event has its leaf and its place, positions are dense, hashes are what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

from ..verify import Check, none_of
from .models import Event, Payload
from .record import NewEvent, leaf_hash, payload_hash
from .sequencer import sequence

SAMPLE = 2000  # events whose hashes are computed again: all while they are few, then the newest

UNPLACED = """
SELECT count(*) FROM log_event e LEFT JOIN log_position p ON p.event_id = e.id LEFT JOIN log_pending w ON w.event_id = e.id
WHERE p.event_id IS NULL AND w.event_id IS NULL
"""
GAPS = """
SELECT count(*) FROM (SELECT marketplace_id FROM log_position GROUP BY 1
HAVING count(*) <> max(position) OR min(position) <> 1) gaps
"""
HEADS = """
SELECT count(*) FROM log_head h WHERE h.position <> (SELECT max(position) FROM log_position p
WHERE p.marketplace_id = h.marketplace_id)
"""


def checks() -> Iterator[Check]:
    sequence()
    yield none_of("log", "events without a place in the order", UNPLACED)
    yield none_of("log", "marketplaces with a gap in their order", GAPS)
    yield none_of("log", "heads that differ from their last position", HEADS)
    yield _hashes()


def _hashes() -> Check:
    computed, wrong = differing(SAMPLE)
    return Check(
        "log: no event differs from its leaf", not wrong, ", ".join(map(str, wrong[:5])) or f"{computed} computed"
    )


def differing(newest: int | None) -> tuple[int, list[UUID]]:
    """Computes the leaves of the newest events (None: of all) again. Returns how many, and those that differ."""
    computed, wrong = 0, []
    chosen = Event.objects.order_by("-id").values_list("pk", flat=True)[:newest]
    for ids in _batches(chosen.iterator(), SAMPLE):
        payloads = Payload.objects.in_bulk(ids)
        for event in Event.objects.filter(pk__in=ids):
            computed += 1
            if not _intact(event, payloads.get(event.pk)):
                wrong.append(event.pk)
    return computed, wrong


def _batches(ids: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    rest = iter(ids)
    while batch := list(islice(rest, size)):
        yield batch


def _intact(event: Event, payload: Payload | None) -> bool:
    committed = bytes(event.payload_hash)
    if payload is not None and payload_hash(bytes(payload.salt), payload.body) != committed:
        return False
    header = NewEvent(
        kind=event.kind, marketplace_id=event.marketplace_id, subject_type=event.subject_type, subject_id=event.subject_id,
        occurred_at=event.occurred_at, payload={}, thread_id=event.thread_id, actor_id=event.actor_id,
        organisation_id=event.organisation_id, id=event.pk,
    )  # fmt: skip
    return leaf_hash(header, committed) == bytes(event.leaf)
