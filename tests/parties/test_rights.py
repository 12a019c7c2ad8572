"""Rights: every role × every act of the room, the reasons of a refusal, and the documented matrix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.utils.translation import override

from huangpu.core.errors import NotSignedIn, Refused
from huangpu.core.ids import uuid7
from huangpu.parties.actor import ANONYMOUS, SYSTEM, Actor
from huangpu.parties.rights import (
    ACTS,
    CITY_ROLES,
    MARKETPLACE_ROLES,
    ORGANISATION_ROLES,
    Rule,
    decide,
    matrix,
    may,
    require,
    rule_of,
    tables,
)

OURS, THEIRS, HERE, THERE = uuid7(), uuid7(), uuid7(), uuid7()
MEMBER = Actor(person_id=uuid7(), organisation_id=OURS, marketplace_id=HERE)
DOC = Path(__file__).parents[2] / "docs/reference/rights.md"


def allowed(actor: Actor, act: str) -> bool:
    return may(actor, act, organisation_id=OURS, marketplace_id=HERE)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ORGANISATION_ROLES)
def test_each_organisation_role_does_what_its_row_says(act: str, role: str) -> None:
    rule, actor = ACTS[act], replace(MEMBER, roles=frozenset({role}))
    listed = role in rule.roles or (role == "owner" and bool(rule.roles))
    assert allowed(actor, act) is (listed or rule.signed_in or rule.everybody)
    if not (rule.signed_in or rule.everybody):
        assert not allowed(replace(actor, organisation_id=THEIRS), act)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", MARKETPLACE_ROLES)
def test_each_office_counts_in_its_marketplace_only(act: str, role: str) -> None:
    rule, actor = ACTS[act], replace(MEMBER, organisation_id=None, market_roles=frozenset({role}))
    open_to_all = rule.signed_in or rule.everybody
    assert allowed(actor, act) is (role in rule.market_roles or open_to_all)
    assert allowed(replace(actor, marketplace_id=THERE), act) is open_to_all


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", CITY_ROLES)
def test_each_office_of_the_city_counts_everywhere(act: str, role: str) -> None:
    rule = ACTS[act]
    actor = Actor(person_id=uuid7(), organisation_id=None, city_roles=frozenset({role}))
    assert allowed(actor, act) is (role in rule.city_roles or rule.signed_in or rule.everybody)


@pytest.mark.parametrize("act", ACTS)
def test_nobody_and_the_house(act: str) -> None:
    assert allowed(ANONYMOUS, act) is ACTS[act].everybody
    assert allowed(SYSTEM, act)


def test_a_refusal_names_its_reason() -> None:
    def reason(actor: Actor) -> Refused:
        with pytest.raises(Refused) as refused:
            require(actor, "parties.add_member", organisation_id=OURS)
        return refused.value

    assert isinstance(reason(ANONYMOUS), NotSignedIn)
    assert reason(ANONYMOUS).code == "rights.not_signed_in"
    assert reason(replace(MEMBER, organisation_id=None)).code == "rights.no_organisation"
    assert (
        reason(replace(MEMBER, organisation_id=THEIRS, roles=frozenset({"owner"}))).code == "rights.other_organisation"
    )
    missing = reason(replace(MEMBER, roles=frozenset({"clerk"})))
    assert missing.code == "rights.role_missing"
    with override("en"):
        assert str(missing) == "Your role does not allow this. It is for: owner."


def test_the_roles_that_may_are_named_in_the_readers_language() -> None:
    refusal = decide(replace(MEMBER, roles=frozenset({"clerk"})), "parties.verify_organisation").refusal
    assert refusal is not None
    with override("en"):
        assert str(refusal).endswith("It is for: operator of the marketplace, operator of the city.")


def test_a_role_that_does_not_exist_and_an_act_nobody_lists_are_errors_of_ours() -> None:
    with pytest.raises(ValueError, match="king"):
        Rule("Reign.", roles=("king",))
    with pytest.raises(KeyError):
        rule_of("parties.reign")


def test_each_act_is_named_after_its_room_and_stands_once() -> None:
    names = [name for acts in tables().values() for name in acts]
    assert len(names) == len(set(names))
    assert all(name.startswith("parties.") for name in ACTS)


def test_the_documented_matrix_is_up_to_date() -> None:
    assert DOC.read_text() == matrix(), "run `huangpu rights > docs/reference/rights.md`"
