"""Races between real connections: one code, one owner that stays, one use of an invitation."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.core.names import named
from huangpu.parties import acts, gb32100
from huangpu.parties.actor import SYSTEM
from huangpu.parties.models import Identifier, Membership, Organisation, Person
from huangpu.parties.queries import actor_for
from huangpu.parties.rules import Facts, Settings
from tests.at_once import at_once

from .conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)


def facts(seed: int) -> Facts:
    return Facts(name=named("竞赛"), identifiers=(("CN-USCC", gb32100.make(Random(seed))),))


@pytest.fixture
def people() -> list[Person]:
    acts.found_city(actor=SYSTEM, operator=facts(1), settings=Settings(name=named("城市")), now=NOW)
    return [Person.objects.create(username=f"p{number}") for number in range(6)]


def together(calls: list[Callable[[], Any]]) -> list[str]:
    """Runs the calls at once, each on a connection of its own; "done" or the code of the refusal, in their order."""
    return [one.code if isinstance(one, HuangpuError) else "done" for one in at_once(*calls)]


def test_a_code_is_registered_once(people: list[Person]) -> None:
    actors = [actor_for(person_id=one.pk) for one in people]
    answers = together([lambda a=a: acts.register_organisation(actor=a, facts=facts(2), now=NOW) for a in actors])
    assert sorted(answers) == ["done", *["parties.identifier_taken"] * 5]
    assert Organisation.objects.count() == Identifier.objects.count() == 2


def test_an_owner_stays_when_all_leave_at_once(people: list[Person]) -> None:
    first = actor_for(person_id=people[0].pk)
    made = acts.register_organisation(actor=first, facts=facts(3), now=NOW)
    for one in people[1:]:
        acts.add_member(actor=SYSTEM, organisation_id=made.pk, person_id=one.pk, roles=["owner"], now=NOW)
    actors = [actor_for(person_id=one.pk) for one in people]
    answers = together(
        [
            lambda a=a: acts.end_membership(actor=a, organisation_id=made.pk, person_id=a.person_id, now=NOW)
            for a in actors
        ]
    )
    assert sorted(answers) == [*["done"] * 5, "parties.last_owner"]
    assert Membership.objects.filter(organisation=made, ended_at__isnull=True).count() == 1


def test_an_invitation_is_used_once(people: list[Person]) -> None:
    made = acts.register_organisation(actor=actor_for(person_id=people[0].pk), facts=facts(4), now=NOW)
    owner = actor_for(person_id=people[0].pk)
    _, secret = acts.invite(actor=owner, organisation_id=made.pk, roles=["clerk"], now=NOW)
    actors = [actor_for(person_id=one.pk) for one in people[1:]]
    answers = together([lambda a=a: acts.join(actor=a, secret=secret, now=NOW) for a in actors])
    assert sorted(answers) == ["done", *["parties.invitation_over"] * 4]
    assert Membership.objects.filter(organisation=made).count() == 2
