"""Several people at once: threads with connections of their own, started together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from huangpu.core.errors import HuangpuError


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Runs the calls in threads with connections of their own, started together; returns answers and refusals. What nobody
    expected is raised."""
    gate, answers = threading.Barrier(len(calls)), [None] * len(calls)
    broken: list[Exception] = []

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            gate.wait(20)
            answers[place] = call()
        except HuangpuError as error:
            answers[place] = error
        except Exception as error:
            broken.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not [thread for thread in threads if thread.is_alive()]
    if broken:
        raise broken[0]
    return answers
