"""The official schemas, with the bids and lots extensions merged in (JSON merge patch, RFC 7396), and what fails them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

DATA = Path(__file__).parents[2] / "data" / "ocds"
KINDS = {
    "release": "release-schema",
    "release_package": "release-package-schema",
    "record_package": "record-package-schema",
}
EXTENSIONS = (
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_bid_extension/v1.1.5/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_lots_extension/v1.1.5/extension.json",
)


# jsonschema checks these two formats only with further packages installed, and silently passes them without.
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    """RFC 3339, section 5.6."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value):
            return False
        datetime.fromisoformat(value[:19])
    return True


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    """RFC 3986, section 3: a scheme and no character that must be escaped."""
    return not isinstance(value, str) or bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*", value))


def samples() -> list[Path]:
    """The vendored records of real publishers, in a stable order."""
    return sorted((DATA / "records").rglob("*.json"))


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


@lru_cache(maxsize=1)
def release_schema() -> dict[str, Any]:
    """OCDS 1.1.5's release schema with the bids and lots extensions."""
    merged: Any = _load("release-schema.json")
    for extension in ("bid", "lots"):
        merged = merge_patch(merged, _load(f"extensions/{extension}/release-schema.json"))
    return dict(merged)


@lru_cache(maxsize=3)
def validator(kind: str) -> jsonschema.Draft4Validator:
    """For `release`, `release_package` or `record_package`: references resolve here, nothing is fetched."""
    documents = [release_schema(), _load("versioned-release-validation-schema.json")]
    registry: Registry[Any] = Registry().with_resources(
        (document["id"], Resource.from_contents(document, default_specification=DRAFT4)) for document in documents
    )
    schema = release_schema() if kind == "release" else _load(f"{KINDS[kind]}.json")
    return jsonschema.Draft4Validator(schema, registry=registry, format_checker=FORMATS)


def failures(value: Any, kind: str) -> Iterator[tuple[str, str]]:
    """(JSON path, what the schema says) of everything in a package that fails its schema; none when it is valid."""
    for error in validator(kind).iter_errors(value):
        yield error.json_path, error.message[:200]


def _load(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / "schema" / name).read_text("utf-8")))
