"""`huangpu worker`: runs the jobs of every room, the periodic ones too."""

from __future__ import annotations

import asyncio
import os

import click

from huangpu.channels.cli.database import database, set_up_django

GRACE_S = 8


@click.command()
@click.option("--once", is_flag=True, help="Run what is due now and end.")
@click.option("--supervised", is_flag=True, hidden=True)
def worker(once: bool, supervised: bool) -> None:
    """Run jobs and deadlines. `huangpu serve` starts one by itself; start more on other machines."""
    if supervised:
        _work(once)
        return
    with database():
        _work(once)


def _work(once: bool) -> None:
    set_up_django()
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.django_connector import DjangoConnector

    from huangpu.core.jobs import WORKER

    connector = app.connector
    assert isinstance(connector, DjangoConnector)

    async def run() -> None:
        with app.replace_connector(connector.get_worker_connector()) as working:
            async with working.open_async():
                options = {**WORKER, "wait": not once, "shutdown_graceful_timeout": GRACE_S}
                await working.run_worker_async(name=f"worker-{os.getpid()}", **options)  # type: ignore[arg-type]

    asyncio.run(run())
