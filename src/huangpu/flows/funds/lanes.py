"""The lanes of the ledger beside the one inside the caller's transaction (`acts.post`): many groups in one go, for a settlement
run, and a writer that commits for many callers at once, for a door through which many small payments come.

Both answer each group with exactly what it would have been answered alone, in the order in which the groups stand.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from queue import SimpleQueue
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import one_act, row, statement_act
from huangpu.core.errors import Conflict, HuangpuError
from huangpu.core.ids import uuid7

from . import acts
from .rules import Item, Outcome, Transfer, check

EACH_SQL = """
SELECT ledger_each(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::uuid[], %s::uuid[])
"""
GROUPS_MAX = 1_000  # of one commit of the writer
WAITING_MAX = 10_000  # callers that may wait for the writer before it sends more away

Group = Sequence[Item]
Plain = Sequence[Transfer]  # a group of transfers only, with nothing wrong that can be seen without a look at the books
Answer = list[Outcome] | HuangpuError
Asked = tuple[Group, "asyncio.Future[list[Outcome]]"]


@statement_act
def post_each(groups: Sequence[Group], *, now: datetime | None = None) -> list[Answer]:
    """Posts each linked group by itself, all in one transaction; answers each with its outcomes or with what refused it, as
    `acts.post` does. Groups of transfers only go together, in one call for any number of them, which is the whole transaction
    when there is nothing else."""
    plain = [_plain(group) for group in groups]
    together = [one for one in plain if one is not None]
    if not 1 < len(together) == len(groups):
        with one_act():
            return _in_order(groups, plain, now)
    if _together(together):
        return _posted(together)
    with one_act():
        return _halves(together, now)


def _in_order(groups: Sequence[Group], plain: Sequence[Plain | None], now: datetime | None) -> list[Answer]:
    answers: list[Answer] = []
    for are_plain, run in groupby(range(len(groups)), key=lambda place: plain[place] is not None):
        if are_plain:
            answers += _run([one for place in run if (one := plain[place]) is not None], now)
        else:
            answers += [_alone(groups[place], now) for place in run]
    return answers


def _plain(group: Group) -> Plain | None:
    transfers = [one for one in group if isinstance(one, Transfer)]
    if not transfers or len(transfers) < len(group):
        return None
    try:
        check(group)
    except HuangpuError:
        return None
    return transfers


def _run(groups: Sequence[Plain], now: datetime | None) -> list[Answer]:
    """All of them at once if each is right by itself; otherwise half and half, so that what is wrong is found alone."""
    if len(groups) == 1:
        return [_alone(groups[0], now)]
    return _posted(groups) if _together(groups) else _halves(groups, now)


def _halves(groups: Sequence[Plain], now: datetime | None) -> list[Answer]:
    half = len(groups) // 2
    return _run(groups[:half], now) + _run(groups[half:], now)


def _posted(groups: Sequence[Plain]) -> list[Answer]:
    return [[Outcome(one.id, "posted") for one in group] for group in groups]


def _together(groups: Sequence[Plain]) -> bool:
    """Posts them in one call; False, and nothing is written, where one of them might have to be refused."""
    transfers = [one for group in groups for one in group]
    columns = [
        _ids(one.id for one in transfers),
        _ids(one.marketplace_id for one in transfers),
        _ids(one.debit for one in transfers),
        _ids(one.credit for one in transfers),
        _array(str(one.amount) for one in transfers),
        _array(_quoted(one.kind) for one in transfers),
        _ids(one.reference for one in transfers),
        _array(linked for group in groups for linked in _linked(len(group))),
    ]
    found = row(EACH_SQL, columns)
    return bool(found and found[0])


def _linked(items: int) -> list[str]:
    """The group's id for each of its items; none for one that is alone."""
    return ["NULL"] if items == 1 else [uuid7().hex] * items


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


class GroupCommit:
    """One writer for many callers of an event loop: what is asked while a commit is on its way goes into the next one.

    `async with GroupCommit() as lane: await lane.post([transfer])`. An answer is given after its commit: it is durable. When
    the writer fails while it commits nobody can know whether it did: `transfer.unknown`; the same items may be sent again,
    their ids make them happen once. With more than `waiting_max` callers before the writer the next is refused:
    `transfer.lane_full`.
    """

    def __init__(self, *, groups_max: int = GROUPS_MAX, waiting_max: int = WAITING_MAX) -> None:
        self._groups_max = groups_max
        self._waiting_max = waiting_max
        self._waiting: list[Asked] = []
        self._writes = False  # or is about to
        self._idle = asyncio.Event()  # nobody waits
        self._work: SimpleQueue[list[Asked] | None] = SimpleQueue()
        self._ended = False

    async def __aenter__(self) -> GroupCommit:
        self._loop = asyncio.get_running_loop()
        self._idle.set()
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._writer.start()
        return self

    async def __aexit__(self, *wrong: object) -> None:
        """Answers those who wait, and ends."""
        self._ended = True
        await self._idle.wait()
        self._work.put(None)
        await asyncio.to_thread(self._writer.join)

    async def post(self, group: Group) -> list[Outcome]:
        """As `acts.post`, in a transaction that is shared with other callers; refused as it is, and as the class says."""
        return await self.ask(group)

    def ask(self, group: Group) -> asyncio.Future[list[Outcome]]:
        """The same without waiting for the answer."""
        if self._ended:
            raise RuntimeError("this lane has ended")
        if len(self._waiting) >= self._waiting_max:
            raise Conflict("transfer.lane_full", _("Too many payments wait at once; send it again in a moment."))
        answer: asyncio.Future[list[Outcome]] = self._loop.create_future()
        self._waiting.append((group, answer))
        if not self._writes:
            self._next()
        return answer

    def _next(self) -> None:
        """Whoever asks in this turn of the loop goes into the next commit together."""
        self._writes = True
        self._idle.clear()
        self._loop.call_soon(self._send)

    def _send(self) -> None:
        asked, self._waiting = self._waiting[: self._groups_max], self._waiting[self._groups_max :]
        if asked:
            self._work.put(asked)
        else:
            self._writes = False
            self._idle.set()

    def _write(self) -> None:
        try:
            while asked := self._work.get():
                self._loop.call_soon_threadsafe(self._answer, asked, _answers([group for group, _answer in asked]))
        finally:
            connection.close()  # this thread's own

    def _answer(self, asked: Sequence[Asked], answers: Sequence[Answer]) -> None:
        for (_group, waits), answer in zip(asked, answers, strict=True):
            if waits.done():  # its caller went away; what was posted stays
                continue
            if isinstance(answer, HuangpuError):
                waits.set_exception(answer)
            else:
                waits.set_result(answer)
        self._next()  # after those who are answered now have asked again


def _answers(groups: Sequence[Group]) -> Sequence[Answer]:
    try:
        return post_each(groups)
    except HuangpuError as busy:  # nothing was written
        return [busy] * len(groups)
    except Exception as wrong:  # whatever it was, nobody may be left waiting
        connection.close()
        unknown = Conflict(
            "transfer.unknown", _("It is not known whether this was posted; send the very same again to find out.")
        )
        unknown.__cause__ = wrong
        return [unknown] * len(groups)
