"""Django's settings of the simulators' own process: their addresses and pages, and no database of the platform's."""

from __future__ import annotations

from huangpu.settings import *  # noqa: F403
from huangpu.settings import CONTENT_SECURITY_POLICY as OURS
from huangpu.settings import TEMPLATES as THEIRS

ROOT_URLCONF = "huangpu.channels.simulators.urls"
DATABASES = {}
INSTALLED_APPS = ["django.contrib.staticfiles", "csp", "huangpu.core.web", "huangpu.channels.simulators"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
CSRF_COOKIE_NAME = "simulators_csrf"  # the same host as the platform's, another port: cookies are shared between ports
TEMPLATES = [{**THEIRS[0], "OPTIONS": {"context_processors": ["django.template.context_processors.request"]}}]
CONTENT_SECURITY_POLICY = {  # a form of the bank's leads back to the shop
    "DIRECTIVES": {name: value for name, value in OURS["DIRECTIVES"].items() if name != "form-action"}
}
WHITENOISE_USE_FINDERS = True
