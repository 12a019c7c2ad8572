"""Releases of one process → its compiled release (OCDS 1.1, «Merging»): later values replace earlier ones, null removes,
objects merge by key, lists of objects with ids merge by id, other lists are replaced whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Values that are lists of objects yet are replaced whole, by the standard's `wholeListMerge`, or simple enough to be.
WHOLE = frozenset({"additionalClassifications", "additionalIdentifiers", "changes", "tag"})
ALONE = frozenset({"id", "date", "tag"})  # of the release itself: the compiled one has its own


def compiled(releases: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The compiled release of releases of one ocid, oldest first by their `date` (RFC 3339 text in UTC or any one zone).

    It carries the newest date, the tag `compiled`, and the id «ocid-date» as the standard suggests.
    """
    ordered = sorted(releases, key=lambda release: str(release.get("date") or ""))
    merged: dict[str, Any] = {}
    for release in ordered:
        merged = _object(merged, {key: value for key, value in release.items() if key not in ALONE})
    date = next((str(item["date"]) for item in reversed(ordered) if item.get("date")), "")
    merged |= {"tag": ["compiled"], "id": f"{merged.get('ocid', '')}-{date}"}
    return merged | ({"date": date} if date else {})


def _object(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _value(key, merged.get(key), value)
    return merged


def _value(key: str, old: Any, new: Any) -> Any:
    if isinstance(new, dict):
        return _object(old if isinstance(old, dict) else {}, new)
    if isinstance(new, list) and isinstance(old, list) and key not in WHOLE and _have_ids(old) and _have_ids(new):
        by_id = {str(entry["id"]): entry for entry in old}
        for entry in new:
            known = by_id.get(str(entry["id"]), {})
            by_id[str(entry["id"])] = _object(known, entry)
        return list(by_id.values())
    return new


def _have_ids(entries: list[Any]) -> bool:
    return all(isinstance(entry, dict) and entry.get("id") not in (None, "") for entry in entries)
