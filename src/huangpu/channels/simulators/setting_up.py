"""Makes the simulated banks the providers of an installation: their secrets, and the file that names them."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from huangpu.payments.gateway.configured import FILE, SECRET_BYTES

from .banks import BANKS


def are_providers(data: Path) -> bool:
    """Whether an installation's providers are the simulated banks, all or some, and no other."""
    path = data / FILE
    return path.exists() and set(json.loads(path.read_text("utf-8"))) <= set(BANKS)


def set_up(data: Path, address: str) -> None:
    """Writes `providers.json` for banks that answer at `address`, where there is none or it names simulated ones; keeps the
    secrets that there are. A file that names real providers is left alone."""
    path = data / FILE
    if path.exists() and not are_providers(data):
        return
    told = {
        name: {
            "title": title,
            "address": f"{address}/{name}",
            "pages": f"{address}/{name}",
            "secret": f"provider-{name}",
        }
        for name, title in BANKS.items()
    }
    (data / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in BANKS:
        _secret(data / "keys" / f"provider-{name}")
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    aside.replace(path)


def _secret(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(SECRET_BYTES))
