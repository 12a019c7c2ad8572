"""The bench framework: what is a miss, what goes to standard output, and that the reference is a real figure."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from huangpu.channels.bench import registry
from huangpu.channels.bench.measure import Measure, at_least, at_most
from huangpu.channels.bench.run import Run, pgbench_program, throwaway_database, with_database
from huangpu.channels.cli.bench import bench as command
from huangpu.core.postgres import DatabaseUnusable
from huangpu.environment import environment


def test_a_floor_is_of_the_ratio_where_there_is_a_reference() -> None:
    assert at_least("ledger: single", 1500, "transfers/s", floor=1.5, reference=1000).ok
    assert not at_least("ledger: single", 1499, "transfers/s", floor=1.5, reference=1000).ok
    assert at_least("auction: bids", 300, "bids/s", floor=300).ok
    assert not at_most("auction: p99", 300.1, "ms", floor=300).ok
    assert at_most("trade: statements", 25, "statements", floor=25).ok
    assert at_least("told only", 0, "x").ok


def test_a_reference_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="was not measured"):
        at_least("ledger: single", 1500, "transfers/s", floor=1.5, reference=0)


@pytest.fixture
def two_benches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_benches", {})

    @registry.bench("swift", database=False)
    def swift(run: Run) -> Iterator[Measure]:
        """How fast the swift is."""
        run.say("flying")
        yield at_least("swift: speed", 1 if run.planted else 110, "km/h", floor=100)

    @registry.bench("broken", database=False)
    def broken(run: Run) -> Iterator[Measure]:  # noqa: ARG001
        """A bench that breaks off."""
        yield at_least("broken: before", 1, "x")
        raise RuntimeError("the wheel came off")

    monkeypatch.setattr("huangpu.channels.cli.bench.benches", lambda: registry._benches)


@pytest.mark.usefixtures("two_benches")
def test_json_is_one_object_a_line_and_progress_is_elsewhere() -> None:
    done = CliRunner().invoke(command, ["swift", "--json"])
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    assert set(json.loads(line)) == {"name", "value", "unit", "reference", "ratio", "floor", "ok", "machine"}
    assert "flying" in done.stderr


@pytest.mark.usefixtures("two_benches")
def test_the_planted_twin_fails() -> None:
    done = CliRunner().invoke(command, ["swift", "--planted"])
    assert done.exit_code == 1
    assert "failed, as it must" in done.stderr


@pytest.mark.usefixtures("two_benches")
def test_a_bench_that_breaks_off_fails_in_one_line() -> None:
    done = CliRunner().invoke(command, ["broken", "--json"])
    assert done.exit_code == 1
    assert "the wheel came off" in done.stderr


def test_every_bench_says_what_it_measures_and_start_is_one() -> None:
    assert "start" in registry.benches()
    assert all(one.summary for one in registry.benches().values())


def test_a_database_of_another_name_on_the_same_server() -> None:
    assert with_database("postgresql://a@/huangpu?host=/x/pg", "b") == "postgresql://a@/b?host=/x/pg"
    assert with_database("postgresql://a:p@h:5/huangpu", "b") == "postgresql://a:p@h:5/b"


def test_pgbench_counts_transactions_and_tells_failures() -> None:
    try:
        pgbench_program()
    except DatabaseUnusable as wrong:
        pytest.skip(str(wrong))
    with throwaway_database(environment().owner) as url:
        run = Run(quick=True, planted=False, url=url, owner_url=url)
        assert run.pgbench("SELECT 1;", clients=1, seconds=1).tps > 10
        with pytest.raises(RuntimeError):
            run.pgbench("SELECT 1/0;", clients=1, seconds=1)
