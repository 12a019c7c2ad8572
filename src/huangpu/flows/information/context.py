"""What every page knows: how many notices wait for its reader, and how large a document may be."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .queries import unread_count


def notice_count(request: HttpRequest) -> dict[str, Any]:
    """`notice_count`: a number up to 100, counted only where a template shows it."""
    person_id = getattr(getattr(request, "actor", None), "person_id", None)
    return {"notice_count": SimpleLazyObject(lambda: unread_count(person_id)) if person_id else 0}


def document_limit(request: HttpRequest) -> dict[str, int]:  # noqa: ARG001
    """`document_bytes_max`, for the forms that take a file."""
    return {"document_bytes_max": settings.HUANGPU.document_bytes_max}
