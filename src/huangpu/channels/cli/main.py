"""The command `huangpu`. A room adds its own commands by a module `commands.py` with `commands: list[click.Command]`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any

import click

from huangpu.channels.cli.supervise import CannotServe
from huangpu.core.postgres import DatabaseUnusable

OWN = {
    "bench": "bench:bench",
    "chaos": "chaos:chaos",
    "board": "board:board",
    "migrate": "migrate:migrate",
    "serve": "serve:serve",
    "demo": "demo:demo",
    "clean-demo": "demo:clean_demo",
    "worker": "worker:worker",
    "import": "importing:bring_in",
    "verify": "verify:verify",
    "shell": "passthrough:shell",
    "django": "passthrough:django",
    "compile-translations": "translations:compile_translations",
}


class Commands(click.Group):
    """Our own commands, imported when they are asked for, and the rooms'."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted({*OWN, *_room_commands()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if place := OWN.get(name):
            module, attribute = place.split(":")
            command: click.Command = getattr(importlib.import_module(f"huangpu.channels.cli.{module}"), attribute)
            return command
        return _room_commands().get(name)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """One clear line and status 3 when the house cannot be served; a traceback would not help anybody."""
        try:
            return super().main(*args, **kwargs)
        except (DatabaseUnusable, CannotServe) as wrong:
            print(f"huangpu: {wrong}", file=sys.stderr)
            sys.exit(3)


def _room_commands() -> dict[str, click.Command]:
    """The commands of the installed rooms. Their modules import nothing of Django's before they run."""
    from huangpu.settings import INSTALLED_APPS

    found: dict[str, click.Command] = {}
    for room in INSTALLED_APPS:
        if room.startswith("huangpu.") and importlib.util.find_spec(f"{room}.commands"):
            for command in importlib.import_module(f"{room}.commands").commands:
                found[command.name] = command
    return found


@click.command(cls=Commands)
@click.version_option(package_name="huangpu")
def main() -> None:
    """Huangpu (黄浦): a platform on which a city, a region or an industry trades."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")
