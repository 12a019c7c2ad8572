"""The environment, read once, checked at once: a wrong value stops the start with its name."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

LOCK_WAIT_MS_MAX = 3000  # so long a request waits for another's lock; then it is told to try again


class SettingError(SystemExit):
    """A setting that cannot be used. Printed as one line; the process ends with status 2."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(2)
        print(f"huangpu: {name}={value!r} cannot be used: {wanted}", file=sys.stderr)


@dataclass(frozen=True)
class Environment:
    """Everything the process was told, typed."""

    data: Path
    database_url: str | None  # None: the embedded PostgreSQL in `data`
    owner_url: str | None  # who migrates; None: the same as database_url
    host: str
    port: int
    live_port: int
    simulators_port: int  # where the simulated banks of the demo answer
    simulators_for: str  # the address of the platform that they tell, and to which payers go back
    pos_port: int  # where card terminals are served; 0: nowhere
    workers: int
    debug: bool
    demo: bool
    https: bool
    allowed_hosts: list[str]
    trusted_origins: list[str]
    secret_key: str
    mail_url: str  # smtp://USER:PASSWORD@HOST:PORT, smtps:// with TLS from the start; empty: files in `data`/mail
    mail_from: str
    document_bytes_max: int
    webhook_allow_private: bool  # for tests and the demo only
    as_owner: bool  # set by `huangpu migrate` for itself

    @property
    def database(self) -> dict[str, Any]:
        """Django's settings for the role that runs the house, or for the owner in a process that migrates."""
        if self.as_owner:  # a migration waits as long as it takes
            return django_database(self.owner)
        found = django_database(self.application)
        given = found["OPTIONS"].get("options", "")
        found["OPTIONS"]["options"] = f"-c lock_timeout={LOCK_WAIT_MS_MAX} {given}".strip()
        return found

    @property
    def application(self) -> str:
        """The DSN at run time."""
        return self.database_url or embedded_url(self.data)

    @property
    def owner(self) -> str:
        """The DSN for migrations."""
        from huangpu.core.postgres import OWNER

        return self.owner_url or self.database_url or embedded_url(self.data, OWNER)

    @property
    def public_url(self) -> str:
        return _address(self.https, self.host, self.port)

    @property
    def pos_host(self) -> str:
        """Where a terminal of this machine finds the listener."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    @property
    def simulators_url(self) -> str:
        return _address(False, self.host, self.simulators_port)


def _address(https: bool, host: str, port: int) -> str:
    public = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    return f"http{'s' if https else ''}://{public}:{port}"


def embedded_url(data: Path, role: str = "huangpu_app") -> str:
    """The address of the embedded PostgreSQL of a data folder: a socket that only this machine reaches."""
    from huangpu.core.postgres import DATABASE, socket_folder

    return f"postgresql://{role}@/{DATABASE}?host={socket_folder(data)}"


def django_database(url: str) -> dict[str, Any]:
    """Django's settings for a DSN such as postgresql://user:password@host:5432/name?sslmode=require."""
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:
        raise SettingError("DATABASE_URL", "…", "write postgresql://USER:PASSWORD@HOST:PORT/NAME") from None
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise SettingError("DATABASE_URL", _hidden(url), "write postgresql://USER:PASSWORD@HOST:PORT/NAME")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": port,
        "OPTIONS": {
            "prepare_threshold": 2,
            **query,
        },  # the acts' own statements are planned once a connection (core/db.py)
    }


@cache
def environment() -> Environment:
    """The environment of this process. Only PG_BIN is read elsewhere, by the keeper, which knows no settings."""
    data = Path(os.environ.get("HUANGPU_DATA", "var")).absolute()
    host = os.environ.get("HUANGPU_HOST", "127.0.0.1")
    port = _integer("HUANGPU_PORT", 8000, 1, 65535)
    https = _flag("HUANGPU_HTTPS", False)
    hosts = [name for name in os.environ.get("HUANGPU_ALLOWED_HOSTS", "").split(",") if name]
    simulators_for = os.environ.get("HUANGPU_SIMULATORS_FOR") or _address(https, host, port)
    return Environment(
        data=data,
        database_url=os.environ.get("DATABASE_URL") or None,
        owner_url=os.environ.get("HUANGPU_OWNER_URL") or None,
        host=host,
        port=port,
        live_port=_integer("HUANGPU_LIVE_PORT", port + 1, 1, 65535),
        simulators_port=_integer("HUANGPU_SIMULATORS_PORT", port + 2, 1, 65535),
        simulators_for=simulators_for.rstrip("/"),
        pos_port=_integer("HUANGPU_POS_PORT", port + 3 if _flag("HUANGPU_DEMO", False) else 0, 0, 65535),
        workers=_integer("HUANGPU_WORKERS", max(2, os.cpu_count() or 2), 1, 256),
        debug=_flag("HUANGPU_DEBUG", False),
        demo=_flag("HUANGPU_DEMO", False),
        https=https,
        allowed_hosts=hosts or ["localhost", "127.0.0.1", "[::1]", "testserver"],
        trusted_origins=[f"https://{name}" for name in hosts] if https else [],
        secret_key=os.environ.get("HUANGPU_SECRET_KEY") or _kept_secret(data / "secret-key"),
        mail_url=_mail_url(os.environ.get("HUANGPU_MAIL_URL", "")),
        mail_from=os.environ.get("HUANGPU_MAIL_FROM") or "huangpu@localhost",
        document_bytes_max=_integer("HUANGPU_DOCUMENT_MB_MAX", 20, 1, 1024) * 1024 * 1024,
        webhook_allow_private=_flag("HUANGPU_WEBHOOK_ALLOW_PRIVATE", False),
        as_owner=_flag("HUANGPU_AS_OWNER", False),
    )


def _integer(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return min(default, high)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise SettingError(name, text, f"write a whole number from {low} to {high}")
    return int(text)


def _flag(name: str, default: bool) -> bool:
    text = os.environ.get(name, "").lower()
    if text not in ("", "0", "1", "true", "false", "yes", "no"):
        raise SettingError(name, text, "write 1 or 0")
    return default if not text else text in ("1", "true", "yes")


def _mail_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = not url or (parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise SettingError("HUANGPU_MAIL_URL", "…", "write smtp://USER:PASSWORD@HOST:PORT or smtps://…")
    return url


def mail_settings(url: str, data: Path) -> dict[str, Any]:
    """Django's settings for a mail server's address; without one, letters are written as files under `data`/mail."""
    if not url:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": str(data / "mail"),
        }
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if tls else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": tls,
        "EMAIL_USE_TLS": not tls and bool(parts.username),
        "EMAIL_TIMEOUT": 20,
    }


def _kept_secret(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    except OSError as wrong:
        raise SettingError("HUANGPU_DATA", str(path.parent), f"it cannot be written: {wrong.strerror}") from wrong
    secret = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    return secret


def _hidden(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url
