"""Pages that belong to the frame itself: a marketplace's colour, the theme."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, re_path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from huangpu.core.web import look

THEMES = ("light", "dark", "auto")
YEAR_S = 365 * 24 * 3600


def back(request: HttpRequest) -> HttpResponseRedirect:
    """To the page that the form came from, if it is ours; else to the front page."""
    target = request.POST.get("next", "/")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if ours else "/")


@require_GET
def colour(_request: HttpRequest, hex: str) -> HttpResponse:
    """The style sheet of a marketplace's colour. It never changes, so that it may be kept for a year."""
    return HttpResponse(
        look.sheet(f"#{hex}"),
        content_type="text/css; charset=utf-8",
        headers={"Cache-Control": f"public, max-age={YEAR_S}, immutable"},
    )


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device has it; remembered in a cookie."""
    chosen = request.POST.get("theme", "auto")
    answer = back(request)
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=YEAR_S, samesite="Lax", secure=request.is_secure())
    return answer


app_name = "web"
urlpatterns = [
    re_path(r"^look/(?P<hex>[0-9a-f]{6})\.css$", colour, name="look"),
    path("theme/", theme, name="theme"),
]
