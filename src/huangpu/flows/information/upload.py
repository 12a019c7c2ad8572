"""Stops an upload that is larger than a document may be while it comes in, before it fills memory or disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class SizeLimit(FileUploadHandler):
    """The first of the handlers: counts, and passes on what it gets."""

    def handle_raw_input(  # type: ignore[override]  # the rest of what it is given does not matter here
        self, _input: Any, _meta: Any, content_length: int, *_rest: Any, **_more: Any
    ) -> None:
        if content_length > settings.HUANGPU.document_bytes_max + settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("the upload is larger than a document may be")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.HUANGPU.document_bytes_max:
            raise RequestDataTooBig("the file is larger than a document may be")
        return raw_data

    def file_complete(self, _size: int) -> None:
        return None
