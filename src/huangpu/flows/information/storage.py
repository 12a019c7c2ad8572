"""Where documents lie: each under its own SHA-256, written whole and on the disk before anything names it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages


class DurableFiles(FileSystemStorage):
    """Files of the file system that survive a loss of power: written aside, fsynced, renamed, their folder fsynced."""

    def _save(self, name: str, content: Any) -> str:
        target = Path(self.path(name))
        if target.exists():  # the same content: the name is its hash
            os.utime(target)
            return name
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=target.parent, prefix=".part-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            Path(aside).replace(target)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        for folder in (target.parent, target.parent.parent):
            _sync_folder(folder)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        return name


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place(sha256: str) -> str:
    """The name in the storage of the bytes with this hash."""
    return f"documents/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def keep(content: bytes) -> str:
    """Writes bytes and returns their SHA-256 (hex). The same bytes are written once."""
    sha256 = hashlib.sha256(content).hexdigest()
    storages["documents"].save(place(sha256), ContentFile(content))
    return sha256


def fetch(sha256: str) -> bytes:
    """The bytes with this hash. Raises OSError when they are gone or are others: nothing false is ever served."""
    with storages["documents"].open(place(sha256)) as file:
        content: bytes = file.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise OSError(f"the file {sha256} does not hold what its name says")
    return content
