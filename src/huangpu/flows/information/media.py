"""What a file is, told by its bytes: the allowed kinds, their extensions, and how each is recognised. Pure.

`puremagic` knows signatures; text has none, so CSV, JSON, XML and plain text are told by reading them. A name whose
extension says something else than the bytes is refused: it is how a programme is passed off as a price list.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from pathlib import PurePosixPath

import puremagic
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

FILENAME_LENGTH_MAX = 200
ZIP_ENTRIES_MAX = 10_000
OFFICE = "application/vnd.openxmlformats-officedocument."

KINDS: dict[str, tuple[str, ...]] = {
    "application/pdf": ("pdf",),
    "application/ofd": ("ofd",),  # GB/T 33190, the document format of Chinese invoices and offices
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/webp": ("webp",),
    "image/tiff": ("tif", "tiff"),
    OFFICE + "wordprocessingml.document": ("docx",),
    OFFICE + "spreadsheetml.sheet": ("xlsx",),
    OFFICE + "presentationml.presentation": ("pptx",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "application/zip": ("zip",),
    "text/csv": ("csv",),
    "application/json": ("json",),
    "application/xml": ("xml",),
    "text/plain": ("txt", "md", "edi"),
}
IN_ZIP = {"word/": OFFICE + "wordprocessingml.document", "xl/": OFFICE + "spreadsheetml.sheet"}
IN_ZIP |= {"ppt/": OFFICE + "presentationml.presentation", "OFD.xml": "application/ofd"}
BINARY = frozenset({"application/pdf", "image/png", "image/jpeg", "image/webp", "image/tiff"})
MARKUP = re.compile(r"<(!doctype\s+html|html|script|svg|body|iframe)[\s>]", re.IGNORECASE)


def clean_filename(filename: str) -> str:
    """The name as it is kept: without folders and control characters, at most 200 characters. Refuses an empty one."""
    name = unicodedata.normalize("NFC", filename).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C").strip(" .")
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or not extension:
        raise Invalid(
            "information.filename",
            _("“%(value)s” is no file name; write a name with an extension such as “offer.pdf”."),
            field="filename",
            value=filename[:FILENAME_LENGTH_MAX],
        )
    return f"{stem[: FILENAME_LENGTH_MAX - len(extension) - 1]}.{extension}"


def media_type_of(content: bytes, filename: str) -> str:
    """The media type of a file by its bytes, with the charset where it is text.

    Refuses `information.empty`, `information.media_type` (not of the allowed kinds) and `information.extension` (the name
    says something else than the bytes).
    """
    if not content:
        raise Invalid("information.empty", _("The file is empty."), field="content", value=filename)
    extension = PurePosixPath(filename).suffix.lstrip(".").lower()
    found = _text(content, extension) or _binary(content)
    if found is None or found.split(";")[0] not in KINDS:
        raise Invalid(
            "information.media_type",
            _("“%(value)s” is not of a kind that is accepted; send one of: %(kinds)s."),
            field="content",
            value=filename,
            kinds=", ".join(sorted({name for names in KINDS.values() for name in names})),
        )
    wanted = KINDS[found.split(";")[0]]
    if extension not in wanted:
        raise Invalid(
            "information.extension",
            _("“%(value)s” holds %(found)s; its name should end with .%(wanted)s."),
            field="filename",
            value=filename,
            found=found.split(";")[0],
            wanted=wanted[0],
        )
    return found


def _text(content: bytes, extension: str) -> str | None:
    if content.startswith((b"%PDF", b"PK\x03\x04")):
        return None
    for charset in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        if any(
            unicodedata.category(letter) in ("Cc", "Cn", "Co") and letter not in "\t\r\n\f\x1c\x1d\x1e\x1f"
            for letter in text
        ):
            continue
        return _kind_of_text(text, extension, "utf-8" if charset == "utf-8-sig" else charset)
    return None


def _kind_of_text(text: str, extension: str, charset: str) -> str | None:
    start = text.lstrip()[:2000]
    if MARKUP.search(start):
        return None
    if start.startswith("<?xml") or (extension == "xml" and start.startswith("<")):
        return f"application/xml; charset={charset}"
    if start.startswith(("{", "[")) and extension == "json":
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return None
        return "application/json"
    return f"text/csv; charset={charset}" if extension == "csv" else f"text/plain; charset={charset}"


def _binary(content: bytes) -> str | None:
    if content.startswith(b"PK\x03\x04"):
        return _zip(content)
    try:
        found = puremagic.from_string(content, mime=True)
    except (puremagic.PureError, ValueError):
        return None
    found = "image/jpeg" if found == "image/jpg" else str(found)
    return found if found in BINARY else None


def _zip(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(names) > ZIP_ENTRIES_MAX:
                return None
            if names and names[0] == "mimetype" and archive.infolist()[0].file_size < 100:
                return archive.read("mimetype").decode("ascii", "replace").strip()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError):
        return None
    for start, kind in IN_ZIP.items():
        if any(name.startswith(start) for name in names):
            return kind
    return "application/zip"
