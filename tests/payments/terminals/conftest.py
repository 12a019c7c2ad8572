from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from huangpu.payments.gateway import provider
from tests.payments.terminals.shop import Shop, served


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Shop]:  # noqa: ARG001
    settings.HUANGPU = replace(settings.HUANGPU, data=tmp_path)
    made = Shop(tmp_path)
    known = dict(provider._known)
    provider.register("acquirer", made.bank, payable=False)
    with served(made_closing()) as made.port:
        yield made
    provider._known.clear()
    provider._known.update(known)


def made_closing() -> Any:
    """The host, which lets go of its connection after each message: a test's database is dropped under it."""
    from huangpu.core import clock
    from huangpu.payments.terminals import host

    def answer(data: bytes) -> bytes | None:
        try:
            return host.answer(data, now=clock.now)
        finally:
            connections.close_all()

    return answer
