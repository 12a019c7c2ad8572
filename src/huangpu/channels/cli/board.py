"""`huangpu board`: the figures of the city board, counted anew."""

from __future__ import annotations

import click

from huangpu.channels.cli.database import database, require_migrated, set_up_django


@click.group()
def board() -> None:
    """The figures of the city board."""


@board.command()
def rebuild() -> None:
    """Count all figures anew from the log."""
    with database():
        set_up_django()
        require_migrated()
        from huangpu.city.board import acts
        from huangpu.core import clock
        from huangpu.parties.actor import SYSTEM

        acts.rebuild(actor=SYSTEM, now=clock.now())
        print(f"{acts.catch_up():,} events counted.")
