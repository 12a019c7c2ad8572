"""What the live server's worker loads: the ASGI door, in a process that ends when the server's own does."""

import importlib
import signal

from huangpu.core.processes import stop_with_parent

stop_with_parent(signal.SIGKILL)  # open streams would keep it, and its port, for minutes; they hold nothing to lose

application = importlib.import_module("huangpu.channels.live.app").application
