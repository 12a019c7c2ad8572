"""What the simulators' server loads, in a process that ends when the server's own does."""

from __future__ import annotations

import os
import signal

from huangpu.core.processes import stop_with_parent

stop_with_parent(signal.SIGTERM)
os.environ["DJANGO_SETTINGS_MODULE"] = "huangpu.channels.simulators.settings"

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()

from huangpu.channels.simulators import notifying, pages  # noqa: E402

notifying.keep_telling(pages.book(), settings.HUANGPU.simulators_for, pages.secrets())
