"""`huangpu rights > docs/reference/rights.md`: who may do what, from every room's table."""

from __future__ import annotations

import click


@click.command()
def rights() -> None:
    """Print the matrix of roles and acts (docs/reference/rights.md)."""
    import django

    django.setup()
    from huangpu.parties.rights import matrix

    print(matrix(), end="")


commands = [rights]
