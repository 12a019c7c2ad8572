"""Pages of a list, newest first: by the key of the last row seen, so that rows added meanwhile shift nothing."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from ninja import Schema

from ..errors import Invalid

LIMIT_DEFAULT = 50
LIMIT_MAX = 200

T = TypeVar("T")


class Page(Schema, Generic[T]):
    """One page of a list. `next` is the address of the following page, `next_cursor` its cursor; None on the last."""

    items: list[T]
    next_cursor: str | None = None
    next: str | None = None

    @staticmethod
    def resolve_next(page: Any, context: Any) -> str | None:
        request = (context or {}).get("request")
        if request is None or not page.next_cursor:
            return None
        query = request.GET.copy()
        query["cursor"] = page.next_cursor
        return f"{request.path}?{query.urlencode()}"


def cursor_of(id: UUID) -> str:
    """The cursor that continues after the row `id`. Opaque: its form may change, its meaning does not."""
    return base64.urlsafe_b64encode(b"\x01" + id.bytes).rstrip(b"=").decode()


def id_of(cursor: str) -> UUID:
    """The row after which a cursor continues. Refuses what is no cursor: `paging.cursor`."""
    try:
        found = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if len(found) != 17 or found[0] != 1:
        raise Invalid(
            "paging.cursor",
            _("“%(value)s” is not a cursor of this list; take it from `next_cursor` of the page before, unchanged."),
            field="cursor",
            value=cursor[:100],
        )
    return UUID(bytes=found[1:])


def page_of(queryset: QuerySet[Any], cursor: str | None, limit: int = LIMIT_DEFAULT) -> Page[Any]:
    """A page of rows, newest first (descending UUIDv7 key). `limit` is 1 to 200; else refused as `paging.limit`."""
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid(
            "paging.limit",
            _("A page holds 1 to %(most)s rows, not %(value)s."),
            field="limit",
            value=limit,
            most=LIMIT_MAX,
        )
    rows = queryset.order_by("-pk")
    if cursor:
        rows = rows.filter(pk__lt=id_of(cursor))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    return Page[Any].model_construct(items=found[:limit], next_cursor=cursor_of(found[limit - 1].pk) if more else None)
