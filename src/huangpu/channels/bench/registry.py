"""The benches by name. A module of this folder declares its own with `@bench`; every module here is looked through."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from huangpu.channels import bench as folder
from huangpu.channels.bench.measure import Measure
from huangpu.channels.bench.run import Run

Function = Callable[[Run], Iterator[Measure]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench: its name, what it says of itself in one line, whether it needs a database, and its function."""

    name: str
    summary: str
    database: bool
    function: Function


_benches: dict[str, Bench] = {}


def bench(name: str, *, database: bool = True) -> Callable[[Function], Function]:
    """Declares a bench: a generator of measures. With `database`, it runs in a throwaway one, migrated, as the application
    role, with Django set up. `run.planted` asks for its deliberately slow or wrong twin, which must miss a floor."""

    def declare(function: Function) -> Function:
        summary = (function.__doc__ or "").strip().splitlines()
        if not summary:
            raise ValueError(f"bench {name} does not say what it measures")
        if name in _benches and _benches[name].function is not function:
            raise ValueError(f"two benches are named {name}")
        _benches[name] = Bench(name, summary[0], database, function)
        return function

    return declare


def benches() -> dict[str, Bench]:
    """All of them, in the order of their names."""
    for module in pkgutil.iter_modules(folder.__path__):
        if module.name not in ("apps", "registry", "run", "measure"):
            importlib.import_module(f"{folder.__name__}.{module.name}")
    return dict(sorted(_benches.items()))
