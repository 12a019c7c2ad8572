"""The addresses under /api/v1/."""

from django.urls import path, re_path

from huangpu.core.web.problems import not_found

from .root import build

api = build()
urlpatterns = [path("", api.urls), re_path(r"^.*$", not_found)]
