"""`huangpu serve`: everything an installation needs, under one process."""

from __future__ import annotations

import http.client
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from huangpu.channels.cli.database import require_migrated, set_up_django
from huangpu.channels.cli.prepare import code_hash, collect_static_if_stale, is_prepared, remember
from huangpu.channels.cli.supervise import Child, Supervisor, require_free
from huangpu.channels.cli.translations import compile_stale
from huangpu.channels.simulators.setting_up import are_providers
from huangpu.core.postgres import Keeper
from huangpu.environment import Environment, environment

THREADS = 4  # a web worker answers so many requests at once, each with a database connection of its own
CONNECTIONS_BESIDE = 60  # of the worker, the live process, commands, benches


@click.command()
def serve() -> None:
    """Serve pages and the API at one address, with the live streams, the job worker and the database they need.

    Ctrl-C stops everything.
    """
    env = environment()
    require_ports(env)
    with kept(env) as keeper:
        state = code_hash("**/migrations/*.py", "**/models.py")
        if not is_prepared(env, "tables", state):
            set_up_django()
            require_migrated()
            _let_go_of_database()
            remember(env, "tables", state)
        compile_stale()
        collect_static_if_stale(env)
        supervise(env, keeper, lambda: print(f"Huangpu serves at {env.public_url}/ - Ctrl-C stops it.", flush=True))


def require_ports(env: Environment) -> None:
    """Refuses with CannotServe when an address is taken: before anything is started."""
    require_free(env.host, env.port, "HUANGPU_PORT")
    require_free(env.host, env.live_port, "HUANGPU_LIVE_PORT")
    if env.pos_port:
        require_free(env.host, env.pos_port, "HUANGPU_POS_PORT")
    if are_providers(env.data):
        require_free(env.host, env.simulators_port, "HUANGPU_SIMULATORS_PORT")


@contextmanager
def kept(env: Environment) -> Iterator[Keeper | None]:
    """A database for the length of the block: the embedded one with its keeper, or None for the one at DATABASE_URL."""
    if env.database_url:
        from huangpu.core.server import require_usable

        env.database  # noqa: B018  a DSN of the wrong shape is refused by its name, before it is tried
        require_usable(env.database_url)
        yield None
        return
    keeper = Keeper(env.data, max_connections=str(max(200, env.workers * THREADS + CONNECTIONS_BESIDE)))
    try:
        keeper.start()
        yield keeper
    finally:
        keeper.stop()


def supervise(env: Environment, keeper: Keeper | None, on_ready: Callable[[], None]) -> None:
    """Runs the installation's processes until it is told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")
    children = [Child("the web server", _granian("wsgi", "huangpu.channels.cli.web", env.host, env.port, env.workers))]
    if importlib.util.find_spec("huangpu.channels.live.app"):
        live = _granian("asgi", "huangpu.channels.cli.live", env.host, env.live_port, 1)
        children.append(Child("the live server", live))
    # an orphaned worker has no database to end its jobs in: another run starts them again
    worker = [sys.executable, "-m", "huangpu", "worker", "--supervised"]
    children.append(Child("the worker", worker, orphaned=signal.SIGKILL))
    if env.pos_port:
        listener = [
            sys.executable,
            "-m",
            "huangpu",
            "pos",
            "--host",
            env.host,
            "--port",
            str(env.pos_port),
            "--supervised",
        ]
        children.append(Child("the terminals' listener", listener))
    if are_providers(env.data):
        simulators = _granian("wsgi", "huangpu.channels.simulators.wsgi", env.host, env.simulators_port, 1)
        children.append(Child("the simulated banks", simulators))
    Supervisor(children, keeper, lambda: _answers(env), on_ready).run()


def _granian(interface: str, module: str, host: str, port: int, workers: int) -> list[str]:
    command = [sys.executable, "-m", "granian", f"{module}:application", "--interface", interface, "--no-ws"]
    command += ["--host", host, "--port", str(port), "--workers", str(workers), "--log-level", "warning"]
    wait_s = "5" if interface == "wsgi" else "1"  # requests are finished; streams have no end of their own
    command += ["--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", wait_s]
    if interface == "wsgi":
        command += ["--blocking-threads", str(THREADS)]
    return command


def _answers(env: Environment) -> bool:
    """Whether the web server answers a request; any status will do."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(env.host, env.host)
    connection = http.client.HTTPConnection(host, env.port, timeout=30)
    try:
        connection.request("GET", "/", headers={"Host": env.allowed_hosts[0]})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _let_go_of_database() -> None:
    from django.db import connections

    connections.close_all()
