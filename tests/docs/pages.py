"""Reads a page of the documentation as a script and runs it: what it tells people to type is sent, and what it shows is
compared with what comes.

A page's `bash` blocks are read as far as a tutorial needs a shell: assignments, `$NAME`, `sleep`, `curl`, here-documents.
An `http` block is the answer to the command before it: status, headers it names, and JSON in which

- an object may leave names out,
- "…" stands for any value, inside a text for any part of it, and in a list for any further items,
- "$NAME" keeps the value under that name, or compares it with what is already kept.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ANY = "…"
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.M | re.S)
HEREDOC = re.compile(r"^(.*?) <<EOF\n(.*?)\nEOF$", re.M | re.S)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Z]\w*))")
DATE = re.compile(r"\$\(date -u -d '\+(\d+) (second|minute)s?' \+%FT%TZ\)")
ASSIGNMENT = re.compile(r"^([A-Z]\w*)=(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page on which it begins."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Request:
    """One `curl`. `jar`: the cookie file whose session it uses."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    form: dict[str, str]
    jar: str | None


@dataclass(frozen=True)
class Answer:
    """What came: headers by lower-case name."""

    status: int
    headers: dict[str, str]
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    source = page.read_text()
    for found in BLOCK.finditer(source):
        yield Block(found[1], found[2].rstrip("\n"), source.count("\n", 0, found.start()) + 1)


@dataclass
class Reader:
    """Runs a page. `send` answers a request, `csrf` tells a cookie file's token, `wait` lets so many seconds pass."""

    send: Callable[[Request], Answer]
    csrf: Callable[[str], str]
    wait: Callable[[int], None]
    now: Callable[[], datetime]
    console: Callable[[str], str]
    names: dict[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    requests: int = 0
    compared: int = 0

    def run(self, page: Path) -> None:
        """Every block in order. Raises AssertionError with the page's line when the page says something else."""
        for block in blocks(page):
            try:
                self._block(block)
            except Exception as wrong:
                came = self.answer.text[:4000] if self.answer else "nothing"
                raise AssertionError(f"{page.name}:{block.line}: {wrong}\nwhat came: {came}") from wrong

    def _block(self, block: Block) -> None:
        if block.language == "bash":
            for command in commands(block.text):
                self._command(*command)
        elif block.language == "http":
            self._compare(block.text)
        elif block.language == "console":
            command, _, shown = block.text.partition("\n")
            matches(shown.split("\n"), self.console(command.removeprefix("$ ")).split("\n"), self.names, "output")
            self.compared += 1

    def _command(self, line: str, document: str | None) -> None:
        if found := ASSIGNMENT.match(line):
            [self.names[found[1]]] = shlex.split(self._filled(found[2]))
        elif line.startswith("csrf() {"):
            pass  # the definition of what $(csrf FILE) stands for
        else:
            words = shlex.split(self._filled(line), comments=True)
            if words[0] == "sleep":
                self.wait(int(words[1]))
            else:
                assert words[0] == "curl", f"“{words[0]}” is not a command of this page's shell"
                request = curl(words[1:], None if document is None else self._filled(document))
                self.answer = self.send(request)
                self.requests += 1

    def _filled(self, text: str) -> str:
        text = DATE.sub(lambda found: _later(self.now(), int(found[1]), found[2]), text)
        text = text.replace("$(date +%s)", str(int(self.now().timestamp())))
        text = re.sub(r"\$\(csrf (\S+)\)", lambda found: self.csrf(found[1]), text)
        return VARIABLE.sub(lambda found: self.names[found[1] or found[2]], text)

    def _compare(self, shown: str) -> None:
        assert self.answer is not None, "an answer is shown before anything was asked"
        head, _, body = shown.partition("\n\n")
        status, *headers = head.split("\n")
        assert status.split()[1] == str(self.answer.status), f"the page says {status}, it was {self.answer.status}"
        for name, _, value in (line.partition(": ") for line in headers):
            matches(value, self.answer.headers.get(name.lower()), self.names, name)
        if body:
            matches(json.loads(body), json.loads(self.answer.text), self.names, "")
        self.compared += 1


def _later(now: datetime, count: int, unit: str) -> str:
    moment = now + timedelta(**{f"{unit}s": count})
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commands(text: str) -> Iterator[tuple[str, str | None]]:
    """The commands of a block, each with its here-document."""
    text = text.replace("\\\n", " ")
    while text.strip():
        line, _, rest = text.lstrip("\n").partition("\n")
        document = None
        if line.endswith(" <<EOF"):
            line = line.removesuffix(" <<EOF")
            document, _, rest = rest.partition("\nEOF")
        if line.strip() and not line.startswith("#"):
            yield line, document
        text = rest


def curl(words: list[str], document: str | None) -> Request:
    """A request from curl's arguments, as far as the pages use them."""
    url, method, body, jar = "", "", None, None
    headers: dict[str, str] = {}
    form: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in ("-X", "--request"):
            method = next(rest)
        elif word in ("-H", "--header"):
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "--json":
            given = next(rest)
            body = document if given == "@-" else given
            headers["Content-Type"] = "application/json"
        elif word in ("-d", "--data", "--data-urlencode"):
            name, _, value = next(rest).partition("=")
            form[name] = value
        elif word in ("-b", "-c"):
            jar = next(rest)
        elif word in ("-o",):
            next(rest)
        elif not word.startswith("-"):
            url = word
    assert url, f"curl without an address: {words}"
    return Request(method or ("POST" if body is not None or form else "GET"), url, headers, body, form, jar)


def matches(shown: Any, came: Any, names: dict[str, str], place: str) -> None:
    """Raises AssertionError where what came is not what is shown."""
    if isinstance(shown, dict):
        assert isinstance(came, dict), f"{place}: {came!r} is no object"
        for name, value in shown.items():
            assert name in came, f"{place}.{name} did not come"
            matches(value, came[name], names, f"{place}.{name}")
    elif isinstance(shown, list):
        assert isinstance(came, list), f"{place}: {came!r} is no list"
        _list_matches(shown, came, names, place)
    elif isinstance(shown, str) and re.fullmatch(r"\$[A-Z]\w*", shown) and shown[1:] not in names:
        assert came not in (None, ""), f"{place}: nothing came to keep as {shown}"
        names[shown[1:]] = str(came)
    elif isinstance(shown, str):
        wanted = VARIABLE.sub(lambda found: names.get(found[1] or found[2], found[0]), shown)
        pattern = ".*".join(re.escape(part) for part in wanted.split(ANY))
        fits = came is not None if shown == ANY else isinstance(came, str) and re.fullmatch(pattern, came, re.S)
        assert fits, f"{place}: the page says {shown!r}, it was {came!r}"
    else:
        assert shown == came, f"{place}: the page says {shown!r}, it was {came!r}"


def _list_matches(shown: list[Any], came: list[Any], names: dict[str, str], place: str) -> None:
    wanted = [item for item in shown if item != ANY]
    if len(wanted) == len(shown):
        assert len(shown) == len(came), f"{place}: the page shows {len(shown)} items, {len(came)} came"
    start = 0
    for item in wanted:
        for at in range(start, len(came)):
            kept = dict(names)
            try:
                matches(item, came[at], kept, f"{place}[{at}]")
            except AssertionError:
                if len(wanted) == len(shown) or at == len(came) - 1:
                    raise
                continue
            names.update(kept)
            start = at + 1
            break
        else:
            raise AssertionError(f"{place}: {item!r} did not come")
