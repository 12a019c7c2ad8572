"""`huangpu verify`: asks every room whether what must hold does."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from huangpu.channels.cli.database import database, require_migrated, set_up_django


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check, each on its own line.")
def verify(as_json: bool) -> None:
    """Check what must always hold: books balance, the log is complete, commitments and stock are consistent.

    Ends with status 1 when something does not hold.
    """
    with database():
        set_up_django()
        require_migrated()
        passed = run(as_json)
    sys.exit(0 if passed else 1)


def run(as_json: bool) -> bool:
    """Runs every check and prints it; returns whether all hold."""
    from rich.console import Console
    from rich.table import Table

    from huangpu.core.verify import all_checks

    found = []
    for check in all_checks():
        found.append(check)
        if as_json:
            print(json.dumps(asdict(check), ensure_ascii=False), flush=True)
    if not as_json:
        table = Table("", "what must hold", "found")
        for check in found:
            table.add_row("[green]holds[/]" if check.ok else "[bold red]BROKEN[/]", check.name, check.detail)
        console = Console()
        console.print(table if found else "No room has a check.")
        broken = sum(not check.ok for check in found)
        console.print(f"{len(found)} checks, {broken} broken." if broken else f"All {len(found)} hold.")
    return all(check.ok for check in found)
