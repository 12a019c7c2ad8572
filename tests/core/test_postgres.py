"""The keeper, with real servers and real kills."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from huangpu.core import postgres, server
from huangpu.core.postgres import DatabaseUnusable, Keeper, serve

KEEP = """
import sys, time
from pathlib import Path
from huangpu.core.postgres import serve
with serve(Path(sys.argv[1]), shared_buffers="16MB") as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="huangpu-keeper-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


def test_data_survive_a_killed_server(data: Path) -> None:
    keeper = Keeper(data, shared_buffers="16MB")
    try:
        dsn = keeper.start()
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            connection.execute("INSERT INTO kept VALUES (1)")
        assert keeper.process is not None
        keeper.process.kill()
        keeper.process.wait()
        assert not keeper.running()
        keeper.revive()
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    finally:
        keeper.stop()
    assert keeper.process is None


def test_server_stops_with_a_keeper_that_is_killed_and_starts_again(data: Path) -> None:
    held = subprocess.Popen([sys.executable, "-c", KEEP, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert held.stdout is not None
    dsn = held.stdout.readline().decode().strip()
    assert dsn.startswith("postgresql://huangpu_owner@/huangpu")
    pid = int((postgres.cluster_folder(data) / "postmaster.pid").read_text().split()[0])
    watched = os.pidfd_open(pid)
    held.send_signal(signal.SIGKILL)
    held.wait()
    with serve(data, shared_buffers="16MB") as again:  # retries while the old server is still going
        assert again == dsn
        ended, _, _ = select.select([watched], [], [], 30)
        assert ended
    os.close(watched)


def test_one_keeper_a_data_folder(data: Path) -> None:
    with serve(data, shared_buffers="16MB"):
        assert postgres.is_served(data) == os.getpid()
        with pytest.raises(DatabaseUnusable, match=f"process {os.getpid()} already serves the data folder"):
            Keeper(data).start()
    assert postgres.is_served(data) is None


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(DatabaseUnusable, match=r"the data folder .*/file/data cannot be used: .*Not a directory"):
        Keeper(blocked / "data").start()


def test_a_cluster_of_another_version_says_so(data: Path) -> None:
    other = data.parent / "other"
    with serve(other, shared_buffers="16MB"):
        pass
    (postgres.cluster_folder(other) / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(DatabaseUnusable, match="did not start: database files are incompatible with server"):
        Keeper(other).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that the server's user may not enter")
def test_a_folder_only_root_may_enter(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked, base = data.parent / "locked", data.parent / "lib"
    base.mkdir()
    locked.mkdir(mode=0o700)
    monkeypatch.setattr(postgres, "UNREACHABLE_BASE", base)
    monkeypatch.setenv("PG_BIN", str(postgres.copy_server(postgres.binaries(), locked)))
    for _ in range(2):
        with serve(locked / "data", shared_buffers="16MB") as dsn:
            assert str(base) in dsn
            with psycopg.connect(dsn) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
    assert locked.stat().st_mode & 0o777 == 0o700
    assert len(list(base.glob("huangpu-postgresql*"))) == 1


def test_socket_path_stays_short_for_a_deep_folder() -> None:
    deep = Path("/") / "/".join(["a" * 20] * 6)
    assert len(str(postgres.socket_folder(deep) / ".s.PGSQL.5432.lock")) <= 107


@pytest.mark.parametrize(
    ("encoding", "locale", "said"),
    [("LATIN1", "C", "is encoded in LATIN1"), ("UTF8", "C", "has LC_CTYPE C, for which 上 is no letter")],
)
def test_a_database_that_cannot_hold_chinese_is_refused(data: Path, encoding: str, locale: str, said: str) -> None:
    with serve(data, shared_buffers="16MB") as dsn:
        name = f"wrong_{encoding.lower()}"
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name} ENCODING '{encoding}' LC_CTYPE '{locale}' LC_COLLATE 'C' TEMPLATE template0"
            )
        with pytest.raises(DatabaseUnusable, match=said):
            server.require_usable(dsn.replace("/huangpu?", f"/{name}?"))
        server.require_usable(dsn)


def test_an_older_server_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "VERSION_MIN", 990000)
    with serve(data, shared_buffers="16MB") as dsn, pytest.raises(DatabaseUnusable, match="Huangpu needs 15 or later"):
        server.require_usable(dsn)


def test_an_unreachable_server_is_one_line_without_the_password() -> None:
    with pytest.raises(DatabaseUnusable) as wrong:
        server.require_usable("postgresql://somebody:verysecret@127.0.0.1:1/city")
    assert "verysecret" not in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert "127.0.0.1" in str(wrong.value)
