"""Identity of things: UUIDv7 (RFC 9562, section 5.7), made here because PostgreSQL makes it only from version 18."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new time-ordered id: 48 bits of Unix milliseconds, then a counter in the process (it never goes back) and chance.

    The 12 bits after the version carry a sub-millisecond fraction (RFC 9562, method 3), so that ids made by one process
    sort in the order in which they were made.
    """
    global _last
    with _lock:
        stamp = time.time_ns() * 4096 // 1_000_000
        if stamp <= _last:
            stamp = _last + 1
        _last = stamp
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=value | int.from_bytes(os.urandom(8), "big") >> 2)


def uuid7_of(parent: UUID, *names: object) -> UUID:
    """The id of what follows from something else once for each of these names: it stands at its parent's time, and is the
    same however often it is made. The parent is a UUIDv7; the last 62 bits are of a SHA-256."""
    digest = hashlib.sha256("|".join(map(str, (parent, *names))).encode()).digest()
    return UUID(int=parent.int >> 64 << 64 | 0b10 << 62 | int.from_bytes(digest[:8], "big") >> 2)


def uuid8(digest: bytes) -> UUID:
    """A UUIDv8 (RFC 9562, section 5.8) from the first 122 bits of a hash: the id of what is known by what it is."""
    value = bytearray(digest[:16])
    value[6] = value[6] & 0x0F | 0x80
    value[8] = value[8] & 0x3F | 0x80
    return UUID(bytes=bytes(value))


def instant_of(id: UUID) -> datetime:
    """The instant (UTC, to the millisecond) at which a UUIDv7 was made."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)


def first_uuid7_at(instant: datetime) -> UUID:
    """The smallest UUIDv7 of an instant: the bound of a partition by time."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)
