"""The vendored front-end files are what the lock says, and nothing else is there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import huangpu.core.web

VENDOR = Path(huangpu.core.web.__file__).parent / "static/vendor"
LOCK = json.loads((VENDOR / "vendor.lock.json").read_text())


def test_every_vendored_file_has_the_sum_in_the_lock() -> None:
    for row in LOCK:
        content = (VENDOR / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], row["file"]


def test_no_file_stands_beside_the_lock() -> None:
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert there - {"vendor.lock.json"} == {row["file"] for row in LOCK}


def test_every_package_names_its_version_and_licence_and_brings_its_text() -> None:
    for package in {row["package"] for row in LOCK}:
        rows = [row for row in LOCK if row["package"] == package]
        assert all(row["version"] and row["licence"] and row["source"] for row in rows)
        assert any(row["file"].startswith("licences/") for row in rows), package
