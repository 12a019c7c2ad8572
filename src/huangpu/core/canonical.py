"""JSON of two kinds: canonical (RFC 8785), the same bytes for the same value, so that a hash over them means the value; and
short, for the database."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import rfc8785

# Where the standard library's encoder could write something else than RFC 8785 does: a number with a fraction or an
# exponent, an integer of 16 digits or more, or a character that sorts differently in UTF-16. A match inside a string does
# no harm: the value then takes the longer way to the same bytes. Several plain searches are quicker than one of all.
_NUMBER = r"-?(?:\d+[.eE]|\d{16}|NaN|Infinity)"
_AS_VALUE, _IN_LIST, _ALONE = re.compile('":' + _NUMBER), re.compile(r"[,\[]" + _NUMBER), re.compile(_NUMBER)
_SORTS_OTHERWISE = re.compile("[\ud800-\U0010ffff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a value made of dicts with text keys, lists, texts, integers, booleans and None.

    The reference implementation (`rfc8785`) is pure Python and costs more than the rest of an act; the standard library's
    encoder writes the same bytes for everything but the doubtful, which is left to the reference. A property test holds
    the two together. Raises what `rfc8785` raises for values that have no canonical form.
    """
    text = _ENCODER.encode(value)
    if (
        _AS_VALUE.search(text)
        or _IN_LIST.search(text)
        or _ALONE.match(text)
        or (not text.isascii() and _SORTS_OTHERWISE.search(text))
    ):
        return rfc8785.dumps(value)
    return text.encode()


def canonical_texts(value: dict[str, Any]) -> bytes:
    """The same for an object whose keys are ASCII and whose values are texts, lists of texts, and None: none is doubtful."""
    return _ENCODER.encode(value).encode()


def write_json(value: Any) -> str:
    """A value as JSON for the database: ids and instants as they are, a decimal as the text that `quantity.plain` makes."""
    return orjson.dumps(value).decode()


def read_json(text: str) -> Any:
    """A value from the database's JSON. Most of the objects there are empty."""
    return {} if text == "{}" else orjson.loads(text)
