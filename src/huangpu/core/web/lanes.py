"""The picture of a trade: five lanes over time. Pure arithmetic; `{% lanes marks %}` draws what is laid out here.

Time is not to scale: what happens on one day stands in one column, and the space between two columns grows with the
logarithm of the days between them, so that a busy morning and a quiet month are both readable. Marks that would touch are
stacked; equal marks of one column become one with a count; where a lane would still grow too tall, labels give way first to
groups, then to shorter labels. Every mark is in the picture once and in the list once.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from math import log1p
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

LANES = ("commerce", "goods", "funds", "information", "process")
STATES = ("done", "due", "late", "waiting", "cancelled")

WIDTH = 1200  # of the picture, in its own units: pixels where the page is wide
NAME_WIDTH = 132  # the names of the lanes, on the left
AXIS_HEIGHT = 40
LAST_ROOM = 120  # kept free right of the last column, for its labels; more where labels are long
LAST_ROOM_ROOMY = 168
LANE_PADDING = 9
CHIP_GAP = 6
GLYPH = 12  # from a chip's edge to the centre of its glyph
TEXT_AT = 25  # from a chip's edge to its text
PAPER_ROOM = 15  # for the sheet of a mark with documents, beyond its text
SIZE = 12.5  # of a label's letters
ROOMY_MARKS = 14  # up to so many, a chip has two lines
FOLD_MARKS = 24  # from so many, the list folds the days on which all is over
DEPENDENCY_MARKS = 24  # up to so many, the picture shows what waits for what
TICK_ROOM = 58  # between the labels of the axis


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened or is to happen. `at` is when it happened, `due` when it has to; texts are the reader's.

    `key` and `after` (keys of other marks) draw what it waits for; both may be left out. `papers`: how many documents lie
    behind it, which a small sheet of paper shows.
    """

    lane: str
    at: datetime | None
    due: datetime | None
    state: str
    label: str
    detail: str = ""
    href: str = ""
    provider: str = ""
    receiver: str = ""
    key: str = ""
    after: tuple[str, ...] = ()
    papers: int = 0

    @property
    def time(self) -> datetime | None:
        """Where it stands in time: what is past when it happened, what is to come when it is due."""
        past = self.state in ("done", "cancelled")
        return (self.at or self.due) if past else (self.due or self.at)


@dataclass(frozen=True, slots=True)
class Chip:
    """One mark, or several equal ones, in its place: `x`, `y` are the glyph's centre, `left` and `top` the box's corner."""

    marks: tuple[Mark, ...]
    x: int
    left: int
    width: int
    height: int
    text: str
    second: str
    text_x: int
    anchor: str  # of the text: "start", or "end" where the box lies left of its glyph
    top: int = 0
    anchor_id: str = ""

    @property
    def lane(self) -> str:
        return self.marks[0].lane

    @property
    def state(self) -> str:
        return self.marks[0].state

    @property
    def title(self) -> str:
        return _label(self.marks)

    @property
    def y(self) -> int:
        return self.top + self.height // 2

    @property
    def count(self) -> int:
        return len(self.marks)

    @property
    def papers(self) -> int:
        return sum(mark.papers for mark in self.marks)

    @property
    def paper_x(self) -> int:
        """The centre of the sheet: at the end of the box that lies away from the glyph."""
        return self.left + self.width - 12 if self.anchor == "start" else self.left + 12

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def text_y(self) -> int:
        return self.y + (-3 if self.second else 4)

    @property
    def second_y(self) -> int:
        return self.y + 13

    @property
    def href(self) -> str:
        return f"#{self.anchor_id}" if self.count > 1 else self.marks[0].href


class Lane(NamedTuple):
    """A lane in its place, with its chips in the order of time."""

    name: str
    top: int
    height: int
    chips: tuple[Chip, ...]

    @property
    def middle(self) -> int:
        return self.top + self.height // 2

    @property
    def middle_y(self) -> int:  # the baseline of a name alone
        return self.middle + 5

    @property
    def name_y(self) -> int:  # and of one that has its Chinese name below it
        return self.middle - 1

    @property
    def flow_y(self) -> int:
        return self.middle + 15


class Tick(NamedTuple):
    x: int
    text: str


class Day(NamedTuple):
    """A heading of the list with what stands under it. `kind`: past, today, future or undated."""

    title: str
    kind: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything the template draws."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    today_x: int
    today_text: str
    undated_x: int | None
    curves: tuple[str, ...]
    earlier: tuple[Day, ...]  # days of the past on which all is over, folded away where there are many
    days: tuple[Day, ...]
    counts: tuple[tuple[str, int], ...]

    @property
    def earlier_count(self) -> int:
        return sum(chip.count for day in self.earlier for chip in day.chips)

    @property
    def plot_left(self) -> int:
        return NAME_WIDTH

    @property
    def axis_height(self) -> int:
        return AXIS_HEIGHT

    @property
    def plot_right(self) -> int:
        return self.width - 8

    @property
    def plot_height(self) -> int:
        return self.bottom - AXIS_HEIGHT

    @property
    def bottom(self) -> int:
        return self.height - CHIP_GAP

    @property
    def future_width(self) -> int:
        return self.width - self.today_x


def draw(
    marks: Sequence[Mark],
    *,
    now: datetime,
    zone: ZoneInfo,
    locale: str = "en",
    words: Mapping[str, str] | None = None,
    prefix: str = "lanes",
) -> Picture:
    """Lay out the marks. `words` are the reader's words of the states; `prefix` makes the ids of groups unique on a page."""
    known = dict(words or {state: state for state in STATES})
    scale = _Scale(marks, now, zone, locale)
    roomy = len(marks) <= ROOMY_MARKS
    top, lanes = AXIS_HEIGHT, []
    for name in LANES:
        own = [mark for mark in marks if mark.lane == name]
        rows = _rows(own, scale, known, roomy, f"{prefix}-{name}")
        lane = _lane(name, rows, top, _chip_height(roomy))
        lanes.append(lane)
        top += lane.height + CHIP_GAP
    earlier, days = _folded(_days(lanes, scale, now), len(marks))
    return Picture(
        width=WIDTH,
        height=top,
        lanes=tuple(lanes),
        ticks=scale.ticks(),
        today_x=scale.today_x,
        today_text=scale.spell(now),
        undated_x=scale.undated_x,
        curves=_curves(lanes) if len(marks) <= DEPENDENCY_MARKS else (),
        earlier=earlier,
        days=days,
        counts=tuple((state, Counter(mark.state for mark in marks)[state]) for state in STATES),
    )


class _Scale:
    """Where an instant stands: a column for each day (for each hour or minute where a trade lasts no longer)."""

    def __init__(self, marks: Sequence[Mark], now: datetime, zone: ZoneInfo, locale: str) -> None:
        self.zone, self.locale = zone, locale
        times = [time for mark in marks if (time := mark.time)]
        span = max(times, default=now) - min(times, default=now)
        self.step = "day" if span > timedelta(days=3) else "hour" if span > timedelta(hours=4) else "minute"
        columns = sorted({self.column(time) for time in [*times, now]})
        dated_right = WIDTH - (LAST_ROOM_ROOMY if len(marks) <= ROOMY_MARKS else LAST_ROOM)
        self.undated_x: int | None = None
        if any(mark.time is None for mark in marks):
            self.undated_x = dated_right
            dated_right -= 130
        gaps = [1 + min(3.2, 1.3 * log1p(self._days(a, b) / 2)) for a, b in pairwise(columns)]
        left, total = NAME_WIDTH + 26, sum(gaps) or 1
        self._x = {}
        passed = 0.0
        for column, gap in zip(columns, [*gaps, 0.0], strict=True):
            self._x[column] = round(left + (dated_right - left) * passed / total)
            passed += gap
        self.today_x = self._x[self.column(now)]

    def column(self, time: datetime) -> datetime:
        local = time.astimezone(self.zone)
        kept = {"day": ("hour", "minute"), "hour": ("minute",), "minute": ()}[self.step]
        cut = dict.fromkeys((*kept, "second", "microsecond"), 0)
        return local.replace(**cut)  # type: ignore[arg-type]

    def x(self, mark: Mark) -> int:
        time = mark.time
        return self._x[self.column(time)] if time else (self.undated_x or 0)

    def spell(self, time: datetime) -> str:
        chinese = self.locale.startswith("zh")
        pattern = {"day": ("d MMM", "M月d日"), "hour": ("d MMM HH:00", "M月d日 HH:00"), "minute": ("HH:mm", "HH:mm")}
        return format_datetime(time, pattern[self.step][chinese], tzinfo=self.zone, locale=self.locale)

    def title(self, day: date) -> str:
        pattern = "y年M月d日 EEE" if self.locale.startswith("zh") else "EEE d MMM y"
        return format_date(day, pattern, locale=self.locale)

    def ticks(self) -> tuple[Tick, ...]:
        """The labels of the axis that fit beside each other and beside today's."""
        taken, ticks = [self.today_x], []
        for column, x in self._x.items():
            if all(abs(x - other) >= TICK_ROOM for other in taken):
                taken.append(x)
                ticks.append(Tick(x, self.spell(column)))
        return tuple(ticks)

    def _days(self, earlier: datetime, later: datetime) -> float:
        seconds = (later - earlier).total_seconds()
        return seconds / {"day": 86400, "hour": 3600, "minute": 300}[self.step]


def text_width(text: str, size: float = SIZE) -> float:
    """About how wide a text is when drawn: a Chinese letter is as wide as it is high, a Latin one a little over half."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    narrow = len(re.findall(r"[ijltfrI.,:;'|()\[\] ]", text))
    heavy = len(re.findall(r"[A-ZMWmw@%¥€×–]", text))
    plain = len(text) - wide - narrow - heavy
    return size * (wide * 1.02 + narrow * 0.34 + heavy * 0.74 + plain * 0.59)


def fitted(text: str, room: float, size: float = SIZE) -> str:
    """The text, cut with an ellipsis where it would be wider than the room."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…" if text else ""


def _chip_height(roomy: bool) -> int:
    return 42 if roomy else 26


def _rows(marks: Sequence[Mark], scale: _Scale, words: Mapping[str, str], roomy: bool, prefix: str) -> list[list[Chip]]:
    """The lane's chips in rows without overlap: the first attempt that is not too tall, else the flattest."""
    attempts = [(False, 190), (False, 140), (True, 150), (True, 105), (True, 60), (True, 0)]
    rows_max = 3 if roomy else 4
    best: list[list[Chip]] = []
    for merged, room in attempts:
        groups = _grouped(marks, scale, merged)
        chips = [_chip(group, scale, words, room, roomy, f"{prefix}-{at}") for at, group in enumerate(groups)]
        rows = _placed(chips)
        if not best or len(rows) < len(best):
            best = rows
        if len(best) <= rows_max:
            break
    return best


def _grouped(marks: Iterable[Mark], scale: _Scale, merged: bool) -> list[tuple[Mark, ...]]:
    """Equal marks of one column together; when merged, all of one column and state."""
    groups: dict[tuple[object, ...], list[Mark]] = {}
    far = datetime.max.replace(tzinfo=UTC)
    for mark in sorted(marks, key=lambda one: one.time or far):
        same = () if merged else (mark.label, mark.detail, mark.provider, mark.receiver)
        groups.setdefault((scale.x(mark), mark.state, *same), []).append(mark)
    return [tuple(group) for group in groups.values()]


def _chip(
    marks: tuple[Mark, ...], scale: _Scale, words: Mapping[str, str], room: int, roomy: bool, anchor_id: str
) -> Chip:
    first, x = marks[0], scale.x(marks[0])
    label = _label(marks)
    word = words[first.state]
    if roomy:
        text = fitted(label, room)
        second = fitted(
            " · ".join(part for part in (word, first.detail if len(marks) == 1 else "") if part), room, 11.5
        )
    else:
        stressed = first.state in ("due", "late") and room > 100  # the states one must act on say so in a word
        said = f" · {word}" if stressed else ""
        text, second = fitted(label, room - text_width(said)) + said, ""
        if room == 0 and len(marks) > 1:
            text = f"×{len(marks)}"
    written = max(text_width(text), text_width(second, 11.5))
    width = round(TEXT_AT + written + 9) if written else 2 * GLYPH
    width += PAPER_ROOM if any(mark.papers for mark in marks) else 0
    height = _chip_height(roomy)
    left = x - GLYPH
    if left + width > WIDTH - 4:
        left = x + GLYPH - width
        return Chip(marks, x, left, width, height, text, second, x + GLYPH - TEXT_AT, "end", anchor_id=anchor_id)
    return Chip(marks, x, left, width, height, text, second, left + TEXT_AT, "start", anchor_id=anchor_id)


def _label(marks: Sequence[Mark]) -> str:
    return marks[0].label if len(marks) == 1 else f"{shared_label([mark.label for mark in marks])} ×{len(marks)}"


def shared_label(labels: Sequence[str]) -> str:
    """What several labels have in common, in whole words: «Deliver lot» for «Deliver lot 1», «Deliver lot 2»."""
    if len(set(labels)) == 1:
        return labels[0]
    letters = zip(*labels, strict=False)  # as long as the shortest
    common = "".join(column[0] for column in takewhile(lambda column: len(set(column)) == 1, letters))
    if not re.search(r"[^\x00-\x7f]$", common) and not common.endswith(" "):
        common = common.rpartition(" ")[0]
    common = common.strip(" ·:：,，-–#（(")
    return common if len(common) >= 2 else f"{labels[0]}…"


def _placed(chips: Iterable[Chip]) -> list[list[Chip]]:
    """Each chip in the first row where it touches no other."""
    rows: list[list[Chip]] = []
    for chip in sorted(chips, key=lambda one: (one.x, one.left)):
        for row in rows:
            if all(chip.left >= one.right + CHIP_GAP or chip.right + CHIP_GAP <= one.left for one in row):
                row.append(chip)
                break
        else:
            rows.append([chip])
    return rows


def _lane(name: str, rows: list[list[Chip]], top: int, chip_height: int) -> Lane:
    height = 2 * LANE_PADDING + max(1, len(rows)) * (chip_height + CHIP_GAP) - CHIP_GAP
    height = max(height, 52)
    start = top + (height - len(rows) * (chip_height + CHIP_GAP) + CHIP_GAP) // 2
    placed = [replace(chip, top=start + at * (chip_height + CHIP_GAP)) for at, row in enumerate(rows) for chip in row]
    return Lane(name, top, height, tuple(sorted(placed, key=lambda chip: (chip.x, chip.top))))


def _curves(lanes: Sequence[Lane]) -> tuple[str, ...]:
    """A curve from each mark to those that wait for it, as SVG path data."""
    places = {mark.key: chip for lane in lanes for chip in lane.chips for mark in chip.marks if mark.key}
    curves = []
    for lane in lanes:
        for chip in lane.chips:
            for key in dict.fromkeys(key for mark in chip.marks for key in mark.after):
                before = places.get(key)
                if before is None or before is chip:
                    continue
                start, end = before.x, chip.x
                bend = max(24, (end - start) // 2)
                curves.append(f"M{start} {before.y}C{start + bend} {before.y} {end - bend} {chip.y} {end} {chip.y}")
    return tuple(curves)


def _days(lanes: Sequence[Lane], scale: _Scale, now: datetime) -> tuple[Day, ...]:
    """The list: the chips of all lanes under the days on which they stand, with today between past and future."""
    order = {name: at for at, name in enumerate(LANES)}
    by_day: dict[date | None, list[Chip]] = {now.astimezone(scale.zone).date(): []}
    for lane in lanes:
        for chip in lane.chips:
            time = chip.marks[0].time
            by_day.setdefault(time.astimezone(scale.zone).date() if time else None, []).append(chip)
    far, today = datetime.max.replace(tzinfo=UTC), now.astimezone(scale.zone).date()
    days = []
    for day in sorted(by_day, key=lambda one: one or date.max):
        chips = sorted(by_day[day], key=lambda chip: (chip.marks[0].time or far, order[chip.lane]))
        if day is None:
            days.append(Day("", "undated", tuple(chips)))
        else:
            kind = "today" if day == today else "past" if day < today else "future"
            days.append(Day(scale.title(day), kind, tuple(chips)))
    return tuple(days)


def _folded(days: tuple[Day, ...], count: int) -> tuple[tuple[Day, ...], tuple[Day, ...]]:
    """Where there are many marks: the leading days on which all is over, but for the last two of them, and the rest."""
    over = list(
        takewhile(lambda day: day.kind == "past" and all(c.state in ("done", "cancelled") for c in day.chips), days)
    )
    cut = max(0, len(over) - 2) if count > FOLD_MARKS else 0
    return days[:cut], days[cut:]
