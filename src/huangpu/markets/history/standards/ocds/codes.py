"""The standard's code lists (1.1), with the words publishers use in their place."""

from __future__ import annotations


def _codes(own: str, **words: str) -> dict[str, str]:
    """The standard's codes by their lower-case form, and other words → code (`_` stands for a space)."""
    return {code.lower(): code for code in own.split()} | {
        word.strip().lower(): code for code, listed in words.items() for word in listed.split("|")
    }


TENDER_STATUS = _codes(
    "planning planned active cancelled unsuccessful complete withdrawn",
    active="Evaluarea ofertelor|Primirea ofertelor|active.enquiries|active.tendering|active.auction|active.qualification",
    complete="Executarea contractului|Finisat",
    cancelled="Anulat|canceled",
    planned="Planificat|draft",
)
METHOD = _codes(
    "open selective limited direct",
    open="Licitaţie publică|Licitație publică|Cerere a ofertelor de preţuri|Cerere a ofertelor de prețuri",
    limited="Negociere fără publicare",
)
CATEGORY = _codes("goods works services")
AWARD_STATUS = _codes("pending active cancelled unsuccessful", cancelled="canceled")
BID_STATUS = _codes(
    "invited pending valid disqualified withdrawn", valid="active", disqualified="unsuccessful|invalid", pending="draft"
)
CONTRACT_STATUS = _codes(
    "pending active cancelled terminated", active="Înregistrat(ă)|Inregistrat", cancelled="canceled"
)
MILESTONE_STATUS = _codes("scheduled met notMet partiallyMet")
ROLES = _codes(
    "buyer procuringEntity supplier tenderer funder enquirer payer payee reviewBody interestedParty invitedCandidate"
)
# ISO 639-1; «md» is a country's code that a publisher writes for Romanian.
LANGUAGES = {"md": "ro", "ua": "uk", "cn": "zh-hans", "zh": "zh-hans", "zh-cn": "zh-hans"}
