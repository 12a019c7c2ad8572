"""The picture of a trade: nothing is lost, nothing overlaps, what is late or due says so."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from huangpu.channels.web.examples import six, sixty
from huangpu.core.web.lanes import (
    CHIP_GAP,
    LANES,
    NAME_WIDTH,
    STATES,
    WIDTH,
    Mark,
    Picture,
    draw,
    fitted,
    shared_label,
    text_width,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def drawn(marks: list[Mark], locale: str = "en") -> Picture:
    return draw(marks, now=NOW, zone=SHANGHAI, locale=locale)


def in_picture(picture: Picture) -> list[Mark]:
    return [mark for lane in picture.lanes for chip in lane.chips for mark in chip.marks]


def in_list(picture: Picture) -> list[Mark]:
    return [mark for day in (*picture.earlier, *picture.days) for chip in day.chips for mark in chip.marks]


instants = st.none() | st.integers(-90 * 24, 90 * 24).map(lambda hours: NOW + timedelta(hours=hours))
labels = st.sampled_from(
    ["Delivery 1", "Delivery 2", "第一批交货", "第二批交货", "Inspection of all that was sent", "付款"]
)
marks = st.builds(
    Mark,
    lane=st.sampled_from(LANES),
    at=instants,
    due=instants,
    state=st.sampled_from(STATES),
    label=labels,
    detail=st.sampled_from(["", "¥512,400.00", "12.5 吨"]),
    key=st.sampled_from(["a", "b", "c", ""]),
    after=st.sampled_from([(), ("a",), ("b", "c")]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(marks, max_size=70))
def test_every_mark_is_drawn_once_and_listed_once_and_no_two_chips_touch(given_marks: list[Mark]) -> None:
    picture = drawn(given_marks)
    assert Counter(in_picture(picture)) == Counter(given_marks) == Counter(in_list(picture))
    assert [lane.name for lane in picture.lanes] == list(LANES)
    for above, below in zip(picture.lanes, picture.lanes[1:], strict=False):
        assert above.top + above.height + CHIP_GAP == below.top
    for lane in picture.lanes:
        for chip in lane.chips:
            assert chip.lane == lane.name
            assert chip.left >= NAME_WIDTH
            assert chip.right <= WIDTH
            assert lane.top <= chip.top
            assert chip.top + chip.height <= lane.top + lane.height
        for at, one in enumerate(lane.chips):
            for other in lane.chips[at + 1 :]:
                apart = one.right <= other.left or other.right <= one.left
                assert apart or one.top != other.top
    assert {chip.state for lane in picture.lanes for chip in lane.chips} <= set(STATES)


@settings(max_examples=60, deadline=None)
@given(st.lists(marks, min_size=2, max_size=40))
def test_what_is_later_stands_further_right(given_marks: list[Mark]) -> None:
    places = sorted(
        (chip.marks[0].time, chip.x)
        for lane in drawn(given_marks).lanes
        for chip in lane.chips
        if chip.marks[0].time is not None
    )
    assert [x for _, x in places] == sorted(x for _, x in places)


@pytest.mark.parametrize("example", [six, sixty])
@pytest.mark.parametrize("locale", ["en", "zh_Hans_CN"])
def test_the_examples_stay_low_enough_to_be_seen_at_once(example, locale: str) -> None:
    picture = drawn(example(NOW), locale)
    assert picture.height < 640
    assert NAME_WIDTH < picture.today_x < WIDTH


def test_equal_marks_of_one_instant_are_one_with_a_count_that_opens_in_the_list() -> None:
    due = NOW + timedelta(days=3)
    picture = drawn([Mark("goods", None, due, "due", "Delivery", "12 t") for _ in range(12)])
    (chip,) = picture.lanes[1].chips
    assert chip.count == 12
    assert chip.title == "Delivery ×12"
    assert chip.href == f"#{chip.anchor_id}"
    with translation.override("en"):
        html = Template("{% load huangpu %}{% lanes marks %}").render(Context({"marks": list(chip.marks)}))
    assert f'<ul id="{chip.anchor_id}">' in html
    assert html.count('<span class="hp-step-state">') == 13


def test_many_different_marks_of_one_day_are_joined_by_what_their_names_share() -> None:
    due = NOW + timedelta(days=3)
    picture = drawn([Mark("goods", None, due, "due", f"Deliver lot {n}") for n in range(30)])
    assert [chip.title for chip in picture.lanes[1].chips] == ["Deliver lot ×30"]


def test_a_trade_of_minutes_is_drawn_by_minutes() -> None:
    quick = [Mark("funds", NOW - timedelta(minutes=m), None, "done", "Paid") for m in (50, 20, 5)]
    assert [chip.x for chip in drawn(quick).lanes[2].chips] == sorted({chip.x for chip in drawn(quick).lanes[2].chips})
    assert len(drawn(quick).lanes[2].chips) == 3
    assert all(":" in tick.text for tick in drawn(quick).ticks)


def test_what_has_no_date_stands_last_under_its_own_heading() -> None:
    picture = drawn([*six(NOW), Mark("process", None, None, "waiting", "Closing")])
    assert picture.undated_x == max(chip.x for lane in picture.lanes for chip in lane.chips)
    assert picture.days[-1].kind == "undated"


def test_today_is_in_the_list_even_when_nothing_stands_on_it() -> None:
    kinds = [day.kind for day in drawn(six(NOW)).days]
    assert kinds.count("today") == 1
    assert kinds == sorted(kinds, key=["past", "today", "future", "undated"].index)


def test_only_a_long_list_folds_its_past_and_only_what_is_over() -> None:
    assert drawn(six(NOW)).earlier == ()
    picture = drawn(sixty(NOW))
    assert picture.earlier_count > 20
    assert {mark.state for day in picture.earlier for chip in day.chips for mark in chip.marks} <= {"done", "cancelled"}


def test_an_empty_trade_is_five_empty_lanes() -> None:
    assert all(not lane.chips for lane in drawn([]).lanes)


@pytest.mark.parametrize(
    ("names", "shared"),
    [
        (["Deliver lot 1", "Deliver lot 2"], "Deliver lot"),
        (["第一批交货", "第二批交货"], "第一批交货…"),
        (["交货 第1批", "交货 第2批"], "交货 第"),
        (["Pay", "Pay"], "Pay"),
        (["Pay", "Accept"], "Pay…"),
    ],
)
def test_shared_labels_are_cut_between_words(names: list[str], shared: str) -> None:
    assert shared_label(names) == shared


@given(st.text(max_size=60), st.integers(0, 300))
def test_a_fitted_text_is_never_wider_than_its_room(text: str, room: int) -> None:
    assert text_width(fitted(text, room)) <= room


def test_a_state_is_told_by_word_and_shape_and_the_colour_comes_last() -> None:
    with translation.override("en"):
        html = Template("{% load huangpu %}{% lanes marks %}").render(Context({"marks": six(datetime.now(UTC))}))
    for word in ("Done", "Due", "Late", "Waiting"):
        assert word in html
    for shape in ("hp-g-fill", "hp-g-ring", "hp-g-alarm", "hp-g-dashed"):
        assert shape in html
    assert "style=" not in html
