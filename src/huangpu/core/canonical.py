"""Canonical JSON (RFC 8785): the same bytes for the same value, so that a hash over them means the value."""

from __future__ import annotations

import json
import re
from typing import Any

import rfc8785

# Where the standard library's encoder could write something else than RFC 8785 does: a number with a fraction or an
# exponent, an integer of 16 digits or more, or a character that sorts differently in UTF-16. A match inside a string does
# no harm: the value then takes the longer way to the same bytes.
_DOUBTFUL = re.compile('[\ud800-\U0010ffff]|(?:":|[,\\[])-?(?:\\d+[.eE]|\\d{16})|^-?\\d|NaN|Infinity')
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a value made of dicts with text keys, lists, texts, integers, booleans and None.

    The reference implementation (`rfc8785`) is pure Python and costs more than the rest of an act; the standard library's
    encoder writes the same bytes for everything but the doubtful, which is left to the reference. A property test holds
    the two together. Raises what `rfc8785` raises for values that have no canonical form.
    """
    text = _ENCODER.encode(value)
    if _DOUBTFUL.search(text):
        return rfc8785.dumps(value)
    return text.encode()
