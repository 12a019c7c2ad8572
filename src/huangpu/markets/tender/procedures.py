"""The procedures as data: which act is possible at which stage, where it leads, and what each procedure adds.

One engine for all: a new procedure is an entry here, never a package. `step` is asked by every act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict, Invalid

STAGES = ("draft", "open", "evaluation", "auction", "standstill", "concluded", "unsuccessful", "cancelled")
FINAL = frozenset({"concluded", "unsuccessful", "cancelled"})

STAGE_NAMES: Mapping[str, Any] = MappingProxyType(
    {
        "draft": _("Draft"),
        "open": _("Open for bids"),
        "evaluation": _("Evaluation"),
        "auction": _("Reverse auction"),
        "standstill": _("Standstill"),
        "concluded": _("Concluded"),
        "unsuccessful": _("Unsuccessful"),
        "cancelled": _("Cancelled"),
    }
)

# act → the stages at which it is possible. Where an act leads depends on what it finds (rules.after_opening …).
STEPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "edit": frozenset({"draft"}),
        "attach": frozenset({"draft", "open"}),
        "publish": frozenset({"draft"}),
        "amend": frozenset({"open"}),
        "ask": frozenset({"open"}),
        "answer": frozenset({"open"}),
        "submit_bid": frozenset({"open"}),
        "withdraw_bid": frozenset({"open"}),
        "open_bids": frozenset({"open"}),
        "disqualify": frozenset({"evaluation"}),
        "score": frozenset({"evaluation"}),
        "evaluate": frozenset({"evaluation"}),
        "start_auction": frozenset({"evaluation"}),
        "take_auction_result": frozenset({"auction"}),
        "award": frozenset({"evaluation"}),
        "complain": frozenset({"standstill"}),
        "decide_complaint": frozenset({"standstill"}),
        "conclude": frozenset({"standstill"}),
        "pass_on": frozenset({"standstill", "concluded"}),
        "cancel": frozenset({"draft", "open", "evaluation", "auction", "standstill"}),
    }
)


@dataclass(frozen=True, slots=True)
class Procedure:
    """What sets one procedure apart: the steps it leaves out and the bounds it puts on a tender's terms."""

    code: str
    name: Any
    without: frozenset[str] = field(default_factory=frozenset)
    standstill_days_min: int = 0
    opening_public: bool = True  # the opening record is everybody's; else of the buyer and the bidders
    bid_hours_min: int = 0  # between publication and the end of the bids
    auction: bool = False  # with it, who bid stays unnamed to all but the buyer until the first award


PROCEDURES: Mapping[str, Procedure] = MappingProxyType(
    {
        procedure.code: procedure
        for procedure in (
            Procedure("rfq", _("Request for quotations"), without=frozenset({"start_auction"}), opening_public=False),
            Procedure(
                "rfq_auction", _("Request for quotations with reverse auction"), opening_public=False, auction=True
            ),
            Procedure("open", _("Open tender"), without=frozenset({"start_auction"}), standstill_days_min=1),
            Procedure("open_auction", _("Open tender with reverse auction"), standstill_days_min=1, auction=True),
        )
    }
)


def procedure_of(code: str) -> Procedure:
    """The procedure of a code. Refuses an unknown one with tender.procedure_unknown."""
    found = PROCEDURES.get(code)
    if found is None:
        raise Invalid(
            "tender.procedure_unknown",
            _("“%(value)s” is not a procedure; choose one of %(known)s."),
            field="procedure",
            value=code,
            known=", ".join(PROCEDURES),
        )
    return found


def possible(procedure: str, act: str, stage: str) -> bool:
    """Whether an act has a place in a procedure at a stage."""
    known = PROCEDURES.get(procedure)
    return known is not None and act not in known.without and stage in STEPS[act]


def step(procedure: str, act: str, stage: str) -> None:
    """Lets an act through or refuses it: tender.wrong_stage, or tender.not_in_procedure."""
    if act in procedure_of(procedure).without:
        raise Conflict("tender.not_in_procedure", _("This tender's procedure has no such step."), value=act)
    if stage not in STEPS[act]:
        raise Conflict(
            "tender.wrong_stage",
            _("This cannot be done at the stage “%(stage)s” of the tender."),
            field="stage",
            value=stage,
            stage=STAGE_NAMES[stage],
        )
