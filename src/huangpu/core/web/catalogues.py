"""The rooms' catalogues: where they are, what they lack, and their compiling by Babel (a fresh machine has no msgfmt)."""

from __future__ import annotations

import io
import os
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.apps import apps

LOCALE = "zh_Hans"
PACKAGE = Path(__file__).resolve().parents[2]


def rooms() -> dict[str, Path]:
    """The folders of the rooms by the name of their package, those of installed apps of ours only."""
    return {one.name: Path(one.path) for one in apps.get_app_configs() if one.name.split(".")[0] == "huangpu"}


def path_of(room: Path, locale: str = LOCALE) -> Path:
    """Where a room keeps its catalogue."""
    return room / "locale" / locale / "LC_MESSAGES" / "django.po"


def read(path: Path) -> Catalog:
    """A catalogue. Raises ValueError where it cannot be read, with Babel's own words."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def stale(package: Path | None = None) -> list[Path]:
    """The catalogues that are newer than what was compiled of them, or were never compiled."""
    found = []
    for source in sorted((package or PACKAGE).glob("**/locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
            found.append(source)
    return found


def compile_all(package: Path | None = None) -> list[Path]:
    """Compiles the stale catalogues of the package (by default ours) and returns them.

    Another process may be reading: each .mo is written beside its place and renamed when whole.
    """
    made = []
    for source in stale(package):
        target = source.with_suffix(".mo")
        fresh = target.with_suffix(f".mo.{os.getpid()}")
        fresh.write_bytes(compiled(read(source)))
        fresh.replace(target)
        made.append(source)
    return made
