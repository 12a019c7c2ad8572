"""The base of every API: strict input, problem details for every error, one act per changing call, a full schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, Throttled, ValidationError
from ninja.errors import ValidationErrorContext as Context
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from ..errors import HuangpuError, Invalid
from . import idempotency, problems

DEPTH_MAX = 32
BODY_TYPES = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")


class Flaw(Schema):
    """One thing that is wrong."""

    code: str
    detail: str
    field: str | None = None
    value: Any = None


class Problem(Flaw):
    """Problem details (RFC 9457). `code` is stable; `detail` is in the language of Accept-Language."""

    type: str
    title: str
    status: int
    instance: str
    errors: list[Flaw] = []


class StrictParser(Parser):
    """JSON as RFC 8259 has it and PostgreSQL stores it: UTF-8, no NaN, no NUL, no lone surrogate, at most 32 deep."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        text = request.body.decode("utf-8")
        if text.count("[") + text.count("{") > DEPTH_MAX or "\\u" in text:
            data = json.loads(text, parse_constant=_no_constant)
            _check(data, 0)
            return cast("dict[str, Any]", data)
        return cast("dict[str, Any]", json.loads(text, parse_constant=_no_constant))

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> dict[str, Any]:
        for name in data:
            for value in data.getlist(name):
                _check(name, 0)
                _check(value, 0)
        return super().parse_querydict(data, list_fields, request)


def _no_constant(name: str) -> None:
    raise Invalid("api.number", _("%(value)s is no number in JSON."), value=name)


def _check(value: Any, depth: int) -> None:
    """Refuses texts that no text column can hold, and nesting that no input of ours has."""
    if depth > DEPTH_MAX:
        raise Invalid("api.too_deep", _("The body is nested more than %(most)s deep."), most=DEPTH_MAX)
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Invalid("api.text", _("A text holds NUL or half a character; neither can be stored."), value=value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


# what pydantic refuses, in our words; %(…)s are pydantic's own parameters
SENTENCES: dict[str, Any] = {
    "missing": _("This is required."),
    "extra_forbidden": _("There is no such field here."),
    "string_type": _("Write a text."),
    "string_too_short": _("Write at least %(min_length)s characters."),
    "string_too_long": _("Write at most %(max_length)s characters."),
    "string_pattern_mismatch": _("This does not have the form %(pattern)s."),
    "too_short": _("Give at least %(min_length)s."),
    "too_long": _("Give at most %(max_length)s."),
    "int_type": _("Write a whole number."),
    "int_parsing": _("Write a whole number."),
    "int_parsing_size": _("This number is too large."),
    "int_from_float": _("Write a whole number."),
    "float_type": _("Write a number."),
    "float_parsing": _("Write a number."),
    "finite_number": _("Write a number."),
    "decimal_type": _("Write a decimal number, as text to keep it exact."),
    "decimal_parsing": _("Write a decimal number, as text to keep it exact."),
    "decimal_max_digits": _("Write at most %(max_digits)s digits."),
    "decimal_max_places": _("Write at most %(decimal_places)s decimal places."),
    "decimal_whole_digits": _("Write at most %(whole_digits)s digits before the point."),
    "greater_than": _("Must be greater than %(gt)s."),
    "greater_than_equal": _("Must be at least %(ge)s."),
    "less_than": _("Must be less than %(lt)s."),
    "less_than_equal": _("Must be at most %(le)s."),
    "bool_type": _("Write true or false."),
    "bool_parsing": _("Write true or false."),
    "uuid_type": _("Write a UUID."),
    "uuid_parsing": _("Write a UUID."),
    "enum": _("Must be one of %(expected)s."),
    "literal_error": _("Must be one of %(expected)s."),
    "datetime_type": _("Write an instant as RFC 3339 has it, such as 2026-11-23T02:00:00Z."),
    "datetime_parsing": _("Write an instant as RFC 3339 has it, such as 2026-11-23T02:00:00Z."),
    "datetime_from_date_parsing": _("Write an instant as RFC 3339 has it, such as 2026-11-23T02:00:00Z."),
    "timezone_aware": _("Write an instant with its offset, such as 2026-11-23T02:00:00Z."),
    "date_type": _("Write a date such as 2026-11-23."),
    "date_parsing": _("Write a date such as 2026-11-23."),
    "date_from_datetime_parsing": _("Write a date such as 2026-11-23."),
    "dict_type": _("Write an object."),
    "model_type": _("Write an object."),
    "model_attributes_type": _("Write an object."),
    "list_type": _("Write a list."),
    "url_parsing": _("Write a web address."),
    "url_scheme": _("Write a web address that begins with %(expected_schemes)s."),
}


def flaw_of(found: dict[str, Any]) -> Invalid:
    """One of pydantic's refusals as an error of ours, its code `api.<type>`."""
    kind, context = found["type"], found.get("ctx") or {}
    where = ".".join(str(step) for step in found["loc"][1:])
    sentence = SENTENCES.get(kind)
    if sentence is None:
        own = get_language() in (None, "en")
        sentence = str(found["msg"]).replace("%", "%%") if own else _("This value is not valid.")
    value = found.get("input")
    shown = value if isinstance(value, str | int | float | bool) else None
    params = {
        name: problems.plain(item)
        for name, item in context.items()
        if name not in ("field", "value", "code", "message")
    }
    return Invalid(f"api.{kind}", sentence, field=where or None, value=shown, **params)


class Api(NinjaAPI):
    """A versioned API. Every changing operation runs once per Idempotency-Key, in one transaction with its acts."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(parser=StrictParser(), **settings)
        self.add_decorator(idempotency.call_once, mode="view")
        self.add_decorator(read_strictly, mode="view")

    def set_default_exception_handlers(self) -> None:
        self.add_exception_handler(
            Exception, lambda request, wrong: problems.unexpected(request, cast(Exception, wrong))
        )
        self.add_exception_handler(
            HuangpuError, lambda request, error: problems.respond(request, cast(HuangpuError, error))
        )
        self.add_exception_handler(ValidationError, _invalid)
        self.add_exception_handler(HttpError, _http_error)
        self.add_exception_handler(Http404, lambda request, _: problems.answer(problems.of_status(request, 404)))
        self.add_exception_handler(
            PermissionDenied, lambda request, _: problems.answer(problems.of_status(request, 403))
        )

    def validation_error_from_error_contexts(self, error_contexts: list[Context[Any]]) -> ValidationError:
        """As the framework's, but keeps the input, so that the problem can say which value was wrong."""
        found = []
        for context in error_contexts:
            error, model = context.pydantic_validation_error, cast(Any, context.model)
            for one in error.errors(include_url=False):
                names = model.__ninja_flatten_map_reverse__.get(one["loc"], one["loc"])
                found.append({**one, "loc": (model.__ninja_param_source__, *names)})
        return ValidationError(found)

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(*args, **kwargs)
        schema["components"]["schemas"].update(_problem_schemas())
        open_doors = _open_doors(schema["components"])
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                _describe(method.upper(), operation)
                if "security" in operation:
                    operation["security"] = _security(operation["security"], open_doors, method.upper())
        return schema


def _problem_schemas() -> dict[str, Any]:
    whole = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = whole.pop("$defs")
    return {"Problem": whole, **inner}


def _open_doors(components: dict[str, Any]) -> set[str]:
    """Takes the doors that ask for nothing (http scheme "none") out of the components; returns their names."""
    schemes = components.get("securitySchemes", {})
    found = {name for name, scheme in schemes.items() if scheme.get("scheme") == "none"}
    for name in found:
        del schemes[name]
    return found


def _security(security: list[dict[str, Any]], open_doors: set[str], method: str) -> list[dict[str, Any]]:
    """A door that asks for nothing is written as an empty requirement (OpenAPI 3.1, section 4.8.30); it is for reading."""
    closed = [one for one in security if open_doors.isdisjoint(one)]
    return [*closed, {}] if len(closed) < len(security) and method in idempotency.SAFE else closed


KEY_PARAMETER = {
    "in": "header",
    "name": idempotency.HEADER,
    "required": True,
    "description": "A value of the caller's own for this one act, such as a UUID. The same key again gives the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.KEY_LENGTH_MAX, "pattern": "^[!-~]+$"},
}


def _describe(method: str, operation: dict[str, Any]) -> None:
    """Adds to an operation what all have in common: the key of a changing call, and the answer to an error."""
    refused = {
        "description": "Refused; nothing was changed.",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    operation["responses"].setdefault("4XX", refused)
    named = {(one["in"], one["name"]) for one in operation["parameters"]}
    if method not in idempotency.SAFE and ("header", idempotency.HEADER) not in named:
        operation["parameters"] = [*operation["parameters"], KEY_PARAMETER]


def read_strictly(run: Any) -> Any:
    """Refuses a body that is not of a type an operation reads, and one that cannot be read at all, before it is read."""

    def wrapped(request: HttpRequest, **kwargs: Any) -> Any:
        if any("\0" in value for value in kwargs.values() if isinstance(value, str)):
            return problems.answer(problems.of_status(request, 404))
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length not in ("", "0") and request.content_type not in BODY_TYPES:
            return problems.answer(problems.of_status(request, 415))
        return run(request, **kwargs)

    return wrapped


def _invalid(request: HttpRequest, wrong: Any) -> HttpResponse:
    flaws: Iterable[Invalid] = [flaw_of(found) for found in wrong.errors]
    body = problems.of_status(request, 422)
    body["errors"] = [problems.part(one) for one in flaws]
    if body["errors"]:
        first = body["errors"][0]
        body.update({name: first[name] for name in ("field", "value", "detail") if name in first})
    return problems.answer(body)


def _http_error(request: HttpRequest, wrong: Any) -> HttpResponse:
    cause = wrong.__cause__
    if isinstance(cause, HuangpuError):
        return problems.respond(request, cause)
    if isinstance(cause, RequestDataTooBig):
        return problems.answer(problems.of_status(request, 413))
    given = problems.answer(problems.of_status(request, wrong.status_code))
    if isinstance(wrong, Throttled) and wrong.wait is not None:
        given["Retry-After"] = problems.retry_after(wrong.wait)
    return given
