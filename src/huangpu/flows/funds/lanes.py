"""The lanes of the ledger beside the one inside the caller's transaction (`acts.post`): many groups in one go, for a settlement
run, and a writer that commits for many callers at once, for a door through which many small payments come.

Both answer each group with exactly what it would have been answered alone, in the order in which the groups stand.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import one_act, row, statement_act
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


@statement_act
def post_each(groups: Sequence[Group], *, now: datetime | None = None) -> list[Answer]:
    """Posts each linked group by itself, all in one transaction; answers each with its outcomes or with what refused it, as
    `acts.post` does. Transfers alone in their groups go together, in one call for any number of them, which is the whole
    transaction when there is nothing else."""
    singles = [_single(group) for group in groups]
    together = [one for one in singles if one is not None]
    if not 1 < len(together) == len(groups):
        with one_act():
            return _in_order(groups, singles, now)
    if _together(together):
        return _posted(together)
    with one_act():
        return _halves(together, now)


def _in_order(groups: Sequence[Group], singles: Sequence[Transfer | None], now: datetime | None) -> list[Answer]:
    answers: list[Answer] = []
    for are_single, run in groupby(range(len(groups)), key=lambda place: singles[place] is not None):
        if are_single:
            answers += _run([one for place in run if (one := singles[place]) is not None], now)
        else:
            answers += [_alone(groups[place], now) for place in run]
    return answers


def _single(group: Group) -> Transfer | None:
    """The transfer that a group is, if it is one and nothing is wrong with it by itself."""
    if len(group) != 1 or not isinstance(one := group[0], Transfer):
        return None
    try:
        check(group)
    except HuangpuError:
        return None
    return one


def _run(transfers: Sequence[Transfer], now: datetime | None) -> list[Answer]:
    """All of them at once if each is right by itself; otherwise half and half, so that what is wrong is found alone."""
    if len(transfers) == 1:
        return [_alone(transfers, now)]
    return _posted(transfers) if _together(transfers) else _halves(transfers, now)


def _halves(transfers: Sequence[Transfer], now: datetime | None) -> list[Answer]:
    half = len(transfers) // 2
    return _run(transfers[:half], now) + _run(transfers[half:], now)


def _posted(transfers: Sequence[Transfer]) -> list[Answer]:
    return [[Outcome(one.id, "posted")] for one in transfers]


def _together(transfers: Sequence[Transfer]) -> bool:
    """Posts them in one call; False, and nothing is written, where one of them might have to be refused."""
    columns = [
        _ids(one.id for one in transfers),
        _ids(one.marketplace_id for one in transfers),
        _ids(one.debit for one in transfers),
        _ids(one.credit for one in transfers),
        _array(str(one.amount) for one in transfers),
        _array(_quoted(one.kind) for one in transfers),
        _ids(one.reference for one in transfers),
    ]
    found = row(SINGLES_SQL, columns)
    return bool(found and found[0])


def _ids(ids: Iterable[UUID]) -> str:
    """PostgreSQL's text of an array: the driver's own way takes three times as long."""
    return _array(id.hex for id in ids)


def _array(texts: Iterable[str]) -> str:
    return f"{{{','.join(texts)}}}"


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


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
