"""The numeric codes of ISO 4217, as DE 49 carries them, against the letters that money is kept in.

DE 4 counts minor units by ISO 4217; money here counts them by CLDR, the source of `core.money`. Currencies on whose decimals
the two disagree (AFN, ALL, IQD, IRR, KPW, LAK, LBP, MGA, MMK, RSD, SOS, SYP, YER) are left out, so that no amount can grow
or shrink a hundredfold on its way; so are precious metals and test codes.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

LISTED = """
    012DZD 032ARS 036AUD 044BSD 048BHD 050BDT 051AMD 052BBD 060BMD 064BTN 068BOB 072BWP 084BZD 090SBD 096BND 108BIF 116KHR
    124CAD 132CVE 136KYD 144LKR 152CLP 156CNY 170COP 174KMF 188CRC 192CUP 203CZK 208DKK 214DOP 222SVC 230ETB 232ERN 238FKP
    242FJD 262DJF 270GMD 292GIP 320GTQ 324GNF 328GYD 332HTG 340HNL 344HKD 348HUF 352ISK 356INR 360IDR 376ILS 388JMD 392JPY
    398KZT 400JOD 404KES 410KRW 414KWD 417KGS 426LSL 430LRD 434LYD 446MOP 454MWK 458MYR 462MVR 480MUR 484MXN 496MNT 498MDL
    504MAD 512OMR 516NAD 524NPR 532XCG 533AWG 548VUV 554NZD 558NIO 566NGN 578NOK 586PKR 590PAB 598PGK 600PYG 604PEN 608PHP
    634QAR 643RUB 646RWF 654SHP 682SAR 690SCR 702SGD 704VND 710ZAR 728SSP 748SZL 752SEK 756CHF 764THB 776TOP 780TTD 784AED
    788TND 800UGX 807MKD 818EGP 826GBP 834TZS 840USD 858UYU 860UZS 882WST 901TWD 924ZWG 925SLE 926VED 927UYW 928VES 929MRU
    930STN 933BYN 934TMT 936GHS 938SDG 940UYI 943MZN 944AZN 946RON 947CHE 948CHW 949TRY 950XAF 951XCD 952XOF 953XPF 967ZMW
    968SRD 970COU 972TJS 973AOA 976CDF 977BAM 978EUR 979MXV 980UAH 981GEL 984BOV 985PLN 986BRL 990CLF 997USN
"""
LETTERS: dict[str, str] = {entry[:3]: entry[3:] for entry in LISTED.split()}
NUMBERS: dict[str, str] = {letters: number for number, letters in LETTERS.items()}


def letters_of(number: str) -> str:
    """The letters of a numeric code: «156» → «CNY». Refuses with `iso8583.currency`."""
    if number not in LETTERS:
        raise _unknown(number)
    return LETTERS[number]


def number_of(letters: str) -> str:
    """The numeric code of a currency: «CNY» → «156». Refuses with `iso8583.currency`."""
    if letters not in NUMBERS:
        raise _unknown(letters)
    return NUMBERS[letters]


def _unknown(value: str) -> Invalid:
    return Invalid(
        "iso8583.currency",
        _("“%(value)s” in DE 49 is not a currency a terminal can use; write an ISO 4217 number such as 156."),
        field="DE 49",
        value=value,
    )
