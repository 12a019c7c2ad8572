"""The command `huangpu`."""

from __future__ import annotations

import os

import click


@click.group()
@click.version_option(package_name="huangpu")
def main() -> None:
    """Huangpu (黄浦): a platform on which a city, a region or an industry trades."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def django(arguments: tuple[str, ...]) -> None:
    """Any command of Django's own, for example `huangpu django makemigrations`."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["huangpu django", *arguments])
