"""What is written validates against the official schemas and reads back the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huangpu.core.money import Money
from huangpu.markets.history.standards.ocds import values
from huangpu.markets.history.standards.ocds.read import read
from huangpu.markets.history.standards.ocds.schema import failures, samples
from huangpu.markets.tender.standards.ocds.write import Package, dumps, record_package, release, release_package

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PACKAGE = Package("https://huangpu.example/ocds.json", "Huangpu", AT, "https://huangpu.example/")


def back(text: str) -> values.Procedure:
    imported = read(text.encode())
    wrong = {note.reason for note in imported.report.notes} - {"section.superseded", "value.empty"}
    assert not wrong, imported.report.notes
    (procedure,) = imported.procedures
    return procedure


def comparable(procedure: values.Procedure) -> values.Procedure:
    """Without its place in the file, and without the publisher's own words for what is a code now."""
    return replace(
        procedure,
        path="",
        tender=replace(procedure.tender, status_said=""),
        bids=tuple(replace(bid, status_said="") for bid in procedure.bids),
        awards=tuple(replace(award, status_said="") for award in procedure.awards),
        contracts=tuple(replace(contract, status_said="") for contract in procedure.contracts),
    )


@pytest.mark.parametrize("file", samples(), ids=lambda file: file.stem)
def test_real_procedures_are_written_valid_and_read_back_the_same(file: Any) -> None:
    (procedure,) = read(file).procedures
    written = release(procedure)
    package = release_package(PACKAGE, [written])
    record = record_package(PACKAGE, [written])
    assert list(failures(package, "release_package")) == []
    assert list(failures(json.loads(dumps(record)), "record_package")) == []
    assert comparable(back(dumps(package))) == comparable(procedure)
    merged = back(dumps(record))
    assert comparable(replace(merged, release_id=procedure.release_id)) == comparable(procedure)


words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
ids = st.uuids().map(str)
instants = st.timedeltas(timedelta(-10_000), timedelta(10_000)).map(lambda away: AT + away)
names = st.fixed_dictionaries({"zh-hans": words}, optional={"en": words}) | st.just({})
money = st.builds(Money, st.integers(0, 2**53 - 1), st.sampled_from(["CNY", "JPY", "KWD"])) | st.none()
quantities = st.decimals(Decimal("0.000001"), Decimal(10) ** 12, places=6) | st.none()


@st.composite
def procedures(draw: st.DrawFn) -> values.Procedure:
    """A tender at its end, with references that hold."""
    parties = tuple(
        values.Party(id, draw(names), (role,), (values.Identifier("CN-USCC", draw(ids)),))
        for id, role in zip(
            draw(st.lists(ids, min_size=2, max_size=2, unique=True)), ("buyer", "supplier"), strict=True
        )
    )
    lots = tuple(
        values.Lot(id, draw(names), status="active", value=draw(money))
        for id in draw(st.lists(ids, unique=True, max_size=3))
    )
    lot = st.sampled_from([lot.id for lot in lots]) if lots else st.just("")
    items = tuple(
        values.Item(
            id,
            draw(names),
            values.Classification("CPV", "44110000-4"),
            quantity=draw(quantities),
            unit="TNE",
            unit_said="吨",
            lot=draw(lot),
        )
        for id in draw(st.lists(ids, unique=True, max_size=3))
    )
    bid = values.Bid(
        "bid", "valid", "", draw(instants), draw(money), (parties[1].id,), tuple(filter(None, [draw(lot)]))
    )
    award = values.Award("award", "active", value=draw(money), suppliers=(parties[1].id,), bid="bid", lots=bid.lots)
    contract = values.Contract("contract", "award", "PO-1", "active", value=draw(money), signed_at=draw(instants))
    return values.Procedure(
        ocid="ocds-huangpu-1",
        path="",
        release_id="1",
        released_at=draw(instants),
        language="zh-hans",
        tags=("tender", "award"),
        initiation="tender",
        buyer=parties[0].id,
        tender=values.Tender(
            "t", draw(names), status="complete", method="open", value=draw(money), lots=lots, items=items,
            tender_period=values.Period(draw(instants), draw(instants)), number_of_tenderers=draw(st.integers(0, 99)),
        ),
        parties=parties,
        bids=(bid,),
        awards=(award,),
        contracts=(contract,),
    )  # fmt: skip


@given(procedure=procedures())
@settings(max_examples=30, deadline=None)
def test_any_procedure_is_written_valid_and_read_back_the_same(procedure: values.Procedure) -> None:
    text = dumps(release_package(PACKAGE, [release(procedure)]))
    assert list(failures(json.loads(text), "release_package")) == []
    imported = read(text.encode())
    assert {note.reason for note in imported.report.notes} <= {"language.mapped"}
    assert comparable(imported.procedures[0]) == procedure


def test_amounts_are_exact_to_the_last_digit_and_no_text_passes_for_a_number() -> None:
    assert dumps({"a": Decimal("90071992547409.91"), "b": Decimal("1E+3"), "c": "12.5"}) == (
        '{"a": 90071992547409.91, "b": 1000, "c": "12.5"}'
    )


def test_a_record_holds_its_releases_in_order_and_what_they_say_together() -> None:
    said = [
        values.Procedure("ocds-x-1", "", str(number), AT + timedelta(days=number), "en", (tag,), tender=tender)
        for number, tag, tender in (
            (
                1,
                "tender",
                values.Tender("t", {"en": "Chairs"}, status="active", lots=(values.Lot("l", status="active"),)),
            ),
            (2, "tenderUpdate", values.Tender("t", {"en": "Better chairs"})),
            (
                3,
                "tenderCancellation",
                values.Tender("t", status="cancelled", lots=(values.Lot("l", status="cancelled"),)),
            ),
        )
    ]
    package = record_package(PACKAGE, [release(each) for each in said])
    assert list(failures(package, "record_package")) == []
    compiled = package["records"][0]["compiledRelease"]
    assert compiled["tag"] == ["compiled"]
    assert (compiled["tender"]["title"], compiled["tender"]["status"]) == ("Better chairs", "cancelled")
    assert compiled["tender"]["lots"] == [{"id": "l", "status": "cancelled"}]


def test_the_schema_is_really_asked() -> None:
    wrong = release_package(PACKAGE, [{**release(values.Procedure("o", "", "1", AT, tags=("bid",)))}])
    assert "$.releases[0].tag[0]" in dict(failures(wrong, "release_package"))
