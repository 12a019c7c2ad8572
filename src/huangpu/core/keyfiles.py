"""Secrets of an installation: files of the key folder (`HUANGPU_DATA/keys`), for their owner only, whole and on the disk before
anything refers to them. The database refers to them by name."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

FOLDER = "keys"


def read(data: Path, name: str) -> bytes:
    """The secret of that name. FileNotFoundError: there is none; ValueError: the file holds something else."""
    return bytes.fromhex((data / FOLDER / name).read_text("ascii").strip())


def read_or_make(data: Path, name: str, length: int) -> bytes:
    """The secret of that name; a new one of so many bytes where there is none. Of two processes at once one's is both's."""
    if not (data / FOLDER / name).exists():
        keep(data, name, secrets.token_bytes(length))
    return read(data, name)


def keep(data: Path, name: str, secret: bytes) -> None:
    """Writes a secret as hexadecimal digits, under a name that has none yet; what is there stays."""
    write(data / FOLDER / name, secret.hex(), replace=False)


def write(path: Path, text: str, *, replace: bool) -> bool:
    """Whole or not at all: written aside, synced, then named. Without `replace` an existing file stays; returns whether it was
    written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        if replace:
            os.replace(draft, path)
        else:
            os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True
