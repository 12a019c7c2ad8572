"""A file of OCDS data → values and a report. Pure: bytes in, nothing touched.

Accepted are record packages, release packages, single releases, and what is found in the wild: one record without a
package, holding `compiledRelease` (and `releases`, `versionedRelease`, `publisher`), with no `ocid` of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import codes, sections
from .document import BYTES_MAX, Broken, parse
from .merge import compiled
from .node import Node
from .report import Report
from .values import Imported, Procedure


def read(source: Path | bytes) -> Imported:
    """The procedures of a file, with everything left out or read otherwise listed by its JSON path.

    Raises `Broken` for a file whose structure cannot be trusted: the codes of `document.parse`, and root.type,
    root.not_ocds, ocid.missing, ocid.duplicate, file.unreadable. It is then refused as a whole. Memory and time are
    bounded by the limits of `document`.
    A JSON Schema or the description of an extension is no data: `skipped` says which.
    """
    root = parse(_bytes(source))
    if not isinstance(root, dict):
        raise Broken("root.type", path="$", detail=type(root).__name__)
    if skipped := _not_data(root):
        return Imported((), Report(), skipped=skipped)
    report = Report()
    package = Node(root, "$", report)
    procedures: dict[str, Procedure] = {}
    for release, path in list(_compiled_releases(package)):
        procedure = _procedure(release, path, report)
        if procedure.ocid in procedures:
            raise Broken("ocid.duplicate", path=f"{path}.ocid", detail=procedure.ocid)
        procedures[procedure.ocid] = procedure
    for key in ("uri", "version"):
        package.text(key, 2_000)
    package.texts("extensions", 2_000)
    publisher = package.node("publisher")
    published_at = package.instant("publishedDate")
    name = publisher.text("name", 500) if publisher else ""
    uri = publisher.url("uri") if publisher else ""
    if publisher:
        publisher.close()
    if not any(procedure.path == "$" for procedure in procedures.values()):  # a single release has closed itself
        package.close()
    return Imported(tuple(procedures.values()), report, name, uri, published_at)


def _bytes(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        with source.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except OSError as error:
        raise Broken("file.unreadable", path=str(source), detail=error.strerror or "") from None


def _not_data(root: dict[str, Any]) -> str:
    if isinstance(root.get("$schema"), str) or isinstance(root.get("definitions"), dict):
        return "schema"
    if {"compatibility", "schemas"} <= root.keys() or {"compatibility", "codelists"} <= root.keys():
        return "extension"
    return ""


def _compiled_releases(package: Node) -> Iterator[tuple[dict[str, Any], str]]:
    """One compiled release a process, with its path: as published, or merged here from the releases of a package."""
    root = package.value
    if "records" in root:
        for node in _objects(package, "records"):
            yield from _of_record(node)
            node.close()
    elif "compiledRelease" in root:
        yield from _of_record(package)
    elif "releases" in root:
        yield from _of_releases(package)
    elif "ocid" in root:
        yield root, "$"
    else:
        raise Broken("root.not_ocds", path="$", detail=", ".join(sorted(root))[:80])


def _of_record(record: Node) -> Iterator[tuple[dict[str, Any], str]]:
    release = record.take("compiledRelease")
    record.take("ocid")
    if isinstance(release, dict):
        record.drop("releases", "section.superseded")
        record.drop("versionedRelease", "section.superseded")
        yield release, record.at("compiledRelease")
    elif release is not None:
        raise Broken("root.type", path=record.at("compiledRelease"), detail=type(release).__name__)
    else:
        record.drop("versionedRelease", "section.superseded")
        yield from _of_releases(record)


def _of_releases(package: Node) -> Iterator[tuple[dict[str, Any], str]]:
    """Releases by ocid; where a process has several, what they say together. Linked releases (an address only) are
    left out: nothing is fetched."""
    by_ocid: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for node in _objects(package, "releases"):
        ocid = node.value.get("ocid")
        if ocid is None and "url" in node.value:
            package.report.left_out(node.path, "field.unmapped", node.value.get("url"))
            continue
        by_ocid.setdefault(_ocid(ocid, node.path), []).append((node.value, node.path))
    for releases in by_ocid.values():
        if len(releases) == 1:
            yield releases[0]
        else:
            yield compiled(release for release, _ in releases), releases[-1][1]


def _objects(package: Node, key: str) -> Iterator[Node]:
    value = package.take(key)
    if not isinstance(value, list):
        raise Broken("root.type", path=package.at(key), detail=type(value).__name__)
    for index, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise Broken("root.type", path=f"{package.at(key)}[{index}]", detail=type(entry).__name__)
        yield Node(entry, f"{package.at(key)}[{index}]", package.report)


def _ocid(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise Broken("ocid.missing", path=f"{path}.ocid", detail=str(value))
    return value.strip()


def _procedure(release: dict[str, Any], path: str, report: Report) -> Procedure:
    ocid = _ocid(release.get("ocid"), path)
    node = Node(release, path, report)
    node.take("ocid")
    node.text("version", 20)
    node.language = _language(node)
    parties = sections.parties(node)
    known = sections.Known.of(parties)
    tender = sections.tender(node, known)
    known.lots = frozenset(lot.id for lot in tender.lots)
    bids = sections.bids(node, known)
    known.bids = frozenset(bid.id for bid in bids)
    awards = node.identified("awards", lambda item, id: sections.award(item, id, known))
    known.awards = frozenset(award.id for award in awards)
    contracts = node.identified("contracts", lambda item, id: sections.contract(item, id, known))
    procedure = Procedure(
        ocid=ocid,
        path=path,
        release_id=node.id(),
        released_at=node.instant("date"),
        language=node.language,
        tags=node.texts("tag", 50),
        initiation=node.text("initiationType", 50),
        buyer=sections.reference(node, "buyer", known),
        tender=tender,
        parties=parties,
        bids=bids,
        awards=awards,
        contracts=contracts,
    )
    node.close()
    return procedure


def _language(node: Node) -> str:
    said = node.text("language", 20).lower()
    if said in codes.LANGUAGES:
        node.note("language", "language.mapped")
        return codes.LANGUAGES[said]
    return said
