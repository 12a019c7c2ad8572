"""One JSON object of a file while it is read: typed access by key, and a note in the report for whatever cannot be taken.

A key that nobody asked for is reported too (`close`), so that the report is complete by construction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from huangpu.core.money import CURRENCIES, LARGEST, Money, exponent
from huangpu.core.quantity import LARGEST as QUANTITY_LARGEST
from huangpu.core.quantity import PLACES

from .report import Report
from .values import Names

T = TypeVar("T")

TEXT_MAX = 20_000
ID_MAX = 200
LIST_MAX = 20_000
YEARS = range(1900, 2200)

_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?\s?(?:[Zz]|[+-]\d\d:?\d\d)?)?")
_URL = re.compile(r"https?://[^\s<>\"\\^`{|}\x00-\x20]+", re.IGNORECASE)


def empty(value: Any) -> bool:
    """Whether a value says nothing: null, blank text, an empty list or object, or one that holds only such."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, dict):
        return all(map(empty, value.values()))
    if isinstance(value, list):
        return all(map(empty, value))
    return value is None


class Node:
    """An object at a path. Each method takes one key, returns a value or the empty one, and notes what it leaves out."""

    def __init__(self, value: dict[str, Any], path: str, report: Report, language: str = "") -> None:
        self.value = value
        self.path = path
        self.report = report
        self.language = language
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if re.fullmatch(r"\w{1,60}", key) else f"{self.path}[{key[:60]!r}]"

    def leave(self, key: str, reason: str, value: Any = None) -> None:
        self.report.left_out(self.at(key), reason, _shown(self.value.get(key) if value is None else value))

    def note(self, key: str, reason: str) -> None:
        self.report.read_as(self.at(key), reason, _shown(self.value.get(key)))

    def take(self, key: str) -> Any:
        """The raw value, None when there is none; an empty one is noted as `value.empty`."""
        self._asked.add(key)
        value = self.value.get(key)
        if key in self.value and empty(value):
            self.leave(key, "value.empty")
            return None
        return value

    def drop(self, key: str, reason: str) -> None:
        """Says of a key, if it is there, that it is left out on purpose."""
        self._asked.add(key)
        if not empty(self.value.get(key)):
            self.leave(key, reason)

    def close(self) -> None:
        """Reports every key that nobody asked for."""
        for key in [key for key in self.value if key not in self._asked]:
            self.leave(key, "value.empty" if empty(self.value[key]) else "field.unmapped")

    def text(self, key: str, most: int = TEXT_MAX) -> str:
        """Text of at most `most` characters, without spaces around it; a number is taken as its digits."""
        value = self.take(key)
        if value is None:
            return ""
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.leave(key, "value.type")
            return ""
        if len(value) > most:
            self.leave(key, "value.too_long")
            return ""
        return value.strip()

    def names(self, key: str) -> Names:
        """Text in the languages it is given in: `title` in the release's own, `title_en` and the like beside it."""
        found: Names = {}
        if text := self.text(key):
            found[self.language or "und"] = text
        for other in [name for name in self.value if re.fullmatch(rf"{key}_[A-Za-z]{{2,3}}(?:[-_]\w{{2,8}})*", name)]:
            if translated := self.text(other):
                found[other[len(key) + 1 :].lower().replace("_", "-")] = translated
        return found

    def id(self, key: str = "id") -> str:
        """A local id; a whole number is taken as its digits, as many publishers write them."""
        return self.text(key, ID_MAX)

    def integer(self, key: str) -> int | None:
        value = self.take(key)
        if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip()):
            self.note(key, "amount.text")
            return int(value)
        if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) < 10**9:
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9):
            return value
        self.leave(key, "value.type")
        return None

    def decimal(self, key: str, reason: str = "amount.invalid") -> Decimal | None:
        """An exact decimal, from a JSON number or from a string of plain digits (`1,234.50` is ambiguous: left out)."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            self.leave(key, "value.type")
            return None
        if isinstance(value, str):
            if len(value) > 40 or not _DECIMAL.fullmatch(value.strip()):
                self.leave(key, reason)
                return None
            self.note(key, "amount.text")
        try:
            return Decimal(str(value).strip())
        except InvalidOperation:
            self.leave(key, reason)
            return None

    def currency(self, key: str = "currency") -> str:
        """An ISO 4217 code in capitals; lower case is noted, an unknown one left out."""
        code = self.text(key, 20)
        if code.upper() not in CURRENCIES:
            if code:
                self.leave(key, "currency.unknown")
            return ""
        if code != code.upper():
            self.note(key, "currency.case")
        return code.upper()

    def amount(self) -> Money | None:
        """This node as an OCDS Value: `amount` and `currency`, in minor units; `valueAddedTaxIncluded` is not kept."""
        amount, currency = self.decimal("amount"), self.currency()
        self.close()
        if amount is None:
            return None
        if not currency:
            self.leave("amount", "currency.missing")
            return None
        minor = amount.scaleb(exponent(currency))
        if minor < 0 or minor > LARGEST:
            self.leave("amount", "amount.invalid")
        elif minor != minor.to_integral_value():
            self.leave("amount", "amount.too_fine")
        else:
            return Money(int(minor), currency)
        return None

    def money(self, key: str) -> Money | None:
        node = self.node(key)
        return node.amount() if node else None

    def quantity(self, key: str = "quantity") -> Decimal | None:
        """A quantity above zero with at most six decimals."""
        value = self.decimal(key, "quantity.invalid")
        if value is None:
            return None
        if not 0 < value <= QUANTITY_LARGEST or value != round(value, PLACES):
            self.leave(key, "quantity.invalid")
            return None
        return value

    def instant(self, key: str) -> datetime | None:
        """An RFC 3339 instant in UTC. Without an offset, or a date alone, it is taken as UTC and noted."""
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.leave(key, "value.type")
            return None
        text = value.strip()
        try:
            if not _INSTANT.fullmatch(text):
                raise ValueError(text)
            found = datetime.fromisoformat(
                re.sub(r"(\.\d{6})\d+", r"\1", text.upper().replace(" ", "T", 1)).replace(" ", "")
            )
            if found.tzinfo is None:
                self.note(key, "instant.no_zone")
                found = found.replace(tzinfo=UTC)
            found = found.astimezone(UTC)
            if found.year not in YEARS:
                raise ValueError(text)
        except (ValueError, OverflowError):
            self.leave(key, "instant.invalid")
            return None
        return found

    def url(self, key: str) -> str:
        """An absolute http(s) address. Anything else (javascript:, file:, relative) is left out."""
        text = self.text(key, 2_000)
        if text and not _URL.fullmatch(text):
            self.leave(key, "url.invalid")
            return ""
        return text

    def node(self, key: str) -> Node | None:
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.leave(key, "value.type")
            return None
        return Node(value, self.at(key), self.report, self.language)

    def nodes(self, key: str) -> Iterator[Node]:
        """The objects of a list; what is no object, or says nothing at all, is noted and passed over."""
        for place, value in self._listed(key):
            if empty(value):
                self.report.left_out(place, "value.empty")
            elif isinstance(value, dict):
                yield Node(value, place, self.report, self.language)
            else:
                self.report.left_out(place, "value.type", _shown(value))

    def texts(self, key: str, most: int = ID_MAX) -> tuple[str, ...]:
        """The texts of a list, each once, in order."""
        found: dict[str, None] = {}
        for place, value in self._listed(key):
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if not isinstance(value, str) or len(value) > most:
                self.report.left_out(place, "value.type", _shown(value))
            elif value.strip():
                found[value.strip()] = None
            else:
                self.report.left_out(place, "value.empty")
        return tuple(found)

    def identified(self, key: str, read: Callable[[Node, str], T]) -> tuple[T, ...]:
        """The objects of a list that have an id of their own, each read; one without an id, or with one that has
        already been, is left out as a whole."""
        found: dict[str, T] = {}
        for node in self.nodes(key):
            id = node.id()
            if not id:
                self.report.left_out(node.path, "id.missing")
            elif id in found:
                self.report.left_out(node.path, "id.duplicate", id)
            else:
                found[id] = read(node, id)
                node.close()
        return tuple(found.values())

    def _listed(self, key: str) -> Iterator[tuple[str, Any]]:
        value = self.take(key)
        if value is None:
            return
        if not isinstance(value, list):
            self.leave(key, "value.type")
            return
        for index, entry in enumerate(value):
            if index == LIST_MAX:
                self.leave(key, "value.too_long", len(value))
                return
            yield f"{self.at(key)}[{index}]", entry


def coded(node: Node, key: str, codes: Mapping[str, str]) -> tuple[str, str]:
    """A code of a closed list and, where the publisher used a word of its own, that word: ("active", "Primirea ofertelor").

    `codes` maps every accepted word, in lower case, to the standard's code. An unknown word is kept as said, with no code.
    """
    said = node.text(key, 200)
    if not said:
        return "", ""
    code = codes.get(said.lower(), "")
    if not code:
        node.leave(key, "code.unknown")
        return "", said
    if code == said:
        return code, ""
    node.note(key, "code.mapped")
    return code, said


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return str(value)[:60]
