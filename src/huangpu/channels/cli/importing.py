"""`huangpu import ocds PATH…`: published procurement data, taken in as history."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from huangpu.channels.cli.database import database, require_migrated, set_up_django
from huangpu.core import clock

if TYPE_CHECKING:
    from uuid import UUID

    from huangpu.markets.history.files import Summary

WIDTH_IN_FILES = 140  # of the tables where there is no terminal to ask


@click.group(name="import")
def bring_in() -> None:
    """Take in what others published, as history."""


@bring_in.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--marketplace", metavar="SLUG", help="Whose history it becomes. Default: the city's own marketplace.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object on standard output.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as JSON to this file."
)
def ocds(paths: tuple[Path, ...], marketplace: str | None, as_json: bool, report: Path | None) -> None:
    """Import Open Contracting (OCDS 1.0 and 1.1) files, or all *.json in folders and below them.

    Record packages, release packages, single releases, and single records as found in the wild. Each file is one
    transaction; the same again changes nothing. Ends with status 1 when a file was refused, 2 when nothing could begin.
    """
    with database():
        set_up_django()
        require_migrated()
        summary = _take_all(paths, _marketplace_id(marketplace), quiet=as_json)
        content = json.dumps(summary.as_json(), ensure_ascii=False, indent=2)
        if report:
            try:
                report.write_text(content + "\n", "utf-8")
            except OSError as wrong:
                raise click.ClickException(f"the report cannot be written to {report}: {wrong.strerror}") from None
        if as_json:
            print(content)
        else:
            _show(summary)
    sys.exit(1 if summary.refused else 0)


def _marketplace_id(slug: str | None) -> UUID:
    from huangpu.parties.models import Marketplace

    found = Marketplace.objects.filter(**({"slug": slug} if slug else {"is_city": True})).first()
    if found is None and slug:
        raise click.UsageError(f"there is no marketplace “{slug}”")
    if found is None:
        raise click.UsageError("there is no city yet: `huangpu demo` opens one, or name a marketplace by --marketplace")
    return found.pk


def _take_all(paths: tuple[Path, ...], marketplace_id: UUID, *, quiet: bool) -> Summary:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from huangpu.markets.history.files import Summary, found, take
    from huangpu.parties.actor import SYSTEM

    files, summary = found(paths), Summary()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task("importing", total=len(files))
        for file in files:
            progress.update(bar, description=file.name[:40])
            summary.add(take(file, actor=SYSTEM, marketplace_id=marketplace_id, clock=clock.now))
            progress.advance(bar)
        progress.update(bar, description="imported")
    return summary


def _show(summary: Summary) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    from huangpu.markets.history.words import BROKEN, REASONS, SKIPPED

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_IN_FILES)
    for kind, title in (("left_out", "left out"), ("read_as", "read otherwise than written")):
        path_column = Column("JSON path", overflow="fold", ratio=3)  # a path that is cut off names nothing
        table = Table(path_column, Column("why", ratio=2), "times", title=title, title_justify="left", expand=True)
        for (which, path, reason), times in sorted(summary.notes.items()):
            if which == kind:
                table.add_row(escape(path), f"{REASONS[reason]} ({reason})", str(times))
        if table.row_count:
            console.print(table)
    for file, why in summary.skipped:
        console.print(f"passed over: {escape(file)}: {SKIPPED[why]}", highlight=False)
    for each in summary.refused:
        found = f" “{each['found']}”" if each["found"] else ""
        line = f"refused: {each['file']}, at {each['place']}: {BROKEN[each['reason']]}{found}"
        console.print(escape(line), style="red", highlight=False)
    counts = ", ".join(f"{times} {what}" for what, times in summary.counts.items()) or "nothing"
    console.print(f"In the files: {counts}.")
    done = ", ".join(f"{summary.procedures[what]} {what}" for what in ("imported", "updated", "unchanged", "older"))
    files = ", ".join(f"{summary.files[what]} {what}" for what in ("taken", "unchanged", "skipped", "refused"))
    console.print(f"Procedures: {done}. Files: {files}.")
