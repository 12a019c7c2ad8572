"""The command line: every command is documented, and what cannot work says so in one line."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from huangpu.channels.cli.main import main
from huangpu.channels.cli.translations import PACKAGE, compile_stale
from huangpu.core.verify import Check

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def huangpu(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with an environment of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUANGPU_", "DATABASE_URL"))}
    return subprocess.run(
        [sys.executable, "-m", "huangpu", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_command_and_option_is_documented() -> None:
    text = (DOCS / "cli.md").read_text()
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        section = re.search(rf"^## `huangpu {name}.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section, f"docs/reference/cli.md has no section for `huangpu {name}`"
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[-1] in section[0], f"docs/reference/cli.md: {name} {option.opts[-1]} is missing"


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    read = set()
    for source in PACKAGE.glob("**/*.py"):
        read |= set(re.findall(r"""["'](HUANGPU_[A-Z_]+|DATABASE_URL|PG_BIN)["']""", source.read_text()))
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE))
    assert read - documented - {"HUANGPU_AS_OWNER"} == set()
    assert documented - read == set()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HUANGPU_PORT": "eighty"}, "HUANGPU_PORT='eighty' cannot be used: write a whole number from 1 to 65535"),
        ({"HUANGPU_DEMO": "maybe"}, "HUANGPU_DEMO='maybe' cannot be used: write 1 or 0"),
        ({"DATABASE_URL": "mysql://a:secret@b/c"}, "DATABASE_URL='mysql://a:***@b/c' cannot be used"),
        ({"DATABASE_URL": "postgresql://a@127.0.0.1:port/c"}, "DATABASE_URL='…' cannot be used"),
        ({"DATABASE_URL": "postgresql://a:secret@127.0.0.1:1/c"}, "postgresql://a:***@127.0.0.1:1/c cannot be used"),
        ({"HUANGPU_DATA": "/proc/nothing"}, "HUANGPU_DATA='/proc/nothing' cannot be used: it cannot be written"),
        ({"PG_BIN": "/nowhere"}, "PG_BIN=/nowhere holds no PostgreSQL server"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    done = huangpu("verify", **{"HUANGPU_DATA": str(tmp_path), **environment})
    assert done.returncode in (2, 3)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr.replace("secret-key", "")


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = huangpu("serve", HUANGPU_DATA=str(tmp_path), HUANGPU_PORT=port)
    assert done.returncode == 3
    said = f"huangpu: port {port} of 127.0.0.1 is in use by another program: set HUANGPU_PORT to a free one\n"
    assert done.stderr == said
    assert not (tmp_path / "pg").exists()


def test_clean_demo_does_not_delete_a_database_that_is_not_ours() -> None:
    done = huangpu(
        "clean-demo", DATABASE_URL=os.environ["DATABASE_URL"], HUANGPU_DATA=os.environ.get("HUANGPU_DATA", "/tmp")
    )
    assert done.returncode == 3
    assert "not ours to delete" in done.stderr


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    found: list[Check] = []
    monkeypatch.setattr("huangpu.core.verify.all_checks", lambda: iter(found))
    monkeypatch.setattr("huangpu.channels.cli.verify.require_migrated", lambda: None)
    return found


def test_verify_fails_when_something_does_not_hold(checks: list[Check]) -> None:
    checks.append(Check("funds: books balance", True, "12 accounts"))
    assert CliRunner().invoke(main, ["verify"]).exit_code == 0
    checks.append(Check("goods: stock equals its movements", False, "1 place differs"))
    done = CliRunner().invoke(main, ["verify", "--json"])
    assert done.exit_code == 1
    assert [json.loads(line)["ok"] for line in done.stdout.splitlines()] == [True, False]


def test_catalogues_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "room" / "locale" / "zh_Hans" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "django.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "bid"\nmsgstr "投标"\n'
    )
    monkeypatch.setattr("huangpu.channels.cli.translations.PACKAGE", tmp_path)
    assert len(compile_stale()) == 1
    assert "投标".encode() in (place / "django.mo").read_bytes()
    assert compile_stale() == []
