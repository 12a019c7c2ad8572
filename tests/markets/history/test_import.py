"""Imported history: complete, the same file twice changes nothing, a newer release replaces, a broken file leaves no trace."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connections, transaction

from huangpu.channels.cli.importing import bring_in
from huangpu.core.errors import Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.flows.commerce.models import Agreement, Commitment
from huangpu.markets.history.acts import import_file
from huangpu.markets.history.files import Summary, found, take
from huangpu.markets.history.models import Award, Bid, Contract, Document, Item, Lot, Party, Procedure
from huangpu.markets.history.standards.ocds.read import read
from huangpu.markets.history.standards.ocds.report import REASONS
from huangpu.markets.history.standards.ocds.schema import DATA, samples
from huangpu.markets.history.words import BROKEN
from huangpu.markets.history.words import REASONS as WORDS
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Identifier, Marketplace, Organisation

from .conftest import NOW
from .count_ocds import count


def bring(city: Marketplace, *paths: Path) -> Summary:
    summary = Summary()
    for file in found(paths):
        summary.add(take(file, actor=SYSTEM, marketplace_id=city.pk, clock=lambda: NOW))
    return summary


def release(**more: Any) -> dict[str, Any]:
    return {
        "ocid": "ocds-test-1",
        "id": "1",
        "date": "2026-01-01T00:00:00Z",
        "language": "en",
        "parties": [{"id": "b", "name": "Buyer", "identifier": {"scheme": "GB-COH", "id": "123"}, "roles": ["buyer"]}],
        "buyer": {"id": "b"},
        "tender": {"id": "t", "title": "Chairs", "items": [{"id": "1", "quantity": 2}]},
        **more,
    }


def put(city: Marketplace, **more: Any) -> Any:
    content = json.dumps(release(**more)).encode()
    return import_file(actor=SYSTEM, marketplace_id=city.pk, file="x.json", imported=read(content), now=NOW)


def rows() -> Counter[str]:
    return Counter(
        procedures=Procedure.objects.count(),
        parties=Party.objects.count(),
        lots=Lot.objects.count(),
        items=Item.objects.filter(within="tender").count(),
        bids=Bid.objects.count(),
        awards=Award.objects.count(),
        contracts=Contract.objects.count(),
    )


def test_rows_equal_the_independent_count_and_a_second_time_changes_nothing(city: Marketplace) -> None:
    first = bring(city, DATA)
    assert rows() == first.counts == count([DATA / "records"])
    assert first.files == {"taken": 24, "skipped": 8}
    assert Event.objects.filter(kind="history.imported").count() == 24
    versions = list(Procedure.objects.order_by("pk").values_list("pk", "updated_at"))

    again = bring(city, DATA)
    assert again.files == {"unchanged": 24, "skipped": 8}
    assert again.procedures["unchanged"] == 24
    assert list(Procedure.objects.order_by("pk").values_list("pk", "updated_at")) == versions
    assert Event.objects.count() == 24
    assert rows() == first.counts


def test_history_makes_no_commitment_and_every_reason_has_a_word(city: Marketplace) -> None:
    summary = bring(city, DATA)
    assert not Agreement.objects.exists()
    assert not Commitment.objects.exists()
    assert set(WORDS) == set(REASONS) >= {reason for _, _, reason in summary.notes}


def test_organisations_are_made_once_and_linked_by_their_register(city: Marketplace) -> None:
    bring(city, *samples())
    made = Organisation.objects.filter(imported=True)
    assert made.count() == Identifier.objects.count() > 10
    assert set(made.values_list("verification", flat=True)) == {0}
    school = Identifier.objects.get(scheme="UA-EDR", value="20201870").organisation
    assert school.country == "UA"
    assert Party.objects.filter(organisation=school, roles__contains=["buyer"]).exists()
    assert not Party.objects.filter(identifiers=[], organisation__isnull=False).exists()


def test_a_known_organisation_is_linked_and_left_as_it_is(city: Marketplace) -> None:
    known = Organisation.objects.create(name={"en": "Known Ltd"}, verification=2)
    Identifier.objects.create(organisation=known, scheme="GB-COH", value="123")
    put(city)
    known.refresh_from_db()
    assert Party.objects.get().organisation_id == known.pk
    assert (known.imported, known.verification, known.name) == (False, 2, {"en": "Known Ltd"})


def test_no_file_makes_an_organisation_of_the_register_the_city_verifies(city: Marketplace) -> None:
    party = {"id": "b", "name": "Forged", "identifier": {"scheme": "CN-USCC", "id": "91310000000000000X"}}
    put(city, parties=[party])
    assert Party.objects.get().organisation is None
    assert not Identifier.objects.exists()


def test_a_newer_release_replaces_an_older_one_does_not(city: Marketplace) -> None:
    assert put(city).imported == ["ocds-test-1"]
    id = Procedure.objects.get().pk
    newer = put(city, date="2026-02-01T00:00:00Z", tender={"id": "t", "title": "Better chairs", "items": []})
    assert newer.updated == ["ocds-test-1"]
    assert Procedure.objects.get(pk=id).title == {"en": "Better chairs"}
    assert not Item.objects.exists()
    assert put(city).older == ["ocds-test-1"]
    assert Procedure.objects.get().title == {"en": "Better chairs"}
    events = list(Event.objects.order_by("id"))
    assert [event.kind for event in events] == ["history.imported", "history.updated"]
    assert Payload.objects.get(pk=events[1].pk).body["items"] == 0


def test_the_same_content_in_another_wrapping_changes_nothing(city: Marketplace) -> None:
    put(city)
    wrapped = json.dumps({"records": [{"ocid": "ocds-test-1", "compiledRelease": release()}]}).encode()
    outcome = import_file(actor=SYSTEM, marketplace_id=city.pk, file="y.json", imported=read(wrapped), now=NOW)
    assert outcome.unchanged == ["ocds-test-1"]


def test_only_an_operator_or_a_regulator_may_import(city: Marketplace) -> None:
    imported = read(json.dumps(release()).encode())
    with pytest.raises(Refused):
        import_file(
            actor=Actor(person_id=uuid7(), organisation_id=city.operator_id, roles=frozenset({"owner"})),
            marketplace_id=city.pk,
            file="x.json",
            imported=imported,
            now=NOW,
        )
    operator = Actor(uuid7(), None, city.pk, market_roles=frozenset({"operator"}))
    import_file(actor=operator, marketplace_id=city.pk, file="x.json", imported=imported, now=NOW)
    assert Procedure.objects.count() == 1


def test_a_broken_file_changes_nothing_and_the_others_are_taken(city: Marketplace, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(release()))
    (tmp_path / "b.json").write_text(
        '{"records": [' + json.dumps({"compiledRelease": release(ocid="o2")}) + ', {"ocid": NaN}]}'
    )
    summary = bring(city, tmp_path)
    assert summary.files == {"taken": 1, "refused": 1}
    (refusal,) = summary.refused
    assert (refusal["reason"], refusal["found"]) == ("json.not_finite", "NaN")
    assert refusal["reason"] in BROKEN
    assert Procedure.objects.get().ocid == "ocds-test-1"


def test_a_failure_halfway_leaves_nothing(city: Marketplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(Document._default_manager, "bulk_create", fails)
    with pytest.raises(RuntimeError), transaction.atomic():
        take(samples()[-1], actor=SYSTEM, marketplace_id=city.pk, clock=lambda: NOW)
    assert rows() == Counter()
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_one_of_each() -> None:
    house = Organisation.objects.create(name={"en": "House"})
    city = Marketplace.objects.create(slug="city", name={"en": "City"}, operator=house, is_city=True)
    start, failed = threading.Barrier(2), []

    def run() -> None:
        try:
            start.wait()
            bring(city, DATA / "records/ukraine")
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert rows() == count([DATA / "records/ukraine"])
    assert Identifier.objects.count() == Organisation.objects.filter(imported=True).count()
    assert Event.objects.count() == 10


def test_the_command_reports_in_words_and_in_json(city: Marketplace, tmp_path: Path) -> None:
    assert city.is_city
    runner = CliRunner()
    told = runner.invoke(bring_in, ["ocds", str(DATA)])
    assert told.exit_code == 0, told.output
    assert "$.compiledRelease.tender.value" in told.output
    assert "…" not in told.output
    assert "a JSON Schema, not data" in told.output
    assert "24 imported, 0 updated, 0 unchanged" in told.output

    (tmp_path / "bad.json").write_bytes(b'{"ocid": "\xff"}')
    report = tmp_path / "report.txt"
    answer = runner.invoke(bring_in, ["ocds", "--json", "--report", str(report), str(DATA), str(tmp_path)])
    assert answer.exit_code == 1
    said = json.loads(answer.stdout)
    assert said == json.loads(report.read_text())
    assert said["files"] == {"unchanged": 24, "skipped": 8, "refused": 1}
    assert said["refused"][0]["place"] == "1:11 (byte 10)"
    assert {"kind": "left_out", "path": "$.versionedRelease", "reason": "section.superseded", "times": 24} in said[
        "left_out"
    ]


def test_the_command_without_a_city_says_what_to_do(db: None) -> None:  # noqa: ARG001
    answer = CliRunner().invoke(bring_in, ["ocds", str(samples()[0])])
    assert answer.exit_code == 2
    assert "huangpu demo" in answer.output
