"""The addresses of the simulators."""

from django.urls import path
from django.views.i18n import set_language

from . import pages

urlpatterns = [
    path("", pages.banks, name="banks"),
    path("language/", set_language, name="set_language"),
    path("phone/<str:phone>/", pages.phone, name="phone"),
    path("<slug:bank>/", pages.bank, name="bank"),
    path("<slug:bank>/orders", pages.take, name="take"),
    path("<slug:bank>/orders/<uuid:id>/", pages.order, name="order"),
]
