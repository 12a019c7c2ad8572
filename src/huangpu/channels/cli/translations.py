"""`huangpu compile-translations`: every room's catalogue, by Babel, because a fresh machine has no msgfmt."""

from __future__ import annotations

from pathlib import Path

import click

import huangpu

PACKAGE = Path(huangpu.__file__).parent


def compile_stale() -> list[Path]:
    """Compiles the catalogues that are newer than what was made of them; returns those."""
    from huangpu.core.web.catalogues import compile_all

    return compile_all(PACKAGE)


@click.command("compile-translations")
def compile_translations() -> None:
    """Compile the catalogues of every room that have changed."""
    for source in compile_stale():
        print(f"compiled {source.relative_to(PACKAGE)}")
