"""`huangpu compile-translations`: every room's catalogue, by Babel, because a fresh machine has no msgfmt."""

from __future__ import annotations

from pathlib import Path

import click

import huangpu

PACKAGE = Path(huangpu.__file__).parent


def compile_stale() -> list[Path]:
    """Compiles the catalogues that are newer than what was made of them; returns those."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    made = []
    for source in sorted(PACKAGE.glob("**/locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        fresh = target.with_suffix(".mo.new")  # renamed when whole: another process may be reading the old one
        with fresh.open("wb") as file:
            write_mo(file, catalogue)
        fresh.replace(target)
        made.append(source)
    return made


@click.command("compile-translations")
def compile_translations() -> None:
    """Compile the catalogues of every room that have changed."""
    for source in compile_stale():
        print(f"compiled {source.relative_to(PACKAGE)}")
