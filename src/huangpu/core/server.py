"""Whether a PostgreSQL, ours or another, can carry the house: reached, new enough, UTF-8, Chinese letters are letters."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg

from huangpu.core.postgres import DatabaseUnusable

VERSION_MIN = 150000
CONNECT_S_MAX = 5


def require_usable(url: str) -> None:
    """Connects once. Refuses with DatabaseUnusable: unreachable, not let in, older than 15, not UTF-8, LC_CTYPE not UTF-8."""
    place = without_password(url)
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_S_MAX, autocommit=True) as connection:
            version = connection.info.server_version
            if version < VERSION_MIN:
                raise DatabaseUnusable(f"{place} is PostgreSQL {version // 10000}: Huangpu needs 15 or later")
            encoding = connection.info.parameter_status("server_encoding")
            if encoding != "UTF8":
                raise DatabaseUnusable(f"{place} is encoded in {encoding}: make the database with ENCODING 'UTF8'")
            row = connection.execute(
                "SELECT datctype, upper('é') = 'É' AND '上' ~ '^[[:alpha:]]$'"
                " FROM pg_database WHERE datname = current_database()"
            ).fetchone()
    except (psycopg.Error, UnicodeError, ValueError) as wrong:
        raise DatabaseUnusable(f"{place} cannot be used: {_reason(wrong)}") from wrong
    ctype, knows_letters = row or ("", False)
    if not knows_letters:
        raise DatabaseUnusable(
            f"{place} has LC_CTYPE {ctype}, for which 上 is no letter: make it with LC_CTYPE 'C.UTF-8'"
        )


def without_password(url: str) -> str:
    """A DSN that may be shown."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return "DATABASE_URL"
    return url.replace(f":{password}@", ":***@") if password else url


def _reason(wrong: Exception) -> str:
    lines = [line.strip() for line in str(wrong).splitlines() if line.strip()]
    return lines[0].removeprefix("connection failed: ") if lines else type(wrong).__name__
