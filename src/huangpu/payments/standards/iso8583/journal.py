"""The journal of a simulated terminal: what happened, one line an entry, from which its state is folded again after a crash.

A line is the CRC-32 of the rest in eight hexadecimal digits, a space, and canonical JSON. It holds no card number and no clear
key. A crash while a line is written leaves a torn one at the end, which counts as not written.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

Entry = Mapping[str, Any]


def line(entry: Entry) -> bytes:
    """An entry as it is appended to the journal."""
    body = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    return f"{zlib.crc32(body):08x} ".encode() + body + b"\n"


def entries(journal: bytes) -> tuple[list[dict[str, Any]], int]:
    """The entries of a journal and how many bytes of it they are: a torn end is left out and must be cut off before more is
    appended. Refuses with `iso8583.journal` a line that is wrong anywhere else."""
    found: list[dict[str, Any]] = []
    good = 0
    while good < len(journal):
        end = journal.find(b"\n", good)
        if end < 0:
            break  # torn: a whole line ends
        entry = _entry(journal[good:end])
        if entry is None:
            if end + 1 == len(journal):
                break  # torn: its end was written before its beginning
            raise damaged(len(found) + 1)
        found.append(entry)
        good = end + 1
    return found, good


def _entry(text: bytes) -> dict[str, Any] | None:
    checksum, body = text[:8], text[9:]
    if text[8:9] != b" " or f"{zlib.crc32(body):08x}".encode() != checksum:
        return None
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def damaged(number: int) -> Invalid:
    """The error of a journal that cannot be read: `iso8583.journal`."""
    return Invalid(
        "iso8583.journal",
        _("Line %(value)s of the terminal's journal is damaged; the state after it cannot be known."),
        field="journal",
        value=number,
    )
