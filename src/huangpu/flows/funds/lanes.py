"""The lanes of the ledger beside the one inside the caller's transaction (`acts.post`): many groups in one go, for a settlement
run, and a writer that commits for many callers at once, for a door through which many small payments come.

Both answer each group with exactly what it would have been answered alone, in the order in which the groups stand.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.db import connection
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, row
from huangpu.core.errors import Conflict, HuangpuError

from . import acts
from .rules import Item, Outcome, Transfer, check

SINGLES_SQL = """
SELECT ledger_singles(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::uuid[])
"""
GROUPS_MAX = 1_000  # of one commit of the writer
WAITING_MAX = 10_000  # callers that may wait for the writer before it sends more away

Group = Sequence[Item]
Answer = list[Outcome] | HuangpuError


@act
def post_each(groups: Sequence[Group], *, now: datetime | None = None) -> list[Answer]:
    """Posts each linked group by itself, all in one transaction; answers each with its outcomes or with what refused it, as
    `acts.post` does. Transfers alone in their groups go together, in one call for any number of them."""
    answers: list[Answer] = [[] for _ in groups]
    for are_single, run in groupby(range(len(groups)), key=lambda place: _is_single(groups[place])):
        if are_single:
            _singles(groups, list(run), answers, now)
        else:
            for place in run:
                answers[place] = _alone(groups[place], now)
    return answers


def _is_single(group: Group) -> bool:
    if len(group) != 1 or not isinstance(group[0], Transfer):
        return False
    try:
        check(group)
    except HuangpuError:
        return False
    return True


def _singles(groups: Sequence[Group], places: list[int], answers: list[Answer], now: datetime | None) -> None:
    """All of them at once if each is right by itself; otherwise half and half, so that what is wrong is found alone."""
    if len(places) == 1:
        answers[places[0]] = _alone(groups[places[0]], now)
        return
    items = [groups[place][0] for place in places]
    found = row(SINGLES_SQL, [list(column) for column in zip(*map(_columns, items), strict=True)])
    if found and found[0]:
        for place, item in zip(places, items, strict=True):
            answers[place] = [Outcome(item.id, "posted")]
        return
    half = len(places) // 2
    _singles(groups, places[:half], answers, now)
    _singles(groups, places[half:], answers, now)


def _columns(item: Item) -> tuple[object, ...]:
    assert isinstance(item, Transfer)
    return item.id, item.marketplace_id, item.debit, item.credit, item.amount, item.kind, item.reference


def _alone(group: Group, now: datetime | None) -> Answer:
    try:
        return acts.post_within(group, now)
    except HuangpuError as refused:  # before anything was written: the transaction stays good
        return refused


@dataclass(slots=True)
class _Asked:
    group: Group
    answer: Future[list[Outcome]] = field(default_factory=Future)


class GroupCommit:
    """One writer for many callers of a process: what waits while a commit is on its way goes into the next one.

    `with GroupCommit() as lane: lane.post([transfer])`. An answer is given after its commit: it is durable. When the writer
    fails while it commits nobody can know whether it did: `transfer.unknown`; the same items may be sent again, their ids make
    them happen once. With more than `waiting_max` callers before the writer the next is refused: `transfer.lane_full`.
    """

    def __init__(self, *, groups_max: int = GROUPS_MAX, waiting_max: int = WAITING_MAX) -> None:
        self._groups_max = groups_max
        self._waiting: queue.Queue[_Asked | None] = queue.Queue(waiting_max)
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)

    def __enter__(self) -> GroupCommit:
        self._writer.start()
        return self

    def __exit__(self, *wrong: object) -> None:
        """Answers those who wait, and ends."""
        self._waiting.put(None)
        self._writer.join()

    def post(self, group: Group) -> list[Outcome]:
        """As `acts.post`, in a transaction that is shared with other callers; refused as it is, and as the class says."""
        return self.ask(group).result()

    def ask(self, group: Group) -> Future[list[Outcome]]:
        """The same without waiting for the answer."""
        asked = _Asked(group)
        try:
            self._waiting.put_nowait(asked)
        except queue.Full:
            raise Conflict(
                "transfer.lane_full", _("Too many payments wait at once; send it again in a moment.")
            ) from None
        return asked.answer

    def _write(self) -> None:
        try:
            while asked := self._gathered():
                _answer(asked)
        finally:
            connection.close()  # this thread's own

    def _gathered(self) -> list[_Asked]:
        """Whoever waits, at least one; nobody once the lane ends."""
        first = self._waiting.get()
        found = [] if first is None else [first]
        while found and len(found) < self._groups_max:
            try:
                one = self._waiting.get_nowait()
            except queue.Empty:
                break
            if one is None:
                self._waiting.put(None)  # the end, after these
                break
            found.append(one)
        return found


def _answer(asked: Sequence[_Asked]) -> None:
    try:
        answers = post_each([one.group for one in asked])
    except Exception as wrong:  # whatever it was, nobody may be left waiting
        connection.close()
        for one in asked:
            one.answer.set_exception(_unknown(wrong))
        return
    for one, answer in zip(asked, answers, strict=True):
        if isinstance(answer, HuangpuError):
            one.answer.set_exception(answer)
        else:
            one.answer.set_result(answer)


def _unknown(wrong: Exception) -> Conflict:
    error = Conflict(
        "transfer.unknown", _("It is not known whether this was posted; send the very same again to find out.")
    )
    error.__cause__ = wrong
    return error
