"""What a marketplace's rule profile says: figures that the law of its jurisdiction sets, each with its article.

A profile may name a figure of its own (stricter, or where this table knows no law); else the jurisdiction's counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and where it stands."""

    value: int
    source: str


LAW: Mapping[str, Mapping[str, Figure]] = MappingProxyType(
    {
        "CN": {
            # 投标保证金不得超过招标项目估算价的2%
            "bid_bond_ppm_max": Figure(20_000, "《招标投标法实施条例》第二十六条"),
            # 招标人最迟应当在书面合同签订后5日内向中标人和未中标的投标人退还投标保证金
            "bid_bond_return_days_max": Figure(5, "《招标投标法实施条例》第五十七条"),
        }
    }
)


def figure(profile: Mapping[str, Any], name: str) -> Figure | None:
    """The figure of that name which counts under a profile, or None where nothing sets one."""
    law = LAW.get(profile.get("jurisdiction", "CN"), {}).get(name)
    own = profile.get(name)
    if isinstance(own, int) and (law is None or own < law.value):
        return Figure(own, "")
    return law
