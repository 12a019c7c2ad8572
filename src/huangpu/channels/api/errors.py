"""Every stable error code with its meaning, read from the source: where an error is raised with its code and its sentence,
both are written there, so that the list cannot say anything else."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import huangpu
from huangpu.core import errors
from huangpu.core.web.api import SENTENCES
from huangpu.core.web.problems import KINDS, title_of

CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
TRANSLATING = {"_", "gettext", "gettext_lazy", "now_"}
STATUS = {
    name: kind.status for name, kind in vars(errors).items() if isinstance(kind, type) and hasattr(kind, "status")
}


@dataclass
class Entry:
    """A code, the HTTP statuses it comes with, and its sentences in English (one, rarely more)."""

    code: str
    statuses: set[int] = field(default_factory=set)
    sentences: list[str] = field(default_factory=list)

    def add(self, status: int | None, sentence: str) -> None:
        if status is not None:
            self.statuses.add(status)
        if sentence not in self.sentences:
            self.sentences.append(sentence)


@cache
def catalogue() -> dict[str, Entry]:
    """All codes in alphabetical order."""
    found: dict[str, Entry] = {}
    for kind, sentence in SENTENCES.items():
        found.setdefault(f"api.{kind}", Entry(f"api.{kind}")).add(422, _english(sentence))
    for status, known in KINDS.items():
        found.setdefault(known.code, Entry(known.code)).add(status, _english(known.detail))
    for source in sorted(Path(huangpu.__file__).parent.rglob("*.py")):
        if "migrations" not in source.parts:
            _read(ast.parse(source.read_text(), str(source)), found)
    return dict(sorted(found.items()))


def _english(sentence: object) -> str:
    from django.utils.translation import override

    with override("en"):
        return str(sentence)


def _read(tree: ast.AST, found: dict[str, Entry]) -> None:
    """Adds each call whose first argument is a code and whose second a translated sentence: an error, or a function that
    makes one. The sentence may stand in a variable just before."""
    said = {
        target.id: text
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and (text := _sentence(node.value, {}))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        text = _sentence(node.args[1], said)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        status = STATUS.get(name, 400 if name == "MissingKey" else None)
        for code in _codes(node.args[0]) if text else ():
            found.setdefault(code, Entry(code)).add(status, text or "")


def _codes(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_codes(node.body), *_codes(node.orelse)]
    is_code = isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    return [str(node.value)] if is_code and isinstance(node, ast.Constant) else []


def _sentence(node: ast.expr, said: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return said.get(node.id)
    translating = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATING
    if translating and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return None


def page() -> str:
    """docs/reference/errors.md, in Markdown."""
    lines = [PREAMBLE]
    room = ""
    for entry in catalogue().values():
        if entry.code.split(".")[0] != room:
            room = entry.code.split(".")[0]
            lines += [f"\n## {room}\n", "| code | status | meaning |", "|---|---|---|"]
        statuses = ", ".join(str(status) for status in sorted(entry.statuses))
        meaning = " / ".join(" ".join(text.split()).replace("|", "\\|") for text in entry.sentences)
        lines.append(f"| `{entry.code}` | {statuses} | {meaning} |")
    return "\n".join(lines) + "\n"


def statuses_in_words(entry: Entry) -> list[tuple[int, str]]:
    """The statuses of a code with their titles in the reader's language."""
    return [(status, title_of(status)) for status in sorted(entry.statuses)]


PREAMBLE = """\
# Error codes

Made by `huangpu errors` from the source; a test fails when this page is older than that.

Every refusal of the API is problem details (RFC 9457, `application/problem+json`): `type` is `/problems/<code>`, `title` and
`detail` are in the language of `Accept-Language`, `field` and `value` say what was wrong, `errors` lists all that was wrong at
once. A `code` never changes its meaning. In the sentences below `%(value)s` stands for the value that was sent."""
