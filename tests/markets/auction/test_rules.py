"""The rules alone: boundaries to the millisecond, ties, extensions; and against the naive twin on long random runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from huangpu.core.errors import Invalid
from huangpu.markets.auction import rules as r

from .twin import Twin

OPENS = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MS = timedelta(milliseconds=1)
PLAIN = r.AuctionRules(duration_s=600, step_minor=100, step_ppm=0, window_s=60, extend_s=120, extensions_max=3)
CLOSES = OPENS + timedelta(seconds=600)
STARTS = {1: 100_000, 2: 99_000, 3: 99_000}


def begun(rules: r.AuctionRules = PLAIN) -> r.State:
    return r.begin(rules, OPENS, STARTS)


def at(seconds: float) -> datetime:
    return OPENS + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        (OPENS - MS, "too_early"),
        (OPENS, ""),
        (CLOSES - MS, ""),
        (CLOSES - timedelta(microseconds=1), ""),
        (CLOSES, "too_late"),
        (CLOSES + MS, "too_late"),
    ],
)
def test_in_time_is_strictly_before_the_close(when: datetime, reason: str) -> None:
    entry, after = r.bid(PLAIN, begun(), 1, 90_000, when)
    assert (entry.reason, entry.accepted) == (reason, not reason)
    assert entry.sequence == after.last_sequence == 1
    assert (after.lead.amount == 90_000) is (not reason)


def test_a_bid_received_in_time_counts_though_a_late_one_was_answered_before_it() -> None:
    late, state = r.bid(PLAIN, begun(), 1, 80_000, CLOSES + timedelta(seconds=1))
    early, state = r.bid(PLAIN, state, 2, 90_000, CLOSES - MS)
    assert (late.reason, early.reason) == ("too_late", "")
    assert early.at == CLOSES - MS


def test_the_effective_time_never_goes_back() -> None:
    _, state = r.bid(PLAIN, begun(), 1, 90_000, at(100))
    entry, _ = r.bid(PLAIN, state, 2, 80_000, at(99))
    assert (entry.received_at, entry.at) == (at(99), at(100))


def test_equal_amounts_rank_by_who_was_first() -> None:
    assert [one.number for one in r.ranking(begun())] == [2, 3, 1]  # equal start prices: the order of the bidders
    _, state = r.bid(PLAIN, begun(), 3, 90_000, at(1))
    _, state = r.bid(PLAIN, state, 2, 90_000, at(2))
    assert [one.number for one in r.ranking(state)] == [3, 2, 1]
    assert [r.rank_of(state, number) for number in (1, 2, 3)] == [3, 2, 1]


@pytest.mark.parametrize(
    ("base", "amount", "reason"),
    [
        ("own", 99_900, ""),
        ("own", 99_901, "step"),
        ("lead", 98_900, ""),
        ("lead", 98_901, "step"),
        ("lead", 99_900, "step"),
    ],
)
def test_the_step_is_taken_from_the_own_or_the_leading_bid(base: str, amount: int, reason: str) -> None:
    rules = replace(PLAIN, base=base)
    assert r.bid(rules, begun(rules), 1, amount, at(1))[0].reason == reason


def test_a_step_in_millionths_is_rounded_up_and_never_nothing() -> None:
    rules = r.AuctionRules(step_ppm=5000)
    assert r.step_from(rules, 100_000) == 500
    assert r.step_from(rules, 100_001) == 501
    assert r.step_from(rules, 7) == 1
    assert r.step_from(r.AuctionRules(step_ppm=0), 7) == 1


def test_a_slip_of_the_hand_is_refused_and_the_least_step_never_is() -> None:
    rules = replace(PLAIN, drop_ppm_max=100_000)
    assert r.bid(rules, begun(rules), 2, 89_100, at(1))[0].reason == ""
    assert r.bid(rules, begun(rules), 2, 89_099, at(1))[0].reason == "drop"
    tight = replace(PLAIN, drop_ppm_max=1)
    assert r.bid(tight, begun(tight), 2, 98_900, at(1))[0].reason == ""


@pytest.mark.parametrize(("seconds", "moved"), [(539.999, False), (540, True), (599.999, True)])
def test_a_bid_in_the_window_moves_the_close(seconds: float, moved: bool) -> None:
    entry, after = r.bid(PLAIN, begun(), 1, 90_000, at(seconds))
    assert entry.extended is moved
    assert after.closes_at == (at(seconds + 120) if moved else CLOSES)
    assert after.extensions == int(moved)


def test_a_bid_that_does_not_improve_the_lead_moves_it_only_by_the_switch() -> None:
    _, state = r.bid(PLAIN, begun(), 1, 90_000, at(1))
    assert r.bid(PLAIN, state, 2, 95_000, at(590))[0].extended is False
    assert r.bid(replace(PLAIN, extend_on="any"), state, 2, 95_000, at(590))[0].extended is True


def test_extensions_are_counted_and_stop_at_the_hard_close() -> None:
    rules = replace(PLAIN, hard_close_after_s=800)
    state, closes = begun(rules), []
    for step, seconds in enumerate((590, 700, 790, 799)):
        _, state = r.bid(rules, state, 1, 90_000 - 1000 * step, at(seconds))
        closes.append((state.closes_at - OPENS).total_seconds())
    assert closes == [710, 800, 800, 800]
    assert state.extensions == 2
    once = replace(PLAIN, extensions_max=1)
    _, state = r.bid(once, begun(), 1, 90_000, at(590))
    entry, state = r.bid(once, state, 1, 80_000, at(700))
    assert (entry.extended, state.closes_at) == (False, at(710))


def test_a_pause_is_credited_to_everybody() -> None:
    _, state = r.mark(begun(), "pause", at(100), at(100))
    assert r.bid(PLAIN, state, 1, 90_000, at(110))[0].reason == "paused"
    _, state = r.mark(state, "resume", at(160), at(160))
    assert (state.opens_at, state.closes_at) == (OPENS, CLOSES + timedelta(seconds=60))


def test_a_pause_before_the_opening_costs_only_what_lies_after_it() -> None:
    _, state = r.mark(begun(), "pause", at(-60), at(-60))
    assert r.mark(state, "resume", at(-10), at(-10))[1].closes_at == CLOSES
    _, late = r.mark(state, "resume", at(30), at(30))
    assert (late.opens_at, late.closes_at) == (at(30), at(630))


@pytest.mark.parametrize(
    ("alive", "now", "since"),
    [
        (100, 103.9, None),  # no outage yet
        (100, 104, 100),
        (599, 700, 599),  # it would have closed in the dark: what was left is still to come
        (600, 700, None),  # it had closed before
        (-50, -10, None),  # it has not opened yet
        (-50, 30, -50),
    ],
)
def test_what_counts_as_an_outage(alive: float, now: float, since: float | None) -> None:
    assert r.outage_since(begun(), at(alive), at(now)) == (None if since is None else at(since))
    assert r.outage_since(begun(), None, at(now)) is None


def test_an_answered_bid_proves_life() -> None:
    _, state = r.bid(PLAIN, begun(), 1, 90_000, at(102))
    assert r.outage_since(state, at(10), at(105)) is None
    assert r.outage_since(state, at(10), at(106)) == at(102)


def test_an_outage_is_credited_in_full() -> None:
    _, state = r.mark(begun(), "outage", at(599), at(700))
    assert state.closes_at == at(701)
    _, state = r.mark(begun(), "outage", at(-50), at(30))
    assert (state.opens_at, state.closes_at) == (at(30), at(630))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"duration_s": 1}, "duration_s"),
        ({"duration_s": "600"}, "duration_s"),
        ({"step_minor": -1}, "step_minor"),
        ({"step_minor": 5, "step_ppm": 5}, "step_ppm"),
        ({"base": "next"}, "base"),
        ({"extend_on": "all"}, "extend_on"),
        ({"hard_close_after_s": 60, "duration_s": 600}, "hard_close_after_s"),
        ({"colour": "red"}, "colour"),
        ({"window_s": True}, "window_s"),
    ],
)
def test_unfit_rules_are_refused_by_name(data: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        r.AuctionRules.of(data)
    assert (refused.value.code, refused.value.field) == ("auction.rules_invalid", field)


def test_rules_survive_the_way_through_json() -> None:
    assert r.AuctionRules.of(PLAIN.data()) == PLAIN
    assert r.AuctionRules.of({"step_minor": 100}).step_ppm == 0


def test_replay_finds_a_log_that_was_tampered_with() -> None:
    first, state = r.bid(PLAIN, begun(), 1, 90_000, at(1))
    second, state = r.bid(PLAIN, state, 2, 80_000, at(2))
    assert r.replay(PLAIN, begun(), [first, second]) == (state, [])
    assert r.replay(PLAIN, begun(), [second])[1]  # one is missing
    assert r.replay(PLAIN, begun(), [replace(first, amount=70_000), second])[1]
    assert r.replay(PLAIN, begun(), [first, replace(second, accepted=False, reason="step")])[1]


class AgainstTwin(RuleBasedStateMachine):
    """Any run of bids, pauses and outages: the rules answer as the twin does, and the log replays to the same state."""

    @initialize(
        step_minor=st.sampled_from([0, 1, 500]),
        step_ppm=st.sampled_from([0, 5000, 333]),
        base=st.sampled_from(["own", "lead"]),
        extend_on=st.sampled_from(["lead", "any"]),
        window=st.integers(0, 40),
        extend=st.integers(0, 60),
        most=st.integers(0, 4),
        hard=st.sampled_from([0, 60, 75, 200]),
        drop=st.sampled_from([0, 50_000]),
        starts=st.lists(st.integers(90_000, 91_000), min_size=1, max_size=4),
    )
    def begin(self, starts: list[int], **given: Any) -> None:
        self.rules = r.AuctionRules(
            duration_s=60,
            step_minor=given["step_minor"],
            step_ppm=0 if given["step_minor"] else given["step_ppm"],
            base=given["base"],
            extend_on=given["extend_on"],
            window_s=given["window"],
            extend_s=given["extend"],
            extensions_max=given["most"],
            hard_close_after_s=given["hard"],
            drop_ppm_max=given["drop"],
        )
        numbered = dict(enumerate(starts, 1))
        self.first = self.state = r.begin(self.rules, OPENS, numbered)
        self.twin = Twin(self.rules.data(), OPENS, numbered)
        self.log: list[r.Entry] = []
        self.clock = OPENS - timedelta(seconds=2)

    @rule(who=st.integers(0, 3), cut=st.integers(-3, 4000), passed=st.integers(0, 12_000), skew=st.integers(-800, 0))
    def bid(self, who: int, cut: int, passed: int, skew: int) -> None:
        self.clock += passed * MS
        when = self.clock + skew * MS
        number = who % len(self.state.standings) + 1
        amount = max(1, r.highest_next(self.rules, self.state, number) + 2 - cut)
        entry, self.state = r.bid(self.rules, self.state, number, amount, when)
        self.log.append(entry)
        assert entry.reason == self.twin.bid(number, amount, when)

    @rule()
    def bid_at_the_last_millisecond(self) -> None:
        self.clock = max(self.clock, self.state.closes_at - MS)
        self.bid(0, 700, 0, 0)

    @precondition(lambda self: self.state.status == "open" and self.clock < self.state.closes_at)
    @rule(seconds=st.integers(0, 90))
    def pause_and_resume(self, seconds: int) -> None:
        for kind in ("pause", "resume"):
            entry, self.state = r.mark(self.state, kind, self.clock, self.clock)
            self.log.append(entry)
            self.twin.answered += 1
            if kind == "pause":
                since, self.clock = self.clock, self.clock + timedelta(seconds=seconds)
        self.twin.credit(since, self.clock)

    @rule(seconds=st.integers(0, 90))
    def outage(self, seconds: int) -> None:
        alive, self.clock = self.clock, self.clock + timedelta(seconds=seconds)
        since = r.outage_since(self.state, alive, self.clock)
        if since is not None:
            entry, self.state = r.mark(self.state, "outage", since, self.clock)
            self.log.append(entry)
            self.twin.answered += 1
            self.twin.credit(since, self.clock)

    @invariant()
    def same_state(self) -> None:
        if not hasattr(self, "log"):
            return
        assert [one.number for one in r.ranking(self.state)] == self.twin.ranking()
        assert {n: one.amount for n, one in self.state.standings.items()} == {
            n: self.twin.own(n) for n in self.twin.starts
        }
        assert (self.state.opens_at, self.state.closes_at) == (self.twin.opens_at, self.twin.closes_at)
        assert (self.state.hard_close_at, self.state.extensions) == (self.twin.hard, self.twin.extensions)
        assert [entry.sequence for entry in self.log] == list(range(1, self.twin.answered + 1))
        assert r.replay(self.rules, self.first, self.log) == (self.state, [])


TestAgainstTwin = AgainstTwin.TestCase
TestAgainstTwin.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)
