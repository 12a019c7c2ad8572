"""What the web server's workers load: the WSGI door, in a process that ends when the server's own does."""

import signal
import sys

from huangpu.core.processes import stop_with_parent

stop_with_parent(signal.SIGTERM)

# a thread that holds a row lock must not wait Python's 5 ms for its turn after every statement
sys.setswitchinterval(0.0005)

from huangpu.channels.web.wsgi import application  # noqa: E402

__all__ = ["application"]
