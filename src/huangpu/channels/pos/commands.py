"""`huangpu pos`: the listener of the terminals."""

from __future__ import annotations

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8583, show_default=True)
@click.option("--supervised", is_flag=True, hidden=True)
def pos(host: str, port: int, supervised: bool) -> None:
    """Serve card terminals (ISO 8583 over TCP) until it is told to stop."""
    import asyncio
    import signal

    from huangpu.channels.cli.database import set_up_django
    from huangpu.core.processes import stop_with_parent

    if supervised:
        stop_with_parent(signal.SIGTERM)
    set_up_django()
    from huangpu.channels.pos.listener import serve

    asyncio.run(serve(host, port))


commands = [pos]
