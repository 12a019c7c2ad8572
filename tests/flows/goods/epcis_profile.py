"""What EPCIS 2.0 asks of a document, written by hand from the standard's text: GS1's own JSON schema may not be passed on
with this project (docs/explanation/goods.md says why).

Sources: GS1 EPCIS Standard, release 2.0 (ISO/IEC 19987:2024), sections 7.3 (the event fields and which are required), 7.4.2
(ObjectEvent), 7.4.4 (TransactionEvent), 10 (JSON/JSON-LD binding); GS1 Core Business Vocabulary, release 2.0 (ISO/IEC
19988:2024), sections 7.1 to 7.5 (business steps, dispositions, business transaction types, source and destination types).
"""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

STEPS_TEXT = (
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
    "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding "
    "inspecting installing killing loading other packing picking receiving removing repackaging repairing "
    "replacing reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking "
    "stocking storing transporting unloading unpacking void_shipping"
)
STEPS = STEPS_TEXT.split()
DISPOSITIONS_TEXT = (
    "active available completeness_inferred completeness_verified conformant container_closed container_open "
    "damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class "
    "mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant "
    "non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible "
    "sellable_not_accessible stolen unavailable unknown"
)
DISPOSITIONS = DISPOSITIONS_TEXT.split()
PAPERS = [
    "bol",
    "cert",
    "desadv",
    "inv",
    "pedigree",
    "po",
    "poc",
    "prodorder",
    "recadv",
    "rma",
    "testprd",
    "testres",
    "upevt",
]
SIDES = ["owning_party", "possessing_party", "location"]

URI = {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:[!-~]+$"}
INSTANT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
PLACE = {"type": "object", "properties": {"id": URI}, "required": ["id"], "additionalProperties": False}


def _side(name: str) -> dict[str, Any]:
    side = {"type": {"enum": SIDES}, name: URI}
    one = {"type": "object", "properties": side, "required": ["type", name], "additionalProperties": False}
    return {"type": "array", "items": one, "minItems": 1}


EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"enum": ["ObjectEvent", "TransactionEvent"]},
        "eventID": URI,
        "eventTime": INSTANT,
        "recordTime": INSTANT,
        "eventTimeZoneOffset": {"type": "string", "pattern": r"^[+-]((0\d|1[0-3]):[0-5]\d|14:00)$"},
        "action": {"enum": ["ADD", "OBSERVE", "DELETE"]},
        "bizStep": {"enum": STEPS},
        "disposition": {"enum": DISPOSITIONS},
        "epcList": {"type": "array", "items": URI, "uniqueItems": True},
        "quantityList": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "epcClass": URI,
                    "quantity": {"type": "number", "exclusiveMinimum": 0},
                    "uom": {"type": "string", "pattern": "^[A-Z0-9]{2,3}$"},
                },
                "required": ["epcClass", "quantity"],
                "additionalProperties": False,
            },
        },
        "readPoint": PLACE,
        "bizLocation": PLACE,
        "bizTransactionList": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"type": {"enum": PAPERS}, "bizTransaction": URI},
                "required": ["bizTransaction"],
                "additionalProperties": False,
            },
        },
        "sourceList": _side("source"),
        "destinationList": _side("destination"),
    },
    "required": ["type", "eventTime", "eventTimeZoneOffset", "action"],
    "additionalProperties": False,
    # of either kind: what it is about; of a transaction event: the transaction
    "anyOf": [{"required": ["epcList"]}, {"required": ["quantityList"]}],
    "if": {"properties": {"type": {"const": "TransactionEvent"}}},
    "then": {"required": ["bizTransactionList"]},
}
DOCUMENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "@context": {"const": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"},
        "type": {"const": "EPCISDocument"},
        "schemaVersion": {"const": "2.0"},
        "creationDate": INSTANT,
        "epcisBody": {
            "type": "object",
            "properties": {"eventList": {"type": "array", "items": EVENT}},
            "required": ["eventList"],
            "additionalProperties": False,
        },
    },
    "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
    "additionalProperties": False,
}
CHECKER = Draft202012Validator(DOCUMENT, format_checker=FormatChecker())


def events_of(text: str) -> list[dict[str, Any]]:
    """The events of a document that holds to all of this; otherwise the assertion says where it does not."""
    made = json.loads(text)
    wrong = [f"{error.json_path}: {error.message}" for error in CHECKER.iter_errors(made)]
    assert not wrong, wrong
    found: list[dict[str, Any]] = made["epcisBody"]["eventList"]
    ids = [one["eventID"] for one in found]
    assert len(set(ids)) == len(ids), "each event has an id of its own"
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id) for id in ids)
    return found
