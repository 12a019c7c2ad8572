"""What every page knows: how many notices wait for its reader."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .queries import unread_count


def notice_count(request: HttpRequest) -> dict[str, Any]:
    """`notice_count`: a number up to 100, counted only where a template shows it."""
    person_id = getattr(getattr(request, "actor", None), "person_id", None)
    return {"notice_count": SimpleLazyObject(lambda: unread_count(person_id)) if person_id else 0}
