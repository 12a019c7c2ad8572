"""Secrets of an installation: each a file of the key folder (`HUANGPU_DATA/keys`) with hexadecimal digits, for its owner
only. The database refers to them by name."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

FOLDER = "keys"


def read(data: Path, name: str) -> bytes:
    """The secret of that name. FileNotFoundError: there is none; ValueError: the file holds something else."""
    return bytes.fromhex((data / FOLDER / name).read_text("ascii").strip())


def read_or_make(data: Path, name: str, length: int) -> bytes:
    """The secret of that name; a new one of so many bytes where there is none, whole and on the disk before it is used. Of two
    processes at once one's is both's."""
    path = data / FOLDER / name
    if not path.exists():
        keep(data, name, secrets.token_bytes(length))
    return read(data, name)


def keep(data: Path, name: str, secret: bytes) -> None:
    """Writes a secret under a name that has none yet; what is there stays."""
    path = data / FOLDER / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{name}-{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret.hex())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
