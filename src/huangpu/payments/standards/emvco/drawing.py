"""The picture of a payload: an SVG that can be put into a page as it is."""

from __future__ import annotations

import re
from html import escape

import segno
from django.utils.translation import gettext_lazy as _
from segno.encoder import DataOverflowError

from huangpu.core.errors import Invalid

from .tlv import is_text, shown

DARK = re.compile(rb"\x01+")
QUIET = 4  # modules of white around the code: ISO/IEC 18004, section 6.3.8


def svg(payload: str, *, title: str) -> str:
    """An SVG element of a QR code, error correction M (a sixth of it may be soiled).

    `title` is what a screen reader says: what is paid, to whom; the code itself would only be spelled out. White is drawn, the
    quiet zone too, because a scanner needs dark on light also where the page is dark. No style, script or id, so that it fits
    any content security policy and any number of them a page. A text beyond ASCII goes in as UTF-8 (not as Shift-JIS, which
    some readers take for Latin). Invalid: `emvco.too_long`, `emvco.text`, `emvco.title`.
    """
    if not title.strip() or not is_text(title):
        raise Invalid(
            "emvco.title", _("“%(value)s” is no title; say what is paid, to whom."), field="title", value=shown(title)
        )
    code = _code(payload)
    side = code.symbol_size(border=QUIET)[0]
    spoken = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" aria-label="{spoken}" '
        f'shape-rendering="crispEdges"><title>{spoken}</title><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path fill="#000" d="{_path(code)}"/></svg>'
    )


def _code(payload: str) -> segno.QRCode:
    try:
        if not payload:
            raise ValueError
        if payload.isascii():
            return segno.make_qr(payload, error="m", boost_error=False)
        return segno.make_qr(payload, error="m", boost_error=False, mode="byte", encoding="utf-8")
    except DataOverflowError as wrong:
        size = len(payload.encode())
        raise Invalid(
            "emvco.too_long",
            _("The code has %(value)s bytes; it may have %(most)s."),
            field=None,
            value=size,
            most=2331,
        ) from wrong
    except (UnicodeEncodeError, ValueError) as wrong:
        raise Invalid(
            "emvco.text",
            _("A QR code cannot be made of %(value)s characters: there is none, or one is half a character."),
            field=None,
            value=len(payload),
        ) from wrong


def _path(code: segno.QRCode) -> str:
    """The dark modules as runs of each row: a third of the size of a square each, and no hairlines between neighbours."""
    return "".join(
        f"M{run.start()} {y}h{len(run[0])}v1h-{len(run[0])}z"
        for y, row in enumerate(code.matrix_iter(border=QUIET))
        for run in DARK.finditer(bytes(row))
    )
