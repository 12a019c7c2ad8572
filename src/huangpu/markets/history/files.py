"""Files and folders of published data, taken one after the other: each is a transaction of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from huangpu.parties.actor import Actor

from .acts import Outcome, import_file
from .standards.ocds.document import Broken
from .standards.ocds.read import read

TRIES_MAX = 3  # two imports at once may both make the same organisation: the second looks again and finds it


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file: exactly one of `outcome`, `skipped` (why it is no data) and `broken` says it."""

    file: Path
    outcome: Outcome | None = None
    skipped: str = ""
    broken: Broken | None = None

    @property
    def kind(self) -> str:
        if self.broken:
            return "refused"
        if self.outcome is None:
            return "skipped"
        return "taken" if self.outcome.imported or self.outcome.updated else "unchanged"


@dataclass(slots=True)
class Summary:
    """What became of all files together."""

    files: Counter[str] = field(default_factory=Counter)
    procedures: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    notes: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # kind, path with [*], reason
    skipped: list[tuple[str, str]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def add(self, taken: Taken) -> None:
        self.files[taken.kind] += 1
        if taken.broken:
            at = taken.broken
            self.refused.append(
                {"file": str(taken.file), "reason": at.code, "place": at.place, "byte": at.byte, "found": at.detail}
            )
        elif taken.outcome is None:
            self.skipped.append((str(taken.file), taken.skipped))
        else:
            for what in ("imported", "updated", "unchanged", "older"):
                self.procedures[what] += len(getattr(taken.outcome, what))
            self.counts.update(taken.outcome.counts)
            self.notes.update(taken.outcome.report.counts)

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines: `left_out` and `read_as` by path and reason with how often."""
        notes = [
            {"kind": kind, "path": path, "reason": reason, "times": times}
            for (kind, path, reason), times in sorted(self.notes.items())
        ]
        return {
            "files": dict(self.files),
            "procedures": dict(self.procedures),
            "counts": dict(self.counts),
            "left_out": [note for note in notes if note["kind"] == "left_out"],
            "read_as": [note for note in notes if note["kind"] == "read_as"],
            "skipped": [{"file": file, "because": why} for file, why in self.skipped],
            "refused": self.refused,
        }


def found(paths: Iterable[Path]) -> list[Path]:
    """The files named, and every *.json in the folders named and below them, each once, in the order of their names."""
    files: dict[Path, None] = {}
    for path in paths:
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            if not file.is_dir():
                files[file] = None
    return list(files)


def take(file: Path, *, actor: Actor, marketplace_id: UUID, clock: Callable[[], datetime]) -> Taken:
    """Reads one file and keeps what it holds. A broken one changes nothing and says where it broke."""
    try:
        imported = read(file)
    except Broken as broken:
        return Taken(file, broken=broken)
    if imported.skipped:
        return Taken(file, skipped=imported.skipped)
    for left in reversed(range(TRIES_MAX)):
        try:
            outcome = import_file(
                actor=actor, marketplace_id=marketplace_id, file=file.name, imported=imported, now=clock()
            )
            return Taken(file, outcome=outcome)
        except IntegrityError:
            if not left:
                raise
    raise AssertionError("every try returns or raises")
