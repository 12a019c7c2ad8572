"""`huangpu chaos`: kills parts of a house under load, and looks whether anything acknowledged was lost or doubled."""

from __future__ import annotations

import secrets
import sys
from datetime import datetime

import click


@click.command()
@click.option("--kills", type=click.IntRange(0, 10_000), default=50, show_default=True, help="How many `kill -9`.")
@click.option("--seed", type=int, help="Of the random choices; printed, so that a run can be repeated in its choices.")
@click.option("--seconds-max", type=float, default=1800, show_default=True, help="Stop killing after so long.")
@click.option(
    "--planted", type=click.Choice(["lost", "doubled"]), help="Make a client lie like this: the run must fail."
)
def chaos(kills: int, seed: int | None, seconds_max: float, planted: str | None) -> None:
    """Kill web, worker, live process and PostgreSQL at random while clients trade, then reckon. Status 1: it does not fit.

    Runs a house of its own on a throwaway folder; yours is not touched. For Linux.
    """
    from huangpu.channels.chaos.run import torment

    if sys.platform != "linux":
        raise click.UsageError("it finds its victims in /proc: run it on Linux")
    chosen = secrets.randbelow(2**31) if seed is None else seed
    result = torment(kills, chosen, seconds_max, planted, _say)
    for line in result.lines():
        print(line)
    sys.exit(1 if result.wrong else 0)


def _say(text: str) -> None:
    print(f"chaos: {datetime.now().astimezone():%H:%M:%S} {text}", file=sys.stderr, flush=True)
