"""The WSGI door: what granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from huangpu.core.memory import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")
application = get_wsgi_application()
settle()
