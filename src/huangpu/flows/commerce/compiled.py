"""Terms compiled once, at conclusion: clauses become numbered commitments between organisations, options become data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.canonical import canonical
from huangpu.core.errors import Invalid
from huangpu.core.quantity import plain

from .terms import Clause, Option, Terms

VALUED = ("deliver", "serve", "transfer_title")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What an agreement keeps of its terms. `commitments` are JSON objects, without ids, in ordinal order.

    `terms_hash` is SHA-256 over the RFC 8785 bytes of commitments and options: over all that was agreed, with its parties.
    """

    commitments: list[dict[str, Any]]
    options: list[dict[str, Any]]
    amount: int
    terms_hash: bytes


def compile_terms(terms: Terms, parties: Mapping[str, UUID]) -> Compiled:
    """Resolves roles to organisations and keys to ordinals. Refused with `terms.role_missing` when a role has nobody."""
    ordinals = {clause.key: number for number, clause in enumerate(terms.clauses, 1)}
    commitments = [_commitment(clause, parties, ordinals) for clause in terms.clauses]
    valued = [clause.amount or 0 for clause in terms.clauses if clause.action in VALUED]
    paid = [clause.amount or 0 for clause in terms.clauses if clause.action in ("hold", "pay")]
    options = [_option(option, parties) for option in terms.options]
    snapshot = canonical({"commitments": commitments, "options": options})
    return Compiled(commitments, options, sum(valued or paid), hashlib.sha256(snapshot).digest())


def _commitment(clause: Clause, parties: Mapping[str, UUID], ordinals: Mapping[str, int]) -> dict[str, Any]:
    return {
        **_common(clause, parties),
        "ordinal": ordinals[clause.key],
        "after": [ordinals[key] for key in clause.after],
        "draws": ordinals[clause.draws] if clause.draws else None,
    }


def _option(option: Option, parties: Mapping[str, UUID]) -> dict[str, Any]:
    return {
        "key": option.key,
        "by": list(option.by),
        "after": list(option.after),
        "unless": list(option.unless),
        "late": list(option.late),
        "opens": option.opens.data() if option.opens else None,
        "closes": option.closes.data() if option.closes else None,
        "closes_from": option.closes_from,
        "line": option.line,
        "ends": list(option.ends),
        "undoes": list(option.undoes),
        "suspends": option.suspends,
        "decides": option.decides,
        # their ordinals are given when the option is used: it may be used more than once
        "then": [
            {**_common(clause, parties), "after_keys": list(clause.after), "draws_key": clause.draws}
            for clause in option.then
        ],
    }


def _common(clause: Clause, parties: Mapping[str, UUID]) -> dict[str, Any]:
    line = clause.line
    places = (
        {
            "item": line.item_id,
            "from_place": line.from_place,
            "to_place": line.to_place,
            "lot": line.lot,
            "serial": line.serial,
        }
        if line
        else {}
    )
    return {
        "key": clause.key,
        "flow": clause.flow.value,
        "action": clause.action,
        "provider_id": str(_party(clause.provider, parties)),
        "receiver_id": str(_party(clause.receiver, parties)),
        "name": dict(line.name) if line else {},
        "stepwise": clause.stepwise,
        "automatic": clause.automatic,
        "measure": clause.measure.value if clause.measure else "",
        "due": clause.due.data() if clause.due else None,
        "on_silence": str(clause.on_silence),
        "quantity": None if clause.quantity is None else plain(clause.quantity),
        "unit": clause.unit,
        "amount": clause.amount,
        "details": {**{name: value for name, value in places.items() if value}, **clause.details},
    }


def _party(role: str, parties: Mapping[str, UUID]) -> UUID:
    try:
        return parties["operator" if role == "house" else role]
    except KeyError:
        raise Invalid(
            "terms.role_missing",
            _("The terms need somebody in the role “%(value)s”; given are: %(known)s."),
            field="parties",
            value=role,
            known=", ".join(sorted(parties)),
        ) from None
