"""Bytes of a stranger → one JSON value, or a refusal that says where the text breaks.

`json` alone takes NaN, duplicate keys and any depth. So the text is scanned once for its structure, with everything it
may cost limited beforehand, and only then parsed. Numbers with a point become Decimal: no float is ever made.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

BYTES_MAX = 32 * 2**20
DEPTH_MAX = 64
VALUES_MAX = 1_000_000  # strings, numbers, objects and arrays of one file
NUMBER_CHARACTERS_MAX = 40
EXPONENT_MAX = 30

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*+"?)(?P<key>[ \t\r\n]*:)?"""
    r"|(?P<number>-?[0-9][0-9.eE+\-]*)"
    r"|(?P<constant>-?(?:Infinity|NaN))"
    r"|(?P<open>[\[{])|(?P<close>[\]}])",
    re.DOTALL,
)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Broken(Exception):
    """The file as a whole is refused. `code` is stable; `line` and `column` count from 1, `byte` from 0; `path` is a
    JSON path where the place is known by its path only."""

    def __init__(self, code: str, *, byte: int = -1, line: int = 0, column: int = 0, path: str = "", detail: str = ""):
        super().__init__(code)
        self.code = code
        self.byte = byte
        self.line = line
        self.column = column
        self.path = path
        self.detail = detail[:80]

    @property
    def place(self) -> str:
        """Where, for a person: «line 3, column 17 (byte 212)» or «$.records[2]»."""
        if self.path:
            return self.path
        if self.line:
            return f"{self.line}:{self.column} (byte {self.byte})"
        return f"byte {self.byte}" if self.byte >= 0 else "$"


def parse(content: bytes) -> Any:
    """The value of a JSON text (RFC 8259, UTF-8, a byte-order mark is passed over).

    Raises `Broken` with one of the codes: file.too_large, text.not_utf8, text.nul, text.surrogate, json.too_deep,
    json.too_many_values, json.huge_number, json.not_finite, json.duplicate_key, json.syntax.
    """
    if len(content) > BYTES_MAX:
        raise Broken("file.too_large", byte=BYTES_MAX, detail=str(len(content)))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise Broken("text.not_utf8", byte=error.start, line=line, column=column) from None
    if "\0" in text:
        raise _at("text.nul", text, text.index("\0"))
    _scan(text)
    try:
        return json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise _at("json.syntax", text, error.pos, error.msg) from None
    except (RecursionError, ValueError, ArithmeticError) as error:
        raise Broken("json.syntax", byte=0, line=1, column=1, detail=str(error)) from None


def _scan(text: str) -> None:
    """One pass over the tokens: depth, count, numbers, NUL and lone surrogates in escapes, keys written twice."""
    keys: list[set[str]] = []
    for count, token in enumerate(_TOKEN.finditer(text)):
        if count > VALUES_MAX:
            raise _at("json.too_many_values", text, token.start())
        kind = token.lastgroup
        if kind == "key" or kind == "text":
            _check_text(text, token, keys[-1] if keys and kind == "key" else None)
        elif kind == "number":
            _check_number(text, token)
        elif kind == "constant":
            raise _at("json.not_finite", text, token.start(), token.group())
        elif kind == "open":
            keys.append(set())
            if len(keys) > DEPTH_MAX:
                raise _at("json.too_deep", text, token.start())
        elif keys:
            keys.pop()


def _check_text(text: str, token: re.Match[str], keys: set[str] | None) -> None:
    written = token.group("text")
    if "\\" in written:
        if found := _NUL.search(written):
            raise _at("text.nul", text, token.start() + found.end() - 6)
        try:
            written = json.dumps(json.loads(written, strict=False), ensure_ascii=False)
            written.encode()
        except UnicodeEncodeError:
            raise _at("text.surrogate", text, token.start()) from None
        except ValueError:
            raise _at("json.syntax", text, token.start()) from None
    if keys is not None:
        if written in keys:
            raise _at("json.duplicate_key", text, token.start(), written)
        keys.add(written)


def _check_number(text: str, token: re.Match[str]) -> None:
    written = token.group()
    exponent = re.search(r"[eE]([+-]?\d+)$", written)
    if len(written) > NUMBER_CHARACTERS_MAX or (exponent and abs(int(exponent[1])) > EXPONENT_MAX):
        raise _at("json.huge_number", text, token.start(), written)


def _at(code: str, text: str, position: int, detail: str = "") -> Broken:
    before = text[:position]
    return Broken(
        code,
        byte=len(before.encode(errors="replace")),
        line=before.count("\n") + 1,
        column=position - before.rfind("\n"),
        detail=detail,
    )
