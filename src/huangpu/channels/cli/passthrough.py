"""`huangpu django …` and `huangpu shell`: Django's own commands on our database."""

from __future__ import annotations

from contextlib import nullcontext

import click

from huangpu.channels.cli.database import become_owner, database

WITHOUT_DATABASE = {
    "makemigrations",
    "collectstatic",
    "findstatic",
    "check",
    "help",
    "version",
    "diffsettings",
    "--help",
}
AS_OWNER = {"migrate", "flush", "sqlflush", "sqlmigrate", "squashmigrations", "optimizemigration"}


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def django(arguments: tuple[str, ...]) -> None:
    """Any command of Django's own, for example `huangpu django makemigrations`."""
    from django.core.management import execute_from_command_line

    name = arguments[0] if arguments else "help"
    if name in AS_OWNER:
        become_owner()
    with nullcontext() if name in WITHOUT_DATABASE else database():
        execute_from_command_line(["huangpu django", *arguments])


@click.command()
@click.option("-c", "--command", help="Run this code instead of asking for some.")
def shell(command: str | None) -> None:
    """A Python prompt with every room loaded."""
    from django.core.management import execute_from_command_line

    with database():
        execute_from_command_line(["huangpu shell", "shell", *(["-c", command] if command else [])])
