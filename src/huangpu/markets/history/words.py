"""The sentences for what a report says by code."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SKIPPED: dict[str, Any] = {
    "schema": _("a JSON Schema, not data"),
    "extension": _("the description of an OCDS extension, not data"),
}

REASONS: dict[str, Any] = {
    "value.empty": _("says nothing: empty"),
    "value.type": _("another type than the standard's"),
    "value.too_long": _("too long"),
    "amount.invalid": _("not an amount"),
    "amount.too_fine": _("more decimals than the currency has; sums are not rounded"),
    "amount.text": _("a number written as text"),
    "currency.missing": _("an amount without a currency"),
    "currency.unknown": _("not an ISO 4217 currency"),
    "currency.case": _("a currency in lower case"),
    "quantity.invalid": _("not a quantity above 0 with at most six decimals"),
    "unit.unknown": _("an unknown unit; its name is kept"),
    "unit.mapped": _("a unit by its name, read as its Rec 20 code"),
    "instant.invalid": _("not a date and time by RFC 3339"),
    "instant.no_zone": _("without a time zone, read as UTC"),
    "code.unknown": _("not a code of the standard; the publisher's word is kept"),
    "code.mapped": _("the publisher's own word, read as the standard's code"),
    "language.mapped": _("read as a language's code"),
    "url.invalid": _("not a web address"),
    "reference.dangling": _("refers to something that is not there"),
    "id.missing": _("has no id"),
    "id.duplicate": _("its id has been used before"),
    "identifier.invalid": _("not an identifier of a register"),
    "personal.data": _("a contact person; personal data are not kept"),
    "section.superseded": _("already said by the compiled release or the party itself"),
    "field.unmapped": _("history has no place for it"),
}

BROKEN: dict[str, Any] = {
    "file.too_large": _("larger than 32 MiB"),
    "file.unreadable": _("cannot be read"),
    "text.not_utf8": _("not UTF-8"),
    "text.nul": _("a NUL character"),
    "text.surrogate": _("half of a surrogate pair"),
    "json.too_deep": _("nested more than 64 deep"),
    "json.too_many_values": _("more than a million values"),
    "json.huge_number": _("a number of more than 40 characters or 30 powers of ten"),
    "json.not_finite": _("NaN or Infinity"),
    "json.duplicate_key": _("a key that stands twice in its object"),
    "json.syntax": _("not JSON"),
    "root.type": _("another type than expected here"),
    "root.not_ocds": _("no OCDS release, record or package"),
    "ocid.missing": _("no ocid"),
    "ocid.duplicate": _("two records with the same ocid"),
}

METHODS: dict[str, Any] = {
    "open": pgettext_lazy("procurement method", "Open"),
    "selective": pgettext_lazy("procurement method", "Selective"),
    "limited": pgettext_lazy("procurement method", "Limited"),
    "direct": pgettext_lazy("procurement method", "Direct"),
}

ROLES: dict[str, Any] = {
    "buyer": _("Buyer"),
    "procuringEntity": _("Procuring entity"),
    "supplier": _("Supplier"),
    "tenderer": _("Tenderer"),
    "funder": _("Funder"),
    "enquirer": _("Enquirer"),
    "payer": _("Payer"),
    "payee": _("Payee"),
    "reviewBody": _("Review body"),
    "interestedParty": _("Interested party"),
    "invitedCandidate": _("Invited candidate"),
}
