"""What `huangpu verify` checks here: every document's bytes are there and are what their name says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.core.files.storage import storages

from huangpu.core.verify import Check

from .models import Document
from .storage import place

CHUNK_BYTES = 1 << 20


def checks() -> Iterator[Check]:
    """One check over all distinct documents."""
    wrong, count = [], 0
    for sha256 in Document.objects.order_by().values_list("sha256", flat=True).distinct().iterator():
        count += 1
        digest = hashlib.sha256()
        try:
            with storages["documents"].open(place(sha256)) as file:
                for chunk in file.chunks(CHUNK_BYTES):
                    digest.update(chunk)
        except OSError:
            wrong.append(sha256)
            continue
        if digest.hexdigest() != sha256:
            wrong.append(sha256)
    detail = f"{count} files" if not wrong else f"missing or changed: {', '.join(wrong[:5])}"
    yield Check("information: every document's bytes are what their name says", not wrong, detail)
