"""How often the same caller may ask: a token bucket in the memory of each process, without a database.

Our own 40 lines rather than a library: the API framework's own throttle keeps a list of instants in the cache and its
state on a shared object, which two threads may mix up. Several processes allow the sum of what each allows; a front
proxy is the place for a limit over all of them.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from django.http import HttpRequest
from ninja.throttling import BaseThrottle

CALLERS_MAX = 20_000


class Buckets:
    """A bucket a caller: `burst` requests at once, refilled at `per_second`."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.clock = per_second, burst, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> float:
        """Takes one token; returns 0, or the seconds until there is one."""
        now = self.clock()
        with self._lock:
            level, since = self._levels.pop(caller, (float(self.burst), now))
            level = min(float(self.burst), level + (now - since) * self.per_second)
            wait = 0.0 if level >= 1 else (1 - level) / self.per_second
            self._levels[caller] = (level - 1 if level >= 1 else level, now)
            if len(self._levels) > CALLERS_MAX:
                self._levels.popitem(last=False)  # who asked longest ago has a full bucket by now
            return wait


def caller_of(request: HttpRequest) -> str:
    """Who asks: the organisation or the person, else the address. Only the server's peer is believed, no header."""
    actor = getattr(request, "actor", None)
    known = getattr(actor, "organisation_id", None) or getattr(actor, "person_id", None)
    return str(known) if known else f"address {request.META.get('REMOTE_ADDR', '')}"


class Limited(BaseThrottle):
    """A limit for API operations: `@router.get(…, throttle=Limited(per_second=5, burst=20))`."""

    def __init__(self, per_second: float, burst: int, *, anonymous_only: bool = False) -> None:
        self.buckets = Buckets(per_second, burst)
        self.anonymous_only = anonymous_only
        self._waits = threading.local()

    def allow_request(self, request: HttpRequest) -> bool:
        caller = caller_of(request)
        if self.anonymous_only and not caller.startswith("address "):
            return True
        wait = self._waits.value = self.buckets.take(caller)
        return wait == 0

    def wait(self) -> float | None:
        return getattr(self._waits, "value", None)
