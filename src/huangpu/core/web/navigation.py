"""The sections of a marketplace, in the header of its pages. A room adds its own in its AppConfig.ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Section:
    """A link in the header of a marketplace. `address` is below /m/<slug>/; the sections stand in their `order`."""

    key: str
    label: Any  # lazily translated
    address: str
    order: int
    icon: str = ""
    sector: str = ""  # shown only where the marketplace opens this sector; empty: everywhere
    own: bool = False  # in the menu of who one acts for, instead of the header
    right: str = ""  # shown to those only who may do this act


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a section, or replace the one with the same key."""
    _sections[section.key] = section


def sections(sectors: list[str], *, own: bool = False) -> list[Section]:
    """The sections of a marketplace that opens these sectors, in their order; `own`: those of the organisation's menu."""
    shown = (one for one in _sections.values() if one.own is own and (not one.sector or one.sector in sectors))
    return sorted(shown, key=lambda one: (one.order, one.key))
