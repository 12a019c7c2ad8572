"""The providers of an installation: the file `providers.json` of its data folder, read when a process starts.

    {"pujiang": {"title": {"en": "Pujiang Bank", "zh-hans": "浦江银行"}, "address": "https://…", "pages": "https://…",
                 "secret": "provider-pujiang"}}

`"payable": false` is for an acquirer of terminals, which no payer chooses. `secret` names a file of the key folder
(`HUANGPU_DATA/keys`) that holds it as hexadecimal digits: no secret is in the file itself. A wrong file stops
the start with its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huangpu.core import keyfiles

from .over_http import HttpProvider
from .provider import register

FILE = "providers.json"
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
SECRET_BYTES = 24


class NotConfigured(Exception):
    """The file cannot be used; the message says why, with its name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One provider of the file, its secret read."""

    name: str
    title: Mapping[str, str]
    address: str
    pages: str
    secret: bytes
    payable: bool


def read(data: Path) -> list[Line]:
    """The providers of a data folder; none where there is no file. Raises NotConfigured."""
    path = data / FILE
    try:
        told = json.loads(path.read_text("utf-8"))
        return [_line(data, name, line) for name, line in told.items()]
    except FileNotFoundError as missing:
        if missing.filename == str(path):
            return []
        raise NotConfigured(f"{path}: {missing}") from missing
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as wrong:
        raise NotConfigured(f"{path} cannot be used: {wrong}") from wrong


def register_all(data: Path) -> None:
    """Makes the providers of a data folder known in this process."""
    for line in read(data):
        there = HttpProvider(line.address, line.pages, line.secret)
        register(line.name, there, title=line.title, payable=line.payable)


def _line(data: Path, name: str, told: Mapping[str, object]) -> Line:
    if not NAME.fullmatch(name):
        raise ValueError(f"“{name}” is no name: small letters, digits and hyphens, 31 at most")
    title = told["title"]
    if not isinstance(title, dict) or not {"en", "zh-hans"} <= set(title):
        raise ValueError(f"{name}: a title in en and zh-hans is missing")
    address, pages, secret = (str(told[key]).rstrip("/") for key in ("address", "pages", "secret"))
    for url in (address, pages):
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"{name}: “{url}” is no address; it begins with https://")
    if not NAME.fullmatch(secret):
        raise ValueError(f"{name}: “{secret}” is no name of a file of the key folder")
    found = keyfiles.read(data, secret)
    if len(found) < SECRET_BYTES:
        raise ValueError(f"{name}: the secret has {len(found)} bytes; it needs {SECRET_BYTES} at least")
    return Line(name, title, address, pages, found, told.get("payable") is not False)
