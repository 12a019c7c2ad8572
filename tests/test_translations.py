"""Every sentence of every room is in Chinese, in the room's own catalogue, with the parameters of the original."""

from __future__ import annotations

import gettext
import io
import re
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from django.apps import apps
from tools import messages

from huangpu.core.web import catalogues

ROOMS = sorted(one.name for one in apps.get_app_configs() if one.name.startswith("huangpu."))
PARAMETER = re.compile(r"%\(\w+\)[a-z]|\{\w+\}")


def found_in(room: str) -> Catalog:
    folders = catalogues.rooms()
    folder = folders[room]
    return messages.extracted(folder, [other for other in folders.values() if folder in other.parents])


def kept_by(room: str) -> Catalog:
    path = catalogues.path_of(catalogues.rooms()[room])
    return catalogues.read(path) if path.exists() else Catalog(locale=catalogues.LOCALE)


@pytest.mark.parametrize("room", ROOMS)
def test_every_sentence_has_its_chinese(room: str) -> None:
    lacking = [str(message.id) for message in messages.untranslated(found_in(room), kept_by(room))]
    assert not lacking, f"{room}: run `python tools/messages.py {room}` and translate: {lacking}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_translation_has_the_parameters_of_its_sentence(room: str) -> None:
    for message in kept_by(room):
        if not message.id:
            continue
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = set(PARAMETER.findall(originals[-1]))
        for string in strings:
            assert set(PARAMETER.findall(string)) == wanted, (room, originals[-1], string)


@pytest.mark.parametrize("room", ROOMS)
def test_the_catalogue_compiles_and_keeps_no_sentence_that_is_gone(room: str) -> None:
    kept, found = kept_by(room), found_in(room)
    read = gettext.GNUTranslations(io.BytesIO(catalogues.compiled(kept)))
    for message in kept:
        if not message.id:
            continue
        single = message.id if isinstance(message.id, str) else message.id[0]
        assert found.get(single, message.context), f"{room}: “{single}” is not in the code any more"
        if isinstance(message.id, str) and message.string:
            said = read.pgettext(message.context, single) if message.context else read.gettext(single)
            assert said == message.string


def test_a_sentence_without_chinese_is_found(tmp_path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/page.html").write_text(
        '{% load i18n %}{% translate "It\'s here" %}'
        "{% blocktranslate count n=n %}{{ n }} bid{% plural %}{{ n }} bids{% endblocktranslate %}"
    )
    (tmp_path / "rules.py").write_text(
        'from x import pgettext, gettext as _\nwrong = pgettext("state", "Open") + f"{_(\'Lot\')} 1"\n'
    )
    found = messages.extracted(tmp_path, [])
    ids = {(message.id, message.context) for message in found if message.id}
    assert ids == {("It's here", None), (("%(n)s bid", "%(n)s bids"), None), ("Open", "state"), ("Lot", None)}
    kept = Catalog(locale=catalogues.LOCALE)
    kept.add("It's here", "在这里")
    kept.add("Open", "打开")  # of another context: not the same sentence
    assert len(messages.untranslated(found, kept)) == 3


def test_only_what_is_newer_is_compiled_anew(tmp_path) -> None:
    source = tmp_path / "room/locale/zh_Hans/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    kept = Catalog(locale=catalogues.LOCALE)
    kept.add("Open", "打开")
    messages.write(source, kept)
    assert catalogues.compile_all(tmp_path) == [source]
    assert catalogues.compile_all(tmp_path) == []
    with source.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Open") == "打开"


def test_a_sentence_has_one_translation_in_all_rooms() -> None:
    """Django reads all catalogues as one: of two translations of the same words one would be shown everywhere. Words that mean
    two things have a context."""
    said: dict[tuple[str | None, Any], dict[str, Any]] = {}
    for room in ROOMS:
        for message in kept_by(room):
            if message.id:
                said.setdefault((message.context, message.id), {})[room] = message.string
    assert {words: rooms for words, rooms in said.items() if len({str(text) for text in rooms.values()}) > 1} == {}
