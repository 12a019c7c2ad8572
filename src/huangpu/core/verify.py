"""What a check of `huangpu verify` answers. A room's `verify.py` has `checks()`, which yields one of these for each rule."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that must hold. `name` says what holds ("funds: books balance"), `detail` what was counted or what is wrong."""

    name: str
    ok: bool
    detail: str = ""


def none_of(room: str, what: str, sql: str) -> Check:
    """A rule as a count that has to be 0: `what` names what there must be none of, `sql` counts it."""
    from .db import row

    found = row(sql)
    count = int(found[0]) if found else 0
    return Check(f"{room}: no {what}", count == 0, str(count) if count else "")


def all_checks() -> Iterator[Check]:
    """Runs `checks()` of every installed room. One that raises is a check that failed."""
    for app in apps.get_app_configs():
        if importlib.util.find_spec(f"{app.name}.verify") is None or app.name == "huangpu.core":
            continue
        try:
            for check in importlib.import_module(f"{app.name}.verify").checks():
                yield Check(check.name, bool(check.ok), str(check.detail))
        except Exception as wrong:
            yield Check(f"{app.label}: checks run to their end", False, f"{type(wrong).__name__}: {wrong}")
