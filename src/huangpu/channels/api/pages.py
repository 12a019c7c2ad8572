"""`/problems/<code>`: where the `type` of every problem leads."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from .errors import catalogue, statuses_in_words


@require_GET
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """What an error code means, in the reader's language."""
    entry = catalogue().get(code)
    if entry is None:
        raise Http404(code)
    context = {
        "code": code,
        "statuses": statuses_in_words(entry),
        "sentences": [gettext(sentence) for sentence in entry.sentences],
        "crumbs": [("API", "/api/v1/docs")],
    }
    return render(request, "api/problem.html", context)


app_name = "problems"
urlpatterns = [path("problems/<str:code>", problem, name="problem")]
