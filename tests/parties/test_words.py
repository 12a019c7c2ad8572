"""Every sentence of the room is there in Chinese, with the same parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po

import huangpu.parties

ROOM = Path(huangpu.parties.__file__ or "").parent
CALLS = {"_", "gettext", "gettext_lazy", "pgettext", "pgettext_lazy"}
Key = tuple[str | None, str]


def in_python() -> Iterator[Key]:
    for file in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS):
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            yield (texts[0], texts[1]) if node.func.id.startswith("p") else (None, texts[0])


def in_templates() -> Iterator[Key]:
    for file in (ROOM / "templates").rglob("*.html"):
        text = file.read_text()
        for message, context in re.findall(r'{% translate "([^"]*)"(?: context "([^"]*)")?', text):
            yield context or None, message
        for message in re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", text, re.DOTALL):
            yield None, re.sub(r"{{ (\w+) }}", r"%(\1)s", message.replace("%", "%%"))


def test_the_catalogue_is_complete_and_says_nothing_else() -> None:
    with (ROOM / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = {(one.context, str(one.id)): str(one.string) for one in read_po(file) if one.id}
    used = {*in_python(), *in_templates()}
    assert used - set(catalogue) == set()
    assert set(catalogue) - used == set()
    for (_, message), chinese in catalogue.items():
        assert chinese, message
        assert sorted(re.findall(r"%\((\w+)\)", message)) == sorted(re.findall(r"%\((\w+)\)", chinese)), message
