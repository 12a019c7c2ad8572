"""`huangpu errors > docs/reference/errors.md`: every error code with its meaning."""

from __future__ import annotations

import click


@click.command()
def errors() -> None:
    """Print every stable error code with its meaning (docs/reference/errors.md)."""
    import django

    django.setup()
    from huangpu.channels.api.errors import page

    print(page(), end="")


commands = [errors]
