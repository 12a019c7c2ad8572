"""The reader of OCDS files: what real publishers write, what the standard allows, and what hostile files try."""

from __future__ import annotations

import copy
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huangpu.core.money import Money
from huangpu.markets.history.standards.ocds.document import BYTES_MAX, Broken
from huangpu.markets.history.standards.ocds.read import read
from huangpu.markets.history.standards.ocds.schema import DATA, failures, samples
from huangpu.markets.history.standards.ocds.values import Imported

from .count_ocds import count


def reading(**release: Any) -> Imported:
    """A single release with these members, read."""
    return read(json.dumps({"ocid": "ocds-test-1", **release}).encode())


def left_out(imported: Imported) -> dict[str, str]:
    return {note.path: note.reason for note in imported.report.notes if note.kind == "left_out"}


def read_as(imported: Imported) -> dict[str, str]:
    return {note.path: note.reason for note in imported.report.notes if note.kind == "read_as"}


def broken(content: bytes) -> Broken:
    with pytest.raises(Broken) as refused:
        read(content)
    return refused.value


def read_or_refused(content: bytes) -> Imported | Broken:
    """Either is fine; any other exception is not."""
    try:
        return read(content)
    except Broken as refused:
        return refused


def test_counts_equal_an_independent_count_exactly() -> None:
    total: Counter[str] = Counter()
    for file in samples():
        total.update(read(file).counts())
    assert len(samples()) == 24
    assert total == count([DATA / "records"])
    assert min(total.values()) > 0


def test_schemas_are_no_data_and_say_so() -> None:
    words = {str(path.relative_to(DATA)): read(path).skipped for path in (DATA / "schema").rglob("*.json")}
    assert words["schema/release-schema.json"] == "schema"
    assert words["schema/extensions/lots/extension.json"] == "extension"
    assert all(words.values())


def test_a_prozorro_record_is_read_in_full() -> None:
    imported = read(DATA / "records/ukraine/ocds-be6bcu-UA-2016-06-02-000468-c.json")
    procedure = imported.procedures[0]
    assert imported.publisher == 'ДП "Прозорро"'
    assert procedure.ocid == "ocds-be6bcu-UA-2016-06-02-000468-c"
    assert procedure.tender.title == {"uk": "Стіл масажний"}
    assert (procedure.tender.status, procedure.tender.method) == ("complete", "open")
    assert procedure.tender.value == Money(300000, "UAH")
    assert procedure.buyer == "UA-EDR-20201870"
    assert procedure.tender.tender_period.end == datetime(2016, 6, 9, 12, 0, tzinfo=UTC)
    (bid,) = procedure.bids
    assert (bid.status, bid.status_said, bid.value) == ("valid", "active", Money(291000, "UAH"))
    assert bid.tenderers == ("UA-EDR-40133709",)  # found by its identifier: the file gives the tenderer no id
    (award,) = procedure.awards
    assert award.suppliers == ("UA-EDR-40133709",)
    assert award.lots == bid.lots == (procedure.tender.lots[0].id,)
    assert procedure.contracts[0].award == award.id
    (item,) = procedure.tender.items
    assert (item.quantity, item.unit) == (Decimal(1), "H87")
    assert item.classification is not None
    assert item.classification.scheme == "CPV"


def test_a_moldovan_record_with_its_empty_fields_and_own_words() -> None:
    imported = read(DATA / "records/moldova/ocds-ngfbwp-17180016.json")
    procedure = imported.procedures[0]
    assert procedure.language == "ro"
    assert (procedure.tender.status, procedure.tender.status_said) == ("complete", "Executarea contractului")
    assert procedure.tender.value is None
    assert [award.value.currency for award in procedure.awards if award.value] == ["MDL", "MDL"]
    assert any(not party.name for party in procedure.parties)
    said = left_out(imported)
    assert said["$.compiledRelease.tender.value"] == "value.empty"
    assert said["$.versionedRelease"] == "section.superseded"
    assert read_as(imported)["$.compiledRelease.awards[0].value.currency"] == "currency.case"


def test_contact_persons_are_not_kept() -> None:
    for file in samples():
        imported = read(file)
        for party in imported.procedures[0].parties:
            assert "@" not in repr(party)
    assert left_out(read(samples()[-1]))["$.compiledRelease.parties[0].contactPoint"] == "personal.data"


@pytest.mark.parametrize(
    ("value", "expected", "reason"),
    [
        ({"amount": 12.5, "currency": "UAH"}, Money(1250, "UAH"), {}),
        ({"amount": "12.50", "currency": "uah"}, Money(1250, "UAH"), {}),
        ({"amount": 0, "currency": "CNY"}, Money(0, "CNY"), {}),
        ({"amount": 12.500, "currency": "CNY"}, Money(1250, "CNY"), {}),
        ({"amount": 12.505, "currency": "CNY"}, None, {"amount": "amount.too_fine"}),
        ({"amount": 12.5, "currency": "JPY"}, None, {"amount": "amount.too_fine"}),
        ({"amount": -1, "currency": "CNY"}, None, {"amount": "amount.invalid"}),
        ({"amount": 10**18, "currency": "CNY"}, None, {"amount": "amount.invalid"}),
        ({"amount": "1,234.50", "currency": "CNY"}, None, {"amount": "amount.invalid"}),
        ({"amount": "двадцать", "currency": "CNY"}, None, {"amount": "amount.invalid"}),
        ({"amount": True, "currency": "CNY"}, None, {"amount": "value.type"}),
        ({"amount": 5, "currency": "XX"}, None, {"currency": "currency.unknown", "amount": "currency.missing"}),
        ({"amount": 5, "currency": ""}, None, {"currency": "value.empty", "amount": "currency.missing"}),
        ({"amount": 5}, None, {"amount": "currency.missing"}),
    ],
)
def test_amounts_are_exact_or_left_out_with_the_reason(value: Any, expected: Money | None, reason: Any) -> None:
    imported = reading(tender={"id": "1", "value": value})
    assert imported.procedures[0].tender.value == expected
    assert left_out(imported) == {f"$.tender.value.{key}": why for key, why in reason.items()}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2016-06-15T11:18:30.208227+03:00", datetime(2016, 6, 15, 8, 18, 30, 208227, UTC)),
        ("2016-11-07T00:00:00.00Z", datetime(2016, 11, 7, tzinfo=UTC)),
        ("2017-05-15 10:00", datetime(2017, 5, 15, 10, tzinfo=UTC)),
        ("2017-05-15", datetime(2017, 5, 15, tzinfo=UTC)),
        ("2017-05-15T10:00:00.123456789Z", datetime(2017, 5, 15, 10, 0, 0, 123456, UTC)),
        ("2017-02-30T10:00:00Z", None),
        ("15.05.2017", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
    ],
)
def test_instants(written: str, expected: datetime | None) -> None:
    imported = reading(date=written)
    assert imported.procedures[0].released_at == expected
    assert (left_out(imported).get("$.date") == "instant.invalid") == (expected is None)


def test_units_quantities_and_unit_prices() -> None:
    items = [
        {"id": 1, "quantity": "2.5", "unit": {"scheme": "UNCEFACT", "id": "KGM"}},
        {"id": 2, "quantity": 3, "unit": {"name": "Metru pătrat", "value": {"amount": 0.125, "currency": "mdl"}}},
        {"id": 3, "quantity": 0, "unit": {"name": "fathom of old"}},
        {"id": 4, "quantity": 1e-9, "unit": {"scheme": "UNCEFACT", "id": "NMP"}},
        {"id": 5, "unit": {"id": "wibble"}},
    ]
    imported = reading(tender={"id": "1", "items": items})
    found = imported.procedures[0].tender.items
    assert [item.unit for item in found] == ["KGM", "MTK", "", "XPK", ""]
    assert [item.quantity for item in found] == [Decimal("2.5"), Decimal(3), None, None, None]
    assert (found[1].unit_price, found[1].currency) == (Decimal("0.125"), "MDL")
    said = left_out(imported)
    assert said["$.tender.items[2].quantity"] == "quantity.invalid"
    assert said["$.tender.items[2].unit.name"] == said["$.tender.items[4].unit.id"] == "unit.unknown"


def test_duplicates_and_dangling_references_are_left_out_by_their_path() -> None:
    imported = reading(
        parties=[{"id": "A", "roles": ["buyer", "king"]}, {"id": "A"}, {"name": "no id"}, "text"],
        buyer={"id": "A"},
        tender={"id": "1", "items": [{"id": "1", "relatedLot": "gone"}], "procuringEntity": {"id": "B", "name": "B"}},
        awards=[{"id": "1", "suppliers": [{"id": "C"}], "relatedBid": "9"}],
        contracts=[{"id": "1", "awardID": "2"}],
    )
    assert [party.id for party in imported.procedures[0].parties] == ["A"]
    assert left_out(imported) == {
        "$.parties[0].roles[1]": "code.unknown",
        "$.parties[1]": "id.duplicate",
        "$.parties[2]": "id.missing",
        "$.parties[3]": "value.type",
        "$.tender.procuringEntity": "reference.dangling",
        "$.tender.items[0].relatedLot": "reference.dangling",
        "$.awards[0].suppliers[0]": "reference.dangling",
        "$.awards[0].relatedBid": "reference.dangling",
        "$.contracts[0].awardID": "reference.dangling",
    }


def test_addresses_that_are_no_web_addresses_are_left_out() -> None:
    documents = [
        {"id": "1", "url": "javascript:alert(1)"},
        {"id": "2", "url": "https://a.example/b c"},
        {"id": "3", "url": "https://a.example/b"},
    ]
    imported = reading(tender={"id": "1", "documents": documents})
    assert [document.url for document in imported.procedures[0].tender.documents] == ["", "", "https://a.example/b"]


def test_packages_of_each_kind_give_the_same() -> None:
    one = {"ocid": "ocds-x-1", "id": "1", "date": "2026-01-01T00:00:00Z", "tender": {"id": "t", "title": "Old"}}
    two = {
        "ocid": "ocds-x-1",
        "id": "2",
        "date": "2026-02-01T00:00:00Z",
        "tender": {"id": "t", "title": "New", "items": [{"id": "1"}]},
    }
    wrap = {
        "uri": "https://x.example",
        "version": "1.1",
        "publisher": {"name": "X"},
        "publishedDate": "2026-02-02T00:00:00Z",
    }
    package = read(json.dumps({**wrap, "releases": [two, one]}).encode())
    record = read(json.dumps({**wrap, "records": [{"ocid": "ocds-x-1", "releases": [one, two]}]}).encode())
    for imported in (package, record):
        (procedure,) = imported.procedures
        assert procedure.tender.title == {"und": "New"}
        assert len(procedure.tender.items) == 1
        assert procedure.released_at == datetime(2026, 2, 1, tzinfo=UTC)
        assert imported.publisher == "X"
    (single,) = read(json.dumps(two).encode()).procedures
    assert single.tender == procedure.tender


@pytest.mark.parametrize(
    ("content", "code", "byte"),
    [
        (b'{"ocid": "\xff"}', "text.not_utf8", 10),
        (b'{"ocid": "a\x00"}', "text.nul", 11),
        (b'{"ocid": "a\\u0000"}', "text.nul", 11),
        (b'{"ocid": "\\ud800"}', "text.surrogate", 9),
        (b'{"ocid": ' + b"[" * 100 + b"]" * 100 + b"}", "json.too_deep", 72),
        (b"[" * 3_000_000, "json.too_deep", 64),
        (b'{"ocid": NaN}', "json.not_finite", 9),
        (b'{"ocid": -Infinity}', "json.not_finite", 9),
        (b'{"amount": 1e999999999}', "json.huge_number", 11),
        (b'{"amount": ' + b"9" * 5000 + b"}", "json.huge_number", 11),
        (b'{"a": 1, "\\u0061": 2}', "json.duplicate_key", 9),
        (b'{"ocid": "x"', "json.syntax", 12),
        (b'{"ocid": "x" "y"}', "json.syntax", 13),
        (b'"' + b'\\"' * 200_000, "json.syntax", 0),
        (b"", "json.syntax", 0),
        (b" " * (BYTES_MAX + 1), "file.too_large", BYTES_MAX),
        (b"[" + b"1," * 1_100_000 + b"1]", "json.too_many_values", 2_000_001),
    ],
)
def test_a_broken_file_is_refused_as_a_whole_and_says_where(content: bytes, code: str, byte: int) -> None:
    refused = broken(content)
    assert refused.code == code
    assert refused.byte == byte


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        ([], "root.type", "$"),
        (None, "root.type", "$"),
        ({"hello": 1}, "root.not_ocds", "$"),
        ({"records": {}}, "root.type", "$.records"),
        (
            {"records": [{"ocid": "a", "compiledRelease": {"id": "1"}}]},
            "ocid.missing",
            "$.records[0].compiledRelease.ocid",
        ),
        ({"releases": [3]}, "root.type", "$.releases[0]"),
        ({"releases": [{"ocid": ["x"]}]}, "ocid.missing", "$.releases[0].ocid"),
    ],
)
def test_a_wrong_root_is_refused_by_its_path(value: Any, code: str, path: str) -> None:
    refused = broken(json.dumps(value).encode())
    assert (refused.code, refused.path, refused.place) == (code, path, path)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Broken) as refused:
        read(tmp_path)
    assert refused.value.code == "file.unreadable"


def test_the_vendored_schema_finds_the_publishers_mistakes() -> None:
    moldovan = json.loads(samples()[0].read_bytes())["compiledRelease"]
    assert "$.tender.status" in dict(failures(moldovan, "release"))
    assert "$.date" in dict(failures({"date": "15.05.2017"}, "release"))


# Anything JSON can hold in the place of anything a real file holds.
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", " ", "1e5", "2016-13-45", "𝕏" * 300, "a" * 30_000, "\u202e", "-0", "٣"])
    | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "amount", "x y"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += places(value[key], (*path, key))
    return found


RECORDS = [json.loads(file.read_bytes())["compiledRelease"] for file in samples()[::4]]


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large]
)
def test_a_mutated_real_file_is_read_or_refused_but_never_breaks_the_reader(data: st.DataObject) -> None:
    release = copy.deepcopy(data.draw(st.sampled_from(RECORDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from(places(release)))
        parent = release
        for key in place[:-1]:
            parent = parent[key]
        if data.draw(st.booleans()):
            parent[place[-1]] = data.draw(junk)
        elif isinstance(parent, dict):
            del parent[place[-1]]
    imported = read_or_refused(json.dumps({"compiledRelease": release}).encode())
    for procedure in imported.procedures if isinstance(imported, Imported) else ():
        ids = {party.id for party in procedure.parties}
        assert {procedure.buyer, *(id for award in procedure.awards for id in award.suppliers)} - {""} <= ids


@given(cut=st.integers(0, 48_000), put=st.binary(max_size=8))
@settings(max_examples=100, deadline=None)
def test_mutated_bytes_are_read_or_refused_with_a_place(cut: int, put: bytes) -> None:
    content = (DATA / "records/ukraine/ocds-be6bcu-UA-2016-06-07-000066-a.json").read_bytes()
    imported = read_or_refused(content[:cut] + put + content[cut + len(put) :])
    assert imported.place if isinstance(imported, Broken) else len(imported.procedures) == 1
