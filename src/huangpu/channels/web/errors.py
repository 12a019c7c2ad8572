"""The pages of Django's own errors; those of ours are rendered by core.web.problems with the same template."""

from __future__ import annotations

import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from huangpu.core.web import problems


def page(request: HttpRequest, status: int, detail: str | None = None) -> HttpResponse:
    """The error page of a status, with what to do next."""
    body = problems.of_status(request, status, detail=detail)
    return render(request, "web/error.html", {"problem": body}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        most = filesizeformat(settings.HUANGPU.document_bytes_max)
        return page(request, 413, _("What you sent is too large. A file may have at most %(most)s.") % {"most": most})
    return page(request, 400)  # what else it says is for the log


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return page(request, 404)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was not sent from our own page, or from one that was open too long."""
    del reason
    return page(
        request, 403, _("The form is too old or did not come from our page. Go back, load it anew, send it again.")
    )


def unexpected(request: HttpRequest) -> HttpResponse:
    """Our error: a page that needs no database and no person, because either may be what failed.

    503 while the database is away, so that programs know that the same again will soon succeed.
    """
    away = problems.is_away(sys.exc_info()[1])
    text = render_to_string("web/error_500.html", {"path": request.path})
    return HttpResponse(text, status=503, headers={"Retry-After": "1"}) if away else HttpResponse(text, status=500)
