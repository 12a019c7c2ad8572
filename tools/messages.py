"""Collect every room's sentences into its own Chinese catalogue: `python tools/messages.py [ROOM …]`, `--check` only tells.

A room is an installed app of ours, for example `huangpu.markets.tender`. New sentences are added with an empty translation
for a person to fill; those that are gone are removed; nothing is guessed (no fuzzy matching).
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.pofile import write_po
from django.utils.translation.template import templatize

KEYWORDS = {
    "gettext": None, "gettext_lazy": None, "_": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2), "npgettext": ((1, "c"), 2, 3), "npgettext_lazy": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Update (or check) the catalogues of the rooms named, or of all. Status 1 when something is untranslated."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")
    import django

    django.setup()
    from huangpu.core.web import catalogues

    check = "--check" in arguments
    wanted = [name for name in arguments if not name.startswith("-")]
    missing = 0
    for name, folder in catalogues.rooms().items():
        if wanted and name not in wanted:
            continue
        found = extracted(folder, [other for other in catalogues.rooms().values() if folder in other.parents])
        path = catalogues.path_of(folder)
        kept = catalogues.read(path) if path.exists() else Catalog(locale=catalogues.LOCALE)
        lacking = untranslated(found, kept)
        missing += len(lacking)
        if lacking:
            print(f"{name}: {len(lacking)} of {len(found)} sentences without Chinese")
        if not check and len(found):
            write(path, merged(found, kept))
    return 1 if missing else 0


CALL = re.compile(r"""\b(?:n?p?gettext|_)\((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*\)""")


def from_template(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """A Babel extractor: Django turns a template into calls of gettext among blanks; Babel reads the calls."""
    source = templatize(file.read().decode(), origin=getattr(file, "name", None))
    calls = "\n".join(found[0] for found in CALL.finditer(source))
    return extract_python(BytesIO(calls.encode()), keywords, comment_tags, options)


def from_python(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """A Babel extractor that reads the syntax tree: Babel's own sees no call inside of an f-string before Python 3.12, and
    none of a function that was imported under another name.
    """
    del comment_tags, options
    tree = ast.parse(file.read())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    real = {one.asname: one.name for node in imports for one in node.names if one.asname and one.name in keywords}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            name = real.get(called, called)
            if name in keywords:
                texts = [one.value if isinstance(one, ast.Constant) else None for one in node.args]
                yield node.lineno, name, tuple(one if isinstance(one, str) else None for one in texts), []


METHODS: list[tuple[str, Any]] = [
    ("**.py", from_python),
    ("**/templates/**.html", from_template),
    ("**/templates/**.txt", from_template),
]


def extracted(folder: Path, inner: list[Path]) -> Catalog:
    """The sentences of a room's Python and templates, without those of the rooms inside it."""
    catalogue = Catalog(charset="utf-8")

    def outside(path: str | os.PathLike[str]) -> bool:
        name = Path(path)
        return name not in inner and name.name not in ("migrations", "static", "locale", "__pycache__")

    for file, line, message, comments, context in extract_from_dir(
        folder, METHODS, None, KEYWORDS, (), directory_filter=outside
    ):
        del line  # a line's number changes with every edit: the file is enough to find a sentence
        catalogue.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return catalogue


def untranslated(found: Catalog, kept: Catalog) -> list[Message]:
    """The sentences that have no translation, or only a part of one."""
    return [message for message in found if message.id and not translation(kept, message)]


def translation(kept: Catalog, message: Message) -> str | tuple[str, ...] | None:
    """The translation of a sentence as its catalogue keeps it; None where it lacks."""
    known = kept.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
    if known is None or known.fuzzy or not known.string:
        return None
    strings = (known.string,) if isinstance(known.string, str) else tuple(known.string)
    if not all(strings):
        return None
    return strings if message.pluralizable else strings[0]


def merged(found: Catalog, kept: Catalog) -> Catalog:
    """The room's catalogue anew: what is found, with the translations that are kept."""
    from huangpu.core.web import catalogues

    fresh = Catalog(
        locale=catalogues.LOCALE, project="Huangpu", version="0.1", charset="utf-8", fuzzy=False,
        header_comment="# Simplified Chinese of this room.", last_translator="", language_team="",
        creation_date=kept.creation_date, revision_date=kept.creation_date,
    )  # fmt: skip
    for message in sorted((one for one in found if one.id), key=lambda one: (one.locations[0][0], str(one.id))):
        string = translation(kept, message) or ("" if not message.pluralizable else ("",))
        fresh.add(message.id, string, message.locations, message.flags, message.auto_comments, context=message.context)
    return fresh


def write(path: Path, catalogue: Catalog) -> None:
    """Without dates and lines, so that only a change of words changes the file."""
    buffer = BytesIO()
    write_po(buffer, catalogue, width=120, include_lineno=False)
    text = buffer.getvalue().decode()
    lines = [line for line in text.splitlines() if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date',
             '"Last-Translator', '"Language-Team', '"Generated-By', '"Report-Msgid'))]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
