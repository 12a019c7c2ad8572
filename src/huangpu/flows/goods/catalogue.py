"""What an item is. Stock knows only its id; the room above that keeps the catalogue says here what it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Known:
    """An item as it is shown: its owner's code, its name in several languages, its Rec 20 unit, its GTIN or empty."""

    id: UUID
    code: str
    name: Mapping[str, str]
    unit: str
    owner_id: UUID | None = None
    gtin: str = ""


Finder = Callable[[Iterable[UUID]], Mapping[UUID, Known]]
Matcher = Callable[[str], list[UUID]]
_rooms: list[tuple[Finder, Matcher]] = []


def register(find: Finder, match: Matcher) -> None:
    """Adds a room's catalogue: ids in, what it knows of them out; a piece of text in, ids out. From AppConfig.ready."""
    if (find, match) not in _rooms:
        _rooms.append((find, match))


def known(ids: Iterable[UUID]) -> dict[UUID, Known]:
    """What is known of these items, in one statement a room."""
    wanted = set(ids)
    found: dict[UUID, Known] = {}
    for find, _match in _rooms if wanted else []:
        found.update(find(wanted))
    return found


def matching(text: str) -> list[UUID]:
    """The items whose code, name or GTIN contains the text."""
    return [id for _find, match in _rooms for id in match(text)]
