"""Units as publishers write them → UN/CEFACT Recommendation 20 codes.

A code is taken as it is when its scheme says UNCEFACT; a name alone is looked up here. What Prozorro (its dictionary of
units, in Ukrainian, Russian and English) and MTender (in Romanian) write most often is listed; anything else is
reported and the name is kept beside the empty code.
"""

from __future__ import annotations

import re

CODE = re.compile(r"[A-Z0-9]{2,3}")
SCHEMES = frozenset({"UNCEFACT", "UN/CEFACT", "REC20", "UNECEREC20"})

# Codes of publishers that are not Rec 20's: retired ones, lower-case habits and the symbols used in their place.
CODES: dict[str, str] = {
    "PCE": "H87",
    "PCS": "H87",
    "NAR": "H87",
    "NMB": "H87",
    "KG": "KGM",
    "KM": "KMT",
    "SQM": "MTK",
    "KWT": "KWH",
    "MO": "MON",
    "NMP": "XPK",
    "PK": "XPK",
    "BX": "XBX",
    "RO": "XRO",
    "BJ": "XBJ",
    "BO": "XBO",
}

NAMES: dict[str, str] = {
    name: code
    for code, names in {
        "H87": "bucată bucata buc buc. piece pcs штука шт шт. штук одиниця unitate",
        "KGM": "kilogram kg кілограм килограмм кг kilograme",
        "GRM": "gram g грам грамм г",
        "TNE": "tonă tona tone tonne тонна тонни т",
        "LTR": "litru litri litre liter l літр литр л",
        "MTR": "metru metri metre meter m метр метри метры м",
        "KMT": "kilometru kilometre km кілометр километр км",
        "SET": "set seturi комплект набір набор компл",
        "PR": "pereche perechi pair пара пар",
        "HUR": "oră ore hour година час год",
        "DAY": "zi zile day день доба",
        "MON": "lună luna month місяць месяц",
        "ANN": "an ani year рік год.",
        "KWH": "kwh кіловат-година",
        "XPK": "pachet pachete pack упаковка пачка уп",
        "XBX": "cutie cutii box ящик коробка",
        "XRO": "rolă rola role roll рулон",
        "E48": "serviciu servicii service послуга услуга",
        "E54": "cursă trip рейс",
        "XBO": "flacon sticlă bottle флакон пляшка",
    }.items()
    for name in names.split()
} | {
    "metru pătrat": "MTK",
    "metru patrat": "MTK",
    "metri pătrați": "MTK",
    "square metre": "MTK",
    "м2": "MTK",
    "м²": "MTK",
    "кв.м": "MTK",
    "метр квадратний": "MTK",
    "metru cub": "MTQ",
    "metri cubi": "MTQ",
    "cubic metre": "MTQ",
    "м3": "MTQ",
    "м³": "MTQ",
    "куб.м": "MTQ",
    "метр кубічний": "MTQ",
    "kilowatt hour": "KWH",
    "number of packs": "XPK",
}


def code_of(scheme: str, code: str, name: str) -> str:
    """The Rec 20 code of a unit as published, or an empty string when none is known."""
    upper = code.upper()
    if upper in CODES:
        return CODES[upper]
    if CODE.fullmatch(upper) and scheme.upper().replace(" ", "") in SCHEMES:
        return upper
    return NAMES.get(" ".join(name.lower().split()), "")
