"""What became of a file, field by field: what was left out and why, and what was read otherwise than it was written."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

NOTES_MAX = 5_000  # of one file; the counts go on

LEFT_OUT = "left_out"
READ_AS = "read_as"

# Why a field is left out (or read otherwise), by stable code. The words people read are in `words.py` of the room.
REASONS = (
    "value.empty",  # an empty string, null, list or object: nothing was said
    "value.type",  # another JSON type than the standard's
    "value.too_long",
    "amount.invalid",  # not a decimal, negative, or larger than an account can hold
    "amount.too_fine",  # more decimals than the currency has: a sum is never rounded on the way in
    "amount.text",  # read_as: a decimal written as a string
    "currency.missing",
    "currency.unknown",
    "currency.case",  # read_as: lower case
    "quantity.invalid",
    "unit.unknown",
    "unit.mapped",  # read_as: a name or another code, by the table of units
    "instant.invalid",
    "instant.no_zone",  # read_as: taken as UTC
    "code.unknown",
    "code.mapped",  # read_as: a publisher's own word, by the table of words
    "language.mapped",
    "url.invalid",
    "reference.dangling",  # names a party, lot or award that is not there
    "id.missing",
    "id.duplicate",
    "identifier.invalid",
    "personal.data",  # contact persons: not needed for history, so not kept
    "section.superseded",  # earlier releases beside the compiled one
    "field.unmapped",  # the room has no place for it
)


@dataclass(frozen=True, slots=True)
class Note:
    """One place of a file: `kind` is left_out or read_as, `path` a JSON path, `value` the beginning of what stood there."""

    kind: str
    path: str
    reason: str
    value: str = ""


@dataclass(slots=True)
class Report:
    """Notes of one file, bounded; `counts` never lose one: (kind, path with [*] for every index, reason) → times."""

    notes: list[Note] = field(default_factory=list)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def left_out(self, path: str, reason: str, value: object = "") -> None:
        self._note(LEFT_OUT, path, reason, value)

    def read_as(self, path: str, reason: str, value: object = "") -> None:
        self._note(READ_AS, path, reason, value)

    def _note(self, kind: str, path: str, reason: str, value: object) -> None:
        self.counts[kind, re.sub(r"\[\d+\]", "[*]", path), reason] += 1
        if len(self.notes) < NOTES_MAX:
            self.notes.append(Note(kind, path, reason, str(value)[:60]))
