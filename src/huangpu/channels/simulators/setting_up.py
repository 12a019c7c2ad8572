"""Makes the simulated banks the providers of an installation: their secrets, and the file that names them."""

from __future__ import annotations

import json
from pathlib import Path

from huangpu.core import keyfiles
from huangpu.payments.gateway.configured import FILE, SECRET_BYTES

from .banks import AT_ONCE, BANKS


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
            "payable": name not in AT_ONCE,
        }
        for name, title in BANKS.items()
    }
    for name in BANKS:
        keyfiles.read_or_make(data, f"provider-{name}", SECRET_BYTES)
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    aside.replace(path)
