"""`huangpu demo`: from a fresh clone to a city that trades; `huangpu clean-demo` empties it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from typing import Any

import click

from huangpu.channels.cli import prepare
from huangpu.channels.cli.serve import kept, require_ports, supervise
from huangpu.channels.cli.translations import compile_stale
from huangpu.channels.simulators.setting_up import set_up as set_up_banks
from huangpu.city.demo.catalogue import ACCOUNTS, PASSWORD
from huangpu.core.postgres import DATABASE, OWNER, DatabaseUnusable, Keeper, cluster_folder, is_served, socket_folder
from huangpu.environment import Environment, environment

CITY = "huangpu.city.demo.fill"
OURS = (
    "pg",
    "pg.new",
    "static",
    "files",
    "prepared.json",
    "postgres.log",
    "postgres.log.1",
    "keeper.lock",
    "secret-key",
    "providers.json",
    "simulators.db",
    "simulators.db-wal",
    "simulators.db-shm",
)


@click.command()
@click.option("--scale", type=click.IntRange(1, 1000), default=1, show_default=True, help="How large the demo city is.")
@click.option("--no-serve", is_flag=True, help="Prepare everything, and end.")
def demo(scale: int, no_serve: bool) -> None:
    """Prepare the demo city, if that has not been done, and serve it. Ctrl-C stops everything; the data stay."""
    os.environ["HUANGPU_DEMO"] = "1"
    environment.cache_clear()
    env = environment()
    set_up_banks(env.data, env.simulators_url)
    if not no_serve:
        require_ports(env)
    with kept(env) as keeper:
        _prepare(env, keeper, scale)
        if not no_serve:
            supervise(env, keeper, lambda: _welcome(env))


def _prepare(env: Environment, keeper: Keeper | None, scale: int) -> None:
    if keeper is not None and prepare.is_prepared(env, "city", "begun"):
        print("The demo city was left half-built; it is built anew.", flush=True)
        _drop_database(env)
    compile_stale()
    prepare.migrate_if_stale(env)
    prepare.collect_static_if_stale(env)
    if importlib.util.find_spec(CITY) and not prepare.is_prepared(env, "city", "built"):
        _build_city(env, scale)


def _build_city(env: Environment, scale: int) -> None:
    from huangpu.channels.cli.database import set_up_django

    set_up_django()
    from django.db import connections

    from huangpu.parties.models import Marketplace

    if not Marketplace.objects.exists():
        prepare.remember(env, "city", "begun")
        _fill(scale)
    prepare.remember(env, "city", "built")
    connections.close_all()


def _fill(scale: int) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        known: dict[str, Any] = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in known:
                known[name] = bars.add_task(name, total=total)
            bars.update(known[name], completed=done, total=total)

        importlib.import_module(CITY).fill(scale, progress)


def _drop_database(env: Environment) -> None:
    import psycopg
    from psycopg import sql

    name = sql.Identifier(DATABASE)
    with psycopg.connect(f"postgresql://{OWNER}@/postgres?host={socket_folder(env.data)}", autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
    for what in ("tables", "city"):
        prepare.remember(env, what, "none")


def _welcome(env: Environment) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"\nHuangpu (黄浦) serves the demo city at [bold]{env.public_url}/[/]")
    table = Table(
        "user",
        "who it is",
        title=f"Demo accounts (password {PASSWORD}, or one click at {env.public_url}/accounts/login/)",
    )
    for account in ACCOUNTS:
        table.add_row(account.username, f"{account.en} · {account.zh}")
    console.print(table)
    console.print(f"The simulated banks, and what they may be told: {env.simulators_url}/")
    console.print("Ctrl-C stops everything and keeps the data; `make clean-demo` empties it.")


@click.command("clean-demo")
def clean_demo() -> None:
    """Delete the embedded database, the documents and the secret key of the data folder."""
    env = environment()
    if env.database_url:
        raise DatabaseUnusable("DATABASE_URL names a database that is not ours to delete: drop it yourself")
    if (who := is_served(env.data)) is not None:
        raise DatabaseUnusable(f"process {who} serves the data folder {env.data}: stop it first")
    away = cluster_folder(env.data).parent
    for name in OURS:
        path = env.data / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if away != env.data:
        shutil.rmtree(away, ignore_errors=True)
    if env.data.is_dir() and not any(env.data.iterdir()):
        env.data.rmdir()
    print(f"The data folder {env.data} is empty.")
