"""Errors as the web shows them: RFC 9457 problem details for machines, an error page for people.

`type` is `/problems/<code>` and never changes; `detail` is in the reader's language. What an unexpected error says about
our inside goes to the log, never to the reader.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.utils.log import log_response
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import clock
from ..db import busy
from ..errors import Conflict, HuangpuError, Invalid, InvalidMany, NotFound

API_PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"
VALUE_LENGTH_MAX = 200


class Kind(NamedTuple):
    """What a problem without an exception of ours is called: its code, its title, and its sentence."""

    code: str
    title: Any
    detail: Any


KINDS = {
    400: Kind("api.malformed", _("The request cannot be read"), _("The request is not well formed.")),
    401: Kind("api.unauthenticated", _("Not signed in"), _("Send a valid token as “Authorization: Bearer …”.")),
    403: Kind("api.forbidden", _("Not allowed"), _("You may not do this.")),
    404: Kind("api.not_found", _("Not found"), _("There is nothing at this address.")),
    405: Kind("api.method", _("Not offered here"), _("This address does not take this method; see the header Allow.")),
    406: Kind("api.not_acceptable", _("Not offered here"), _("This address cannot answer in the form asked for.")),
    409: Kind("api.conflict", _("Not possible now"), _("This cannot be done in the present state.")),
    413: Kind("api.too_large", _("Too large"), _("The request is larger than what is accepted here.")),
    415: Kind("api.content_type", _("Wrong content type"), _("Send the body as application/json.")),
    422: Kind("api.invalid", _("The input is not right"), _("The input is not what was asked for.")),
    429: Kind("api.too_many", _("Too many requests"), _("Too many requests; try again later.")),
    500: Kind("api.unexpected", _("Our error"), _("Something went wrong on our side. It has been recorded.")),
    503: Kind("api.unavailable", _("Not available now"), _("The service is not available now; try again later.")),
}


def title_of(status: int) -> str:
    """The title of every problem with this status, in the reader's language."""
    if status in KINDS:
        return str(KINDS[status].title)
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"


def plain(value: Any) -> Any:
    """A value as a problem repeats it: what JSON has, cut to a length that suits an error."""
    if value is None or (isinstance(value, bool | int) and abs(value) < 2**53):
        return value
    if isinstance(value, list | tuple | set | frozenset) and len(value) <= 20:
        return [plain(item) for item in value]
    text = value if isinstance(value, str) else str(value) if isinstance(value, int | Decimal | UUID) else repr(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= VALUE_LENGTH_MAX else text[: VALUE_LENGTH_MAX - 1] + "…"


def part(error: HuangpuError) -> dict[str, Any]:
    """One error as `errors[]` lists it."""
    found: dict[str, Any] = {"code": error.code, "detail": str(error)}
    if error.field is not None:
        found["field"] = error.field
    if error.value is not None:
        found["value"] = plain(error.value)
    return found


def problem(request: HttpRequest, error: HuangpuError) -> dict[str, Any]:
    """The problem details of an error (RFC 9457, section 3.1, with the extensions code, field, value and errors)."""
    body = {
        "type": f"/problems/{error.code}",
        "title": title_of(error.status),
        "status": error.status,
        "instance": request.path[:500],
        **part(error),
    }
    if isinstance(error, InvalidMany):
        body["errors"] = [part(one) for one in error.errors]
    return body


def of_status(
    request: HttpRequest, status: int, *, code: str | None = None, detail: str | None = None
) -> dict[str, Any]:
    """The problem details of an answer that came without an error of ours."""
    kind = KINDS.get(status) or KINDS[400 if status < 500 else 500]
    return {
        "type": f"/problems/{code or kind.code}",
        "title": title_of(status),
        "status": status,
        "instance": request.path[:500],
        "code": code or kind.code,
        "detail": detail or str(kind.detail),
    }


def answer(body: dict[str, Any]) -> HttpResponse:
    """The HTTP answer that carries a problem."""
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=body["status"], content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if body["status"] == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def is_api(request: HttpRequest) -> bool:
    """Whether a machine asks."""
    return request.path.startswith(API_PREFIX)


def respond(request: HttpRequest, error: HuangpuError) -> HttpResponse:
    """The answer to an error: problem+json under /api/, else the error page `web/error.html` (in it: `problem`)."""
    body = problem(request, error)
    if is_api(request):
        return answer(body)
    try:
        return render(request, "web/error.html", {"problem": body, "error": error}, status=error.status)
    except TemplateDoesNotExist:
        return HttpResponse(body["detail"], status=error.status, content_type="text/plain; charset=utf-8")


def of_database(wrong: Exception) -> HuangpuError | None:
    """What the database's refusal of an input means to who sent it; None: it is our error.

    Acts check before they write, so these are the last net: a number beyond the column, a NUL in a text, a lock waited
    for in vain, a rule of the data that an act forgot to check.
    """
    if isinstance(wrong, DataError):
        return Invalid("api.unstorable", _("A value is outside what can be stored: too large, too long, or not text."))
    if isinstance(wrong, IntegrityError):
        return Conflict("api.rule_of_data", _("This would break a rule of the data; nothing was changed."))
    return busy(wrong) if isinstance(wrong, OperationalError) else None


def is_away(wrong: BaseException | None) -> bool:
    """Whether the database could not be reached, or the connection to it broke: the same again will soon succeed."""
    if not isinstance(wrong, OperationalError | InterfaceError):
        return False
    state = getattr(wrong.__cause__, "sqlstate", None) or ""
    return state[:2] in ("", "08") or state in ("57P01", "57P02", "57P03", "53300")  # shutdown, crash, starting, full


def unexpected(request: HttpRequest, wrong: Exception) -> HttpResponse:
    """The answer to an exception nobody expected: a short one, with the whole story in our log only."""
    if isinstance(wrong, RequestDataTooBig):
        return answer(of_status(request, 413))
    if isinstance(wrong, SuspiciousOperation | BadRequest | UnreadablePostError | MultiPartParserError):
        return answer(of_status(request, 400))
    if isinstance(wrong, RawPostDataException):  # a form was sent where JSON is read
        return answer(of_status(request, 415))
    if is_away(wrong):
        return unavailable(request)
    known = of_database(wrong)
    if known is not None and not isinstance(wrong, IntegrityError):
        return answer(problem(request, known))
    given = answer(problem(request, known) if known else of_status(request, 500))
    name = type(wrong).__name__
    log_response("%s: %s", name, request.path, response=given, request=request, exception=wrong, level="error")
    if known is None:
        got_request_exception.send(sender=None, request=request)
    return given


def unavailable(request: HttpRequest) -> HttpResponse:
    """The answer while the database is away: 503, and when to come again."""
    given = answer(of_status(request, 503))
    given["Retry-After"] = "1"
    return given


class ProblemMiddleware:
    """Turns what Django itself answers under /api/ (404, 405, 400 of a suspicious request, 500) into problem+json."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.received_at = clock.now()  # type: ignore[attr-defined]  # at the door: what a deadline is held against
        response = self.get_response(request)
        if response.status_code < 400 or not is_api(request):
            return response
        if response.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        given = answer(of_status(request, response.status_code))
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response:
                given[name] = response[name]
        return given

    def process_exception(self, request: HttpRequest, wrong: Exception) -> HttpResponse | None:
        """Errors of ours, raised by a page: shown, not hidden behind a 500."""
        return respond(request, wrong) if isinstance(wrong, HuangpuError) else None


def not_found(request: HttpRequest, **_: Any) -> HttpResponse:
    """The last address of the API: there is nothing here."""
    return answer(problem(request, NotFound("api.not_found", gettext("There is nothing at this address."))))


def retry_after(wait_seconds: float) -> str:
    """The header Retry-After: whole seconds, rounded up (RFC 9110, section 10.2.3)."""
    return str(max(1, math.ceil(wait_seconds)))
