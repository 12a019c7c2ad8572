"""The templates of terms, by name and version: a sector registers its own, a market concludes by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import NotFound

from .terms import Terms

Build = Callable[[Mapping[str, Any]], Terms]


@dataclass(frozen=True, slots=True)
class Template:
    """How a kind of trade is written. `prefix` begins the human numbers of its agreements (PO-2026-000123)."""

    name: str
    version: int
    prefix: str
    build: Build


_known: dict[str, Template] = {}


def register(name: str, *, version: int, prefix: str, build: Build) -> None:
    """Makes a template known. Called when a sector's app is ready; a new version replaces the old for new agreements."""
    _known[name] = Template(name, version, prefix, build)


def template(name: str) -> Template:
    """The newest version of a template. Refused with `template.unknown`."""
    try:
        return _known[name]
    except KeyError:
        raise NotFound(
            "template.unknown",
            _("There are no terms called “%(value)s”; known are: %(known)s."),
            field="template",
            value=name,
            known=", ".join(sorted(_known)),
        ) from None
