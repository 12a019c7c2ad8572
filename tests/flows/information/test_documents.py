"""Documents: what is accepted, where the bytes lie, and who gets them."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from huangpu.core.errors import Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event
from huangpu.flows.information import acts, media, queries, storage, verify
from huangpu.flows.information.models import Document

from .conftest import NOW, Market

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


def store(
    market: Market, content: bytes = PDF, filename: str = "offer.pdf", audience: Any = (), who: str = "buyer"
) -> Document:
    return acts.store_document(
        actor=market.actor(who),
        marketplace_id=market.marketplace.pk,
        content=content,
        filename=filename,
        audience=list(audience),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("content", "filename", "media_type"),
    [
        (PDF, "offer.pdf", "application/pdf"),
        (PNG, "photo.PNG", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9", "a.jpeg", "image/jpeg"),
        (zipped(word__document_xml=b"<x/>"), "a.docx", media.OFFICE + "wordprocessingml.document"),
        (zipped(xl__workbook_xml=b"<x/>"), "a.xlsx", media.OFFICE + "spreadsheetml.sheet"),
        (zipped(OFD_xml=b"<x/>"), "fapiao.ofd", "application/ofd"),
        (
            zipped(mimetype=b"application/vnd.oasis.opendocument.text"),
            "a.odt",
            "application/vnd.oasis.opendocument.text",
        ),
        (zipped(anything=b"x"), "a.zip", "application/zip"),
        ("名称,数量\n钢板,3\n".encode(), "a.csv", "text/csv; charset=utf-8"),
        ("名称,数量\n钢板,3\n".encode("gb18030"), "a.csv", "text/csv; charset=gb18030"),
        (b'{"a": [1, 2]}', "a.json", "application/json"),
        (b'<?xml version="1.0"?><Invoice/>', "ubl.xml", "application/xml; charset=utf-8"),
        (b"UNA:+.? '\nUNB+UNOA:1'", "a.edi", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_is_told_by_its_bytes(content: bytes, filename: str, media_type: str) -> None:
    assert media.media_type_of(content, filename) == media_type


@pytest.mark.parametrize(
    ("content", "filename", "code"),
    [
        (b"", "a.txt", "information.empty"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00", "price.pdf", "information.media_type"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", "price.csv", "information.media_type"),
        (b"<!DOCTYPE html><html><script>alert(1)</script>", "a.txt", "information.media_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'>", "a.xml", "information.media_type"),
        (PDF, "price.csv", "information.extension"),
        (b"name,count\n", "price.pdf", "information.extension"),
        (b"{not json", "a.json", "information.media_type"),
        (b"[" * 100_000, "a.json", "information.media_type"),
        (b"PK\x03\x04 broken", "a.zip", "information.media_type"),
        (os.urandom(4096) + b"\x00\x01", "a.bin", "information.media_type"),
    ],
)
def test_what_is_something_else_is_refused(content: bytes, filename: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        media.media_type_of(content, filename)
    assert refused.value.code == code


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_bytes_and_no_name_do_more_than_be_refused(content: bytes, filename: str) -> None:
    try:
        name = media.clean_filename(filename)
        found = media.media_type_of(content, name)
    except Invalid as refused:
        found = str(refused)
    assert found


@given(st.text(max_size=400))
def test_a_kept_name_is_no_path(filename: str) -> None:
    try:
        name = media.clean_filename(filename)
    except Invalid:
        return
    assert not set(name) & set("/\\\0\r\n")
    assert 3 <= len(name) <= 200
    assert name not in (".", "..")


def test_bytes_lie_under_their_hash_once_and_on_the_disk_before_the_row(
    market: Market, files: Path, monkeypatch: Any
) -> None:
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(Document.objects.count()), fsync(descriptor))[1])
    one = store(market)
    assert len(synced) >= 2  # the file and its folder
    assert set(synced) == {0}  # before there was a row
    two = store(market, who="seller")
    assert one.sha256 == two.sha256 == hashlib.sha256(PDF).hexdigest()
    assert one.pk != two.pk
    assert one.organisation_id != two.organisation_id
    kept = [path for path in files.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [one.sha256]
    assert kept[0].read_bytes() == PDF


def test_a_write_that_fails_leaves_neither_file_nor_row(market: Market, files: Path, monkeypatch: Any) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store(market)
    assert not [path for path in files.rglob("*") if path.is_file()]
    assert not Document.objects.exists()


def test_changed_bytes_are_never_served_and_are_found(market: Market, files: Path) -> None:
    document = store(market)
    assert all(check.ok for check in verify.checks())
    (files / storage.place(document.sha256)).write_bytes(b"forged")
    with pytest.raises(OSError, match="does not hold"):
        storage.fetch(document.sha256)
    assert not all(check.ok for check in verify.checks())


def test_who_may_read(market: Market) -> None:
    private = store(market, audience=[market.organisations["buyer"].pk])
    shared = store(market, audience=[market.organisations["seller"].pk])
    public = store(market)
    seller, buyer = market.actor("seller"), market.actor("buyer")
    nobody = replace(seller, person_id=None, organisation_id=None, roles=frozenset())
    for document, readers in ((private, [buyer]), (shared, [buyer, seller]), (public, [buyer, seller, nobody])):
        for actor in (buyer, seller, nobody):
            if actor in readers:
                assert queries.document_of(actor=actor, document_id=document.pk) == document
            else:
                with pytest.raises(NotFound):
                    queries.document_of(actor=actor, document_id=document.pk)
    events = Event.objects.filter(kind="document.stored").order_by("id")
    assert [len(event.audience) for event in events] == [1, 2, 0]


def test_the_limits_are_kept(market: Market, settings: Any) -> None:
    settings.HUANGPU = replace(settings.HUANGPU, document_bytes_max=10)
    with pytest.raises(Invalid) as refused:
        store(market)
    assert refused.value.code == "information.too_large"
    with pytest.raises(Invalid) as refused:
        store(market, content=b"a", filename="a.txt", audience=[uuid7() for _ in range(1001)])
    assert refused.value.code == "information.audience"
    with pytest.raises(Refused):
        acts.store_document(
            actor=market.actor("buyer", "auditor"),
            marketplace_id=market.marketplace.pk,
            content=b"a",
            filename="a.txt",
            audience=[],
            now=NOW,
        )


def upload(client: Client, content: bytes, name: str = "offer.pdf", audience: Any = ()) -> Any:
    return client.post(
        "/api/v1/m/harbour/documents",
        {"file": SimpleUploadedFile(name, content), "audience": list(audience)},
        headers={"Idempotency-Key": str(uuid7())},
    )


def test_the_api_takes_and_gives_documents(market: Market) -> None:
    buyer, seller = market.client("buyer"), market.client("seller")
    stored = upload(buyer, PDF, "报价 2026.pdf", [market.organisations["buyer"].pk])
    assert stored.status_code == 201, stored.content
    address = f"/api/v1/documents/{stored.json()['id']}"
    assert buyer.get(address).json()["filename"] == "报价 2026.pdf"
    given = buyer.get(f"{address}/content")
    assert given.content == PDF
    assert given["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert given["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in given["Content-Security-Policy"]
    assert seller.get(f"{address}/content").status_code == 404
    assert Client().get(f"/documents/{stored.json()['id']}/").status_code == 404
    listed = buyer.get("/api/v1/m/harbour/documents").json()["items"]
    assert [item["id"] for item in listed] == [stored.json()["id"]]
    assert seller.get("/api/v1/m/harbour/documents").json()["items"] == []


def test_an_upload_beyond_the_limit_is_stopped(market: Market, settings: Any) -> None:
    settings.HUANGPU = replace(settings.HUANGPU, document_bytes_max=1000)
    answer = upload(market.client("buyer"), PDF + b" " * 2000)
    assert (answer.status_code, answer.json()["code"]) == (413, "api.too_large")
    assert not Document.objects.exists()
