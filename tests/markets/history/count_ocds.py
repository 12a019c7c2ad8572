"""Counts OCDS records with nothing but the standard library, as a second opinion on the importer.

python tests/markets/history/count_ocds.py PATH…    files or folders; one JSON object with the totals
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path


def releases(root: dict) -> list[dict]:
    """The compiled releases of a file that holds one record or a package of them."""
    if "records" in root:
        return [record["compiledRelease"] for record in root["records"]]
    return [root["compiledRelease"]] if "compiledRelease" in root else []


def count(paths: list[Path]) -> Counter[str]:
    total: Counter[str] = Counter()
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.json")))]
    for file in files:
        for release in releases(json.loads(file.read_bytes())):
            tender = release.get("tender", {})
            total["procedures"] += 1
            total["parties"] += len(release.get("parties", []))
            total["lots"] += len(tender.get("lots", []))
            total["items"] += len(tender.get("items", []))
            total["bids"] += len(release.get("bids", {}).get("details", []))
            total["awards"] += len(release.get("awards", []))
            total["contracts"] += len(release.get("contracts", []))
    return total


if __name__ == "__main__":
    print(json.dumps(count([Path(argument) for argument in sys.argv[1:]])))
