"""What the web server's workers load: the WSGI door, in a process that ends when the server's own does."""

import signal

from huangpu.core.processes import stop_with_parent

stop_with_parent(signal.SIGTERM)

from huangpu.channels.web.wsgi import application  # noqa: E402

__all__ = ["application"]
