"""Memory of a process that serves for long."""

from __future__ import annotations

import gc

YOUNG_MAX = 50_000  # objects made before the collector looks again; its default of 700 is for scripts


def settle() -> None:
    """To be called once when a process has loaded everything: what is there stays, and is not looked through again.

    The collector otherwise walks through all of Django's objects again and again, in the middle of somebody's request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, 20, 100)
