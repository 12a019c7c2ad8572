"""What an item is. Stock knows only its id; the room above that keeps the catalogue says here what it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Known:
    """An item as it is shown: its owner's code, its name in several languages, its Rec 20 unit, its GTIN or empty."""

    id: UUID
    code: str
    name: Mapping[str, str]
    unit: str
    owner_id: UUID | None = None
    gtin: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a room offers: items by their ids; ids by a piece of text; the items of an owner, all or those with a code."""

    find: Callable[[Iterable[UUID]], Mapping[UUID, Known]]
    match: Callable[[str], list[UUID]]
    owned: Callable[[UUID, str], list[Known]]


UNNAMED = {"zh-hans": "未命名物品", "en": "Unnamed item"}
_rooms: dict[str, Catalogue] = {}


def register(room: str, catalogue: Catalogue) -> None:
    """Adds a room's catalogue. From AppConfig.ready."""
    _rooms[room] = catalogue


def known(ids: Iterable[UUID]) -> dict[UUID, Known]:
    """What is known of these items, in one statement a room."""
    wanted = set(ids)
    found: dict[UUID, Known] = {}
    for room in _rooms.values() if wanted else []:
        found.update(room.find(wanted))
    return found


def shown(ids: Iterable[UUID]) -> dict[UUID, Known]:
    """All of these items, for a page: one that no catalogue knows has a name that says so."""
    wanted = set(ids)
    return {id: Known(id, "", UNNAMED, "") for id in wanted} | known(wanted)


def matching(text: str) -> list[UUID]:
    """The items whose code, name or GTIN contains the text."""
    return [id for room in _rooms.values() for id in room.match(text)]


def owned(owner_id: UUID) -> list[Known]:
    """The items of an organisation, by their codes; the first 500."""
    return [item for room in _rooms.values() for item in room.owned(owner_id, "")]


def by_code(owner_id: UUID, code: str) -> Known:
    """An organisation's item by its code. Refused with `item.not_own`."""
    found = [item for room in _rooms.values() for item in (room.owned(owner_id, code.strip()) if code.strip() else [])]
    if not found:
        raise _not_own(code[:100])
    return found[0]


def own(owner_id: UUID, item_id: UUID) -> Known:
    """An organisation's item by its id. Refused with `item.not_own`."""
    found = known([item_id]).get(item_id)
    if found is None or found.owner_id != owner_id:
        raise _not_own(str(item_id))
    return found


def _not_own(value: str) -> Invalid:
    message = _("“%(value)s” is not in your catalogue; create the item first.")
    return Invalid("item.not_own", message, field="item", value=value)
