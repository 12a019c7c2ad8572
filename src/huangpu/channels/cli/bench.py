"""`huangpu bench`: the project measures itself, against a reference of the same run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from huangpu.channels.bench.measure import Measure
from huangpu.channels.bench.registry import Bench, benches
from huangpu.channels.bench.run import Run, throwaway_database, with_database
from huangpu.channels.cli.database import database, set_up_django
from huangpu.channels.cli.prepare import run as run_command
from huangpu.environment import environment


@click.command()
@click.argument("name")
@click.option("--quick", is_flag=True, help="About a minute instead of the full size.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a measure, each on its own line.")
@click.option("--planted", is_flag=True, help="Run the deliberately slow or wrong twin, which must fail.")
def bench(name: str, quick: bool, as_json: bool, planted: bool) -> None:
    """Measure NAME, or `all`; `list` says what there is. Ends with status 1 when a floor is missed or `huangpu verify` fails.

    The benches of the database run in a throwaway one on the same server; TPC-B, their reference, runs in another.
    """
    known = benches()
    if name == "list":
        for one in known.values():
            print(f"{one.name:10} {one.summary}")
        return
    if name == "all":
        sys.exit(max([_in_its_own_process(one, quick, as_json, planted) for one in known], default=0))
    if name not in known:
        raise click.UsageError(f"there is no bench {name}; there are: {', '.join(known) or 'none'}")
    passed = _measure(known[name], quick, as_json, planted)
    if planted:
        print(f"bench: the planted twin {'PASSED: this bench sees nothing' if passed else 'failed, as it must'}",
              file=sys.stderr)  # fmt: skip
    sys.exit(0 if passed else 1)


def _in_its_own_process(name: str, quick: bool, as_json: bool, planted: bool) -> int:
    flags = [("--quick", quick), ("--json", as_json), ("--planted", planted)]
    command = [sys.executable, "-m", "huangpu", "bench", name, *(flag for flag, on in flags if on)]
    return 1 if subprocess.run(command).returncode else 0


def _measure(chosen: Bench, quick: bool, as_json: bool, planted: bool) -> bool:
    found: list[Measure] = []
    with _place(chosen) as (url, owner_url):
        try:
            for measure in chosen.function(Run(quick, planted, url, owner_url)):
                found.append(measure)
                if as_json:
                    print(measure.line(), flush=True)
        except RuntimeError as wrong:
            print(f"bench: {chosen.name} broke off: {wrong}", file=sys.stderr)
            return False
        verified = not chosen.database or _verified()
    if not as_json:
        _print(chosen, found)
    return verified and all(measure.ok for measure in found)


@contextmanager
def _place(chosen: Bench) -> Iterator[tuple[str, str]]:
    """The throwaway database of a bench, migrated, with Django set up on it as the application role."""
    if not chosen.database:
        yield "", ""
        return
    with database():
        env = environment()
        with throwaway_database(env.owner) as owner_url:
            url = with_database(env.application, owner_url.split("?")[0].rsplit("/", 1)[1])
            os.environ.update(DATABASE_URL=url, HUANGPU_OWNER_URL=owner_url)
            environment.cache_clear()
            run_command(["migrate", "--quiet"], "the throwaway database cannot be made")
            set_up_django()
            yield url, owner_url
            from django.db import connections

            connections.close_all()


def _verified() -> bool:
    from huangpu.core.verify import all_checks

    broken = [check for check in all_checks() if not check.ok]
    for check in broken:
        print(f"bench: verify: BROKEN {check.name}: {check.detail}", file=sys.stderr)
    return not broken


def _print(chosen: Bench, found: list[Measure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "measure", "value", "unit", "reference", "ratio", "floor", title=chosen.summary)
    for one in found:
        numbers = [f"{number:,.4g}" if number is not None else "" for number in (one.reference, one.ratio, one.floor)]
        table.add_row(
            "[green]ok[/]" if one.ok else "[bold red]MISSED[/]", one.name, f"{one.value:,.6g}", one.unit, *numbers
        )
    console = Console()
    console.print(table)
    if found:
        console.print(f"on {found[0].machine}")
