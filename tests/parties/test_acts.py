"""Acts on organisations, members, tokens and marketplaces: what they change, what they refuse, what they write down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from huangpu.core.errors import Conflict, HuangpuError, Invalid, InvalidMany, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.core.names import named
from huangpu.parties import acts, gb32100, queries
from huangpu.parties.actor import ANONYMOUS, SYSTEM, Actor
from huangpu.parties.models import ApiToken, Invitation, Marketplace, MarketplaceRole, Membership, Organisation
from huangpu.parties.rights import may
from huangpu.parties.rules import Facts, Settings

from .conftest import NOW, City

CODE, OTHER_CODE = (gb32100.make(Random(seed)) for seed in (1, 2))
FACTS = Facts(name=named("黄浦精密机械", "Huangpu Precision"), identifiers=(("CN-USCC", CODE),))
SETTINGS = Settings(name=named("生物医药市场", "Biomedicine market"), fee_ppm=3000)


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def last() -> tuple[Event, dict[str, Any]]:
    event = Event.objects.order_by("id").last()
    assert event is not None
    return event, Payload.objects.get(pk=event.pk).body


def code_of(call: Callable[[], Any], error: type[HuangpuError]) -> str:
    with pytest.raises(error) as refused:
        call()
    return refused.value.code


def registered(city: City, who: str = "stranger", facts: Facts = FACTS) -> Organisation:
    return acts.register_organisation(actor=city.actor(who), facts=facts, now=NOW)


# ── organisations ──


def test_who_registers_an_organisation_owns_it(city: City) -> None:
    made = registered(city)
    actor = city.actor("stranger")
    assert (actor.organisation_id, actor.roles) == (made.pk, {"owner"})
    event, said = last()
    assert (event.kind, event.marketplace_id, event.subject_id) == ("organisation.registered", city.city.pk, made.pk)
    assert said == {"name": dict(FACTS.name), "country": "CN", "identifiers": [["CN-USCC", CODE]]}
    assert event.audience == []


def test_a_code_is_given_once(city: City) -> None:
    registered(city)
    assert code_of(lambda: registered(city, "rival"), Conflict) == "parties.identifier_taken"
    assert Organisation.objects.filter(name=FACTS.name).count() == 1


def test_all_that_is_wrong_is_told_at_once(city: City) -> None:
    wrong = Facts(name={"en": " "}, country="China", email="x", phone="call me", website="ftp://a.cn", district="黄浦")
    with pytest.raises(InvalidMany) as refused:
        registered(city, facts=wrong)
    assert {one.field for one in refused.value.errors} == {
        "name",
        "country",
        "email",
        "phone",
        "website",
        "district",
        "value",
    }


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        (Facts(name={"en": "A"}), "parties.identifier_missing"),
        (Facts(name={"en": "A"}, identifiers=(("LEI", "213800KUD8LAJWSQ9D15"),)), "parties.identifier_missing"),
        (Facts(name={"en": "A"}, country="UA"), "parties.identifier_missing"),
        (Facts(name={"en": "A"}, identifiers=(("CN-USCC", CODE[:-1] + "?"),)), "identifier.character"),
        (Facts(name={"en": "A" * 201}, identifiers=FACTS.identifiers), "parties.name_too_long"),
        (Facts(name={"1": "A"}, identifiers=FACTS.identifiers), "parties.name_language"),
        (Facts(name={"en": "A"}, identifiers=tuple(("XX", str(n)) for n in range(11))), "parties.identifiers_many"),
    ],
)
def test_who_cannot_be_registered(city: City, facts: Facts, error: str) -> None:
    assert code_of(lambda: registered(city, facts=facts), Invalid) == error


def test_a_foreign_organisation_needs_some_registers_code(city: City) -> None:
    made = registered(city, facts=Facts(name={"en": "Kyiv Metro"}, country="ua", identifiers=(("ua-edr", "32855961"),)))
    assert (made.country, made.identifiers.get().value) == ("UA", "32855961")


@pytest.mark.usefixtures("city")
def test_imported_organisations_are_found_again_by_their_code() -> None:
    facts = Facts(name={"en": "Chisinau"}, country="MD", identifiers=(("MD-IDNO", "1008600038413"), ("XX", "7")))
    made, is_new = acts.import_organisation(actor=SYSTEM, facts=facts, now=NOW)
    again, is_new_again = acts.import_organisation(actor=SYSTEM, facts=replace(facts, name={"en": "Chișinău"}), now=NOW)
    assert (made.imported, is_new, again.pk, is_new_again) == (True, True, made.pk, False)
    nameless = Facts(name={"en": "Somebody"}, identifiers=())
    first, _ = acts.import_organisation(actor=SYSTEM, facts=nameless, now=NOW)
    second, _ = acts.import_organisation(actor=SYSTEM, facts=nameless, now=NOW)
    assert first.pk != second.pk
    acts.import_organisation(actor=SYSTEM, facts=Facts(name={"en": "B"}, identifiers=(("XX", "8"),)), now=NOW)
    both = Facts(name={"en": "C"}, identifiers=(("XX", "7"), ("XX", "8")))
    call = lambda: acts.import_organisation(actor=SYSTEM, facts=both, now=NOW)  # noqa: E731
    assert code_of(call, Conflict) == "parties.identifiers_differ"


def test_editing_writes_what_changed_and_takes_a_higher_verification_back(city: City) -> None:
    made = registered(city)
    Organisation.objects.filter(pk=made.pk).update(verification=3)
    owner = city.actor("stranger")
    facts = replace(FACTS, phone="+86 21 5888 1234", district="huangpu")
    acts.edit_organisation(actor=owner, organisation_id=made.pk, facts=facts, now=NOW)
    assert last()[1] == {"changed": {"phone": "+86 21 5888 1234", "district": "huangpu"}}
    assert Organisation.objects.get(pk=made.pk).verification == 3
    before = len(kinds())
    acts.edit_organisation(actor=owner, organisation_id=made.pk, facts=facts, now=NOW)
    assert len(kinds()) == before
    acts.edit_organisation(actor=owner, organisation_id=made.pk, facts=replace(facts, name={"en": "New"}), now=NOW)
    assert Organisation.objects.get(pk=made.pk).verification == 1


def test_a_code_is_added_once_and_never_taken_from_another(city: City) -> None:
    made = registered(city)
    owner = city.actor("stranger")
    add = lambda scheme, value, actor=owner, id=made.pk: acts.add_identifier(  # noqa: E731
        actor=actor, organisation_id=id, scheme=scheme, value=value, now=NOW
    )
    first = add("LEI", "213800KUD8LAJWSQ9D15")
    before = len(kinds())
    assert add("xi-lei", "213800kud8lajwsq9d15").pk == first.pk
    assert len(kinds()) == before
    assert (
        code_of(lambda: add("CN-USCC", CODE, city.actor("owner"), city.buyer.pk), Conflict)
        == "parties.identifier_taken"
    )
    assert code_of(lambda: add("CN-USCC", CODE[:-1]), Invalid) == "identifier.length"
    assert queries.search_organisations("213800KUD8").get().pk == made.pk


def test_verification_names_the_code_that_was_found(city: City) -> None:
    made = registered(city)
    operator = city.actor("operator", market=city.market)
    verify = lambda level, ids=(), actor=operator, id=made.pk: acts.verify_organisation(  # noqa: E731
        actor=actor, organisation_id=id, level=level, identifier_ids=ids, note="register of 2026-11-23", now=NOW
    )
    assert code_of(lambda: verify(1), Invalid) == "parties.level_without_code"
    assert code_of(lambda: verify(4), Invalid) == "parties.level"
    code = made.identifiers.get()
    assert verify(2, [code.pk]).verification == 2
    code.refresh_from_db()
    assert code.verified_at == NOW
    event, said = last()
    assert (event.kind, said["level"], said["identifiers"]) == ("organisation.verified", 2, [["CN-USCC", CODE]])
    assert made.pk in event.audience
    assert verify(0).verification == 0
    code.refresh_from_db()
    assert code.verified_at is None
    own = replace(operator, organisation_id=made.pk)
    assert code_of(lambda: verify(1, [code.pk], own), Refused) == "parties.verify_self"
    assert code_of(lambda: verify(1, [code.pk], operator, uuid7()), NotFound) == "parties.organisation_unknown"


# ── members ──


def test_an_invitation_makes_one_person_a_member_once(city: City) -> None:
    owner = city.actor("owner")
    made, secret = acts.invite(actor=owner, organisation_id=city.buyer.pk, roles=["finance", "buyer"], now=NOW)
    assert last()[1] == {"invitation": str(made.pk), "roles": ["buyer", "finance"]}
    assert secret.encode() not in bytes(Invitation.objects.get(pk=made.pk).secret_hash)
    acts.join(actor=city.actor("stranger"), secret=secret, now=NOW + timedelta(days=13))
    assert city.actor("stranger").roles == {"buyer", "finance"}
    join_again = lambda: acts.join(actor=city.actor("rival"), secret=secret, now=NOW)  # noqa: E731
    assert code_of(join_again, Conflict) == "parties.invitation_over"
    unknown = lambda: acts.join(actor=city.actor("rival"), secret="x", now=NOW)  # noqa: E731
    assert code_of(unknown, NotFound) == "parties.invitation_unknown"


def test_an_invitation_ends_after_14_days_or_when_withdrawn(city: City) -> None:
    owner = city.actor("owner")
    made, secret = acts.invite(actor=owner, organisation_id=city.buyer.pk, roles=["clerk"], now=NOW)
    late = lambda: acts.join(actor=city.actor("stranger"), secret=secret, now=NOW + timedelta(days=14))  # noqa: E731
    assert code_of(late, Conflict) == "parties.invitation_over"
    neighbour = lambda: acts.withdraw_invitation(actor=city.actor("rival"), invitation_id=made.pk, now=NOW)  # noqa: E731
    assert code_of(neighbour, NotFound) == "parties.invitation_unknown"
    acts.withdraw_invitation(actor=owner, invitation_id=made.pk, now=NOW)
    before = len(kinds())
    acts.withdraw_invitation(actor=owner, invitation_id=made.pk, now=NOW)
    assert len(kinds()) == before
    in_time = lambda: acts.join(actor=city.actor("stranger"), secret=secret, now=NOW)  # noqa: E731
    assert code_of(in_time, Conflict) == "parties.invitation_over"


def test_joining_never_takes_a_role_away(city: City) -> None:
    _, secret = acts.invite(actor=city.actor("owner"), organisation_id=city.buyer.pk, roles=["auditor"], now=NOW)
    acts.join(actor=city.actor("owner"), secret=secret, now=NOW)
    assert city.actor("owner").roles == {"owner", "auditor"}


def test_an_organisation_always_keeps_an_owner(city: City) -> None:
    owner, id = city.actor("owner"), city.people["owner"].pk
    drop = lambda: acts.change_roles(  # noqa: E731
        actor=owner, organisation_id=city.buyer.pk, person_id=id, roles=["buyer"], now=NOW
    )
    leave = lambda: acts.end_membership(actor=owner, organisation_id=city.buyer.pk, person_id=id, now=NOW)  # noqa: E731
    assert code_of(drop, Conflict) == code_of(leave, Conflict) == "parties.last_owner"
    acts.change_roles(
        actor=owner, organisation_id=city.buyer.pk, person_id=city.people["clerk"].pk, roles=["owner"], now=NOW
    )
    city.people["clerk"].is_active = False
    city.people["clerk"].save()
    assert code_of(leave, Conflict) == "parties.last_owner"  # an owner who cannot sign in is none
    city.people["clerk"].is_active = True
    city.people["clerk"].save()
    leave()
    assert city.actor("owner").organisation_id is None


def test_a_member_leaves_alone_and_the_tokens_end_with_the_membership(city: City) -> None:
    buyer = city.actor("buyer")
    token, secret = acts.create_token(actor=buyer, marketplace_id=city.market.pk, name="ERP", roles=["buyer"], now=NOW)
    other = city.people["clerk"].pk
    push = lambda: acts.end_membership(actor=buyer, organisation_id=city.buyer.pk, person_id=other, now=NOW)  # noqa: E731
    assert code_of(push, Refused) == "rights.role_missing"
    acts.end_membership(actor=buyer, organisation_id=city.buyer.pk, person_id=city.people["buyer"].pk, now=NOW)
    assert ApiToken.objects.get(pk=token.pk).revoked_at == NOW
    with pytest.raises(Refused):
        queries.actor_for_token(secret, marketplace_id=None)
    acts.add_member(
        actor=city.actor("owner"),
        organisation_id=city.buyer.pk,
        person_id=city.people["buyer"].pk,
        roles=["clerk"],
        now=NOW,
    )
    assert city.actor("buyer").roles == {"clerk"}  # the roles of before do not come back
    gone = lambda: acts.change_roles(  # noqa: E731
        actor=city.actor("owner"),
        organisation_id=city.buyer.pk,
        person_id=city.people["rival"].pk,
        roles=["clerk"],
        now=NOW,
    )
    assert code_of(gone, NotFound) == "parties.member_unknown"


@pytest.mark.parametrize(
    ("roles", "error"), [([], "parties.role_missing"), (["king"], "parties.role"), (["operator"], "parties.role")]
)
def test_what_is_no_role(city: City, roles: list[str], error: str) -> None:
    add = lambda: acts.add_member(  # noqa: E731
        actor=city.actor("owner"),
        organisation_id=city.buyer.pk,
        person_id=city.people["rival"].pk,
        roles=roles,
        now=NOW,
    )
    assert code_of(add, Invalid) == error


def test_switching_is_for_members(city: City) -> None:
    Membership.objects.create(organisation=city.seller, person=city.people["buyer"], roles=["clerk"])
    acts.switch_organisation(actor=city.actor("buyer"), organisation_id=city.seller.pk, now=NOW)
    event, _ = last()
    assert (event.kind, event.audience) == ("member.acts_for", [city.seller.pk])
    stay_out = lambda: acts.switch_organisation(actor=city.actor("clerk"), organisation_id=city.seller.pk, now=NOW)  # noqa: E731
    assert code_of(stay_out, Refused) == "parties.not_a_member"


# ── tokens ──


def test_a_token_has_only_roles_of_its_maker(city: City) -> None:
    make = lambda who, roles: acts.create_token(  # noqa: E731
        actor=city.actor(who), marketplace_id=city.market.pk, name="ERP", roles=roles, now=NOW
    )
    assert code_of(lambda: make("buyer", ["finance"]), Invalid) == "token.more_than_own"
    assert code_of(lambda: make("buyer", ["operator"]), Invalid) == "token.more_than_own"
    assert code_of(lambda: make("buyer", []), Invalid) == "parties.role_missing"
    token, secret = make("owner", ["warehouse", "finance"])
    assert secret.startswith("hp_")
    assert token.roles == ["finance", "warehouse"]
    assert secret not in str(last()[1])
    assert queries.actor_for_token(secret, marketplace_id=city.market.pk).actor.roles == {"finance", "warehouse"}
    MarketplaceRole.objects.create(marketplace=city.market, person=city.people["buyer"], role="operator")
    _, secret = make("buyer", ["operator"])
    assert queries.actor_for_token(secret, marketplace_id=None).actor.market_roles == {"operator"}


def test_a_token_is_revoked_by_its_maker_or_an_owner(city: City) -> None:
    token, _ = acts.create_token(
        actor=city.actor("buyer"), marketplace_id=city.market.pk, name="ERP", roles=["buyer"], now=NOW
    )
    revoke = lambda who: acts.revoke_token(actor=city.actor(who), token_id=token.pk, now=NOW)  # noqa: E731
    assert code_of(lambda: revoke("clerk"), Refused) == "token.not_yours"
    assert code_of(lambda: revoke("rival"), NotFound) == "token.unknown_id"
    revoke("owner")
    before = len(kinds())
    revoke("buyer")
    assert len(kinds()) == before


# ── marketplaces ──


@pytest.mark.django_db
def test_the_city_is_founded_once_by_the_house() -> None:
    found = lambda actor=SYSTEM: acts.found_city(actor=actor, operator=FACTS, settings=SETTINGS, now=NOW)  # noqa: E731
    assert (
        code_of(lambda: acts.register_organisation(actor=SYSTEM, facts=FACTS, now=NOW), Conflict)
        == "marketplace.no_city"
    )
    made = found()
    assert made.operator.name == FACTS.name
    assert kinds() == ["organisation.registered", "marketplace.opened"]
    assert code_of(found, Conflict) == "marketplace.city_exists"
    mayor = Actor(person_id=uuid7(), organisation_id=None, city_roles=frozenset({"operator"}))
    assert code_of(lambda: found(mayor), Refused) == "rights.role_missing"


def test_a_marketplace_is_opened_and_configured_by_its_operator(city: City) -> None:
    mayor = city.actor("mayor")
    made = acts.open_marketplace(actor=mayor, slug="bio", operator_id=city.seller.pk, settings=SETTINGS, now=NOW)
    assert (made.slug, made.fee_ppm, made.profile["jurisdiction"]) == ("bio", 3000, "CN")
    again = lambda: acts.open_marketplace(  # noqa: E731
        actor=mayor, slug="bio", operator_id=city.seller.pk, settings=SETTINGS, now=NOW
    )
    assert code_of(again, Conflict) == "marketplace.slug_taken"
    stranger = city.people["stranger"].pk
    acts.grant_marketplace_role(actor=mayor, marketplace_id=made.pk, person_id=stranger, role="operator", now=NOW)
    operator = city.actor("stranger", market=made)
    wider = replace(SETTINGS, fee_ppm=2500, colour="#123ABC")
    acts.configure_marketplace(actor=operator, marketplace_id=made.pk, settings=wider, now=NOW)
    assert last()[1] == {"changed": {"fee_ppm": 2500, "colour": "#123abc"}}
    assert Marketplace.objects.get(pk=made.pk).colour == "#123abc"
    dollar = lambda: acts.configure_marketplace(  # noqa: E731
        actor=operator, marketplace_id=made.pk, settings=replace(wider, currency="USD"), now=NOW
    )
    assert code_of(dollar, Conflict) == "marketplace.currency"
    leave = lambda: acts.revoke_marketplace_role(  # noqa: E731
        actor=operator, marketplace_id=made.pk, person_id=stranger, role="operator", now=NOW
    )
    assert code_of(leave, Conflict) == "marketplace.last_operator"
    acts.grant_marketplace_role(
        actor=operator, marketplace_id=made.pk, person_id=city.people["rival"].pk, role="operator", now=NOW
    )
    leave()
    assert city.actor("stranger", market=made).market_roles == frozenset()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "blue"}, "colour"),
        ({"colour": "#fff"}, "colour"),
        ({"fee_ppm": 1_000_001}, "fee_ppm"),
        ({"fee_ppm": -1}, "fee_ppm"),
        ({"zone": "Asia/Pudong"}, "zone"),
        ({"currency": "yuan"}, "currency"),
        ({"language": "fr"}, "language"),
        ({"sectors": ("mining",)}, "sectors"),
        ({"markets": ("futures",)}, "markets"),
        ({"jurisdiction": "Shanghai"}, "country"),
        ({"name": {}}, "name"),
    ],
)
def test_settings_that_cannot_be(city: City, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        acts.open_marketplace(
            actor=city.actor("mayor"),
            slug="bio",
            operator_id=city.seller.pk,
            settings=replace(SETTINGS, **change),
            now=NOW,
        )
    assert refused.value.field == field


@pytest.mark.parametrize("slug", ["", "a", "A-b", "钢", "-a", "a-", "a" * 41, "a/b"])
def test_an_address_has_a_form(city: City, slug: str) -> None:
    call = lambda: acts.open_marketplace(  # noqa: E731
        actor=city.actor("mayor"), slug=slug, operator_id=city.seller.pk, settings=SETTINGS, now=NOW
    )
    assert code_of(call, Invalid) == "marketplace.slug"


# ── search ──


@pytest.mark.parametrize("text", ["精密", "密", "huangpu prec", "黄浦 机械", CODE, CODE[:6].lower()])
def test_an_organisation_is_found_by_name_and_code(city: City, text: str) -> None:
    made = registered(city)
    assert [one.pk for one in queries.search_organisations(text)] == [made.pk]


def test_a_search_for_signs_finds_nothing_and_one_for_nothing_all(city: City) -> None:
    registered(city)
    assert list(queries.search_organisations("!&|")) == []
    assert queries.search_organisations("").count() == Organisation.objects.count()
    assert queries.search_organisations("", country="ua").count() == 0


# ── every act × every role ──

Call = Callable[[City, Actor], Any]
CALLS: dict[str, tuple[Call, bool]] = {  # act → how it is called, and whether the object is the buyer's
    "parties.register_organisation": (lambda _, a: acts.register_organisation(actor=a, facts=FACTS, now=NOW), False),
    "parties.import_organisation": (lambda _, a: acts.import_organisation(actor=a, facts=FACTS, now=NOW), False),
    "parties.edit_organisation": (
        lambda c, a: acts.edit_organisation(actor=a, organisation_id=c.buyer.pk, facts=FACTS, now=NOW),
        True,
    ),
    "parties.add_identifier": (
        lambda c, a: acts.add_identifier(actor=a, organisation_id=c.buyer.pk, scheme="XX", value="1", now=NOW),
        True,
    ),
    "parties.invite": (lambda c, a: acts.invite(actor=a, organisation_id=c.buyer.pk, roles=["clerk"], now=NOW), True),
    "parties.add_member": (
        lambda c, a: acts.add_member(
            actor=a, organisation_id=c.buyer.pk, person_id=c.people["rival"].pk, roles=["clerk"], now=NOW
        ),
        True,
    ),
    "parties.change_roles": (
        lambda c, a: acts.change_roles(
            actor=a, organisation_id=c.buyer.pk, person_id=c.people["clerk"].pk, roles=["buyer"], now=NOW
        ),
        True,
    ),
    "parties.end_membership": (
        lambda c, a: acts.end_membership(
            actor=replace(a, person_id=a.person_id and uuid7()),
            organisation_id=c.buyer.pk,
            person_id=c.people["clerk"].pk,
            now=NOW,
        ),
        True,
    ),
    "parties.leave": (
        lambda c, a: acts.end_membership(
            actor=a, organisation_id=c.buyer.pk, person_id=a.person_id or uuid7(), now=NOW
        ),
        True,
    ),
    "parties.create_token": (
        lambda c, a: acts.create_token(actor=a, marketplace_id=c.market.pk, name="T", roles=sorted(a.roles), now=NOW),
        False,
    ),
    "parties.verify_organisation": (
        lambda c, a: acts.verify_organisation(actor=a, organisation_id=c.seller.pk, level=0, now=NOW),
        False,
    ),
    "parties.open_marketplace": (
        lambda c, a: acts.open_marketplace(actor=a, slug="bio", operator_id=c.seller.pk, settings=SETTINGS, now=NOW),
        False,
    ),
    "parties.configure_marketplace": (
        lambda c, a: acts.configure_marketplace(actor=a, marketplace_id=c.market.pk, settings=SETTINGS, now=NOW),
        False,
    ),
    "parties.grant_marketplace_role": (
        lambda c, a: acts.grant_marketplace_role(
            actor=a, marketplace_id=c.market.pk, person_id=c.people["rival"].pk, role="arbiter", now=NOW
        ),
        False,
    ),
    "parties.revoke_marketplace_role": (
        lambda c, a: acts.revoke_marketplace_role(
            actor=a, marketplace_id=c.market.pk, person_id=c.people["arbiter"].pk, role="arbiter", now=NOW
        ),
        False,
    ),
}
WHO = ["owner", "buyer", "approver", "finance", "warehouse", "clerk", "auditor", "rival", "stranger"]
WHO += ["operator", "arbiter", "mayor", "regulator", "statistician", "nobody"]


@pytest.mark.parametrize("act", CALLS)
@pytest.mark.parametrize("who", WHO)
def test_each_act_asks_the_table(city: City, act: str, who: str) -> None:
    actor = ANONYMOUS if who == "nobody" else city.actor(who, market=city.market)
    call, ours = CALLS[act]
    listed = may(actor, act, organisation_id=city.buyer.pk if ours else None, marketplace_id=city.market.pk)
    try:
        call(city, actor)
        refused = False
    except Refused as refusal:
        refused = refusal.code.startswith("rights.")
    except HuangpuError:
        refused = False
    assert refused is not listed
