"""How a document is given out: as an attachment that no browser opens as a page of ours."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from . import storage
from .models import Document


def serve(document: Document) -> HttpResponse:
    """The bytes of a document that the caller has already been allowed to read. Whatever the browser makes of them runs
    in a sandbox without an origin, and nothing of them is kept by a shared cache."""
    response = HttpResponse(storage.fetch(document.sha256), content_type=document.media_type)
    response["Content-Disposition"] = content_disposition_header(True, document.filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache" if document.audience else "public, max-age=3600"
    response["ETag"] = f'"{document.sha256}"'
    return response
