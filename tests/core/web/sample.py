"""A small API and two pages for the tests of the base: they write rows of `log_cursor` because every installation has it."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, re_path
from django.utils.translation import gettext_lazy as _
from ninja import File, Schema, UploadedFile

from huangpu.core.db import act, execute
from huangpu.core.errors import Conflict, Invalid, InvalidMany, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event
from huangpu.core.web.api import Api
from huangpu.core.web.idempotency import FIELD
from huangpu.core.web.limits import Limited
from huangpu.core.web.paging import Page, page_of
from huangpu.core.web.problems import not_found


class Thing(Schema):
    name: str
    count: int = 1
    price: Decimal | None = None
    day: date | None = None
    parts: list[Any] = []


class EventOut(Schema):
    id: UUID
    kind: str


api = Api(title="Sample", urls_namespace="sample")
inside = threading.Event()
go_on = threading.Event()


@act
def make(*, name: str) -> UUID:
    id = uuid7()
    execute("INSERT INTO log_cursor (subscriber, marketplace_id, position) VALUES (%s, %s, 0)", [name, id])
    return id


@api.post("/things", response=dict[str, str])
def make_thing(request: HttpRequest, thing: Thing) -> dict[str, str]:
    id = make(name=thing.name)
    if thing.name == "slow":
        inside.set()
        assert go_on.wait(20)
    if thing.name == "refused":
        raise Refused("sample.refused", _("Not %(value)s."), field="name", value=thing.name)
    if thing.name == "many":
        raise InvalidMany(
            [
                Invalid("sample.one", _("One: %(value)s."), field="name", value=1),
                Invalid("sample.two", _("Two."), field="count"),
            ]
        )
    if thing.name == "broken":
        raise RuntimeError("the secret of the house")
    return {"id": str(id)}


@api.post("/tokens", response=dict[str, str])
def make_secret(request: HttpRequest, thing: Thing, response: HttpResponse) -> dict[str, str]:
    response["Cache-Control"] = "no-store"
    return {"secret": str(make(name=thing.name))}


@api.put("/counts/{int:number}", response={204: None})
def count(request: HttpRequest, number: int) -> None:
    execute("INSERT INTO log_cursor (subscriber, marketplace_id, position) VALUES ('count', %s, %s)", [uuid7(), number])


@api.post("/files", response=dict[str, int])
def upload(request: HttpRequest, file: File[UploadedFile]) -> dict[str, int]:
    make(name="file")
    return {"size": file.size or 0}


@api.get("/events", response=Page[EventOut])
def events(request: HttpRequest, cursor: str | None = None, limit: int = 50) -> Page[Event]:
    return page_of(Event.objects.all(), cursor, limit)


@api.get("/search", throttle=Limited(per_second=0.001, burst=2))
def search(request: HttpRequest, q: str) -> str:
    return q


def form(request: HttpRequest) -> HttpResponse:
    """A page's form: shows itself again with what was wrong, redirects when done."""
    name = request.POST.get("name", "")
    try:
        id = refuse(name=name) if name == "wrong" else make(name=name)
    except Invalid as error:
        assert execute("SELECT 1") == 1  # the page may still read
        return HttpResponse(str(error), status=422 if "strict" in request.GET else 200)
    if name == "late":
        raise Conflict("sample.late", _("Too late."))
    return HttpResponseRedirect(f"/done/{id}")


@act
def refuse(*, name: str) -> UUID:
    make(name=name)
    raise Invalid("sample.wrong", _("Wrong: %(value)s."), field="name", value=name)


urlpatterns = [
    path("api/v1/", api.urls),
    re_path(r"^api/v1/.*$", not_found),
    path("form/", form),
]

__all__ = ["FIELD", "urlpatterns"]
