"""The endpoints of parties: who am I, organisations, members, tokens, marketplaces."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Field, Query, Router, Schema

from huangpu.core import clock
from huangpu.core.web.paging import LIMIT_DEFAULT, Page, page_of

from . import acts, queries, rules
from .models import ApiToken, Identifier, Marketplace, Membership, Organisation, Person
from .request import PartyRequest
from .rights import require

router = Router(tags=["parties"])
Name = Annotated[dict[str, str], Field(max_length=10, examples=[{"zh-hans": "浦江汽车", "en": "Pujiang Motors"}])]
Text = Annotated[str, Field(max_length=400)]
Roles = Annotated[list[Annotated[str, Field(max_length=16)]], Field(max_length=10)]


class ActingOut(Schema):
    """Who the call acts for. A person without an organisation has none; a visitor has no person either."""

    person: UUID | None
    username: str
    organisation: UUID | None
    organisation_name: dict[str, str]
    roles: list[str]
    marketplace: UUID | None = Field(description="the marketplace that a token is bound to")
    market_roles: list[str]
    city_roles: list[str]


class IdentifierOut(Schema):
    """A code of a register. `verified_at`: when an operator found it there."""

    id: UUID
    scheme: str
    value: str
    verified_at: datetime | None


class OrganisationOut(Schema):
    """What everybody may know of an organisation. `verification`: 0 not checked … 3 the persons behind it too."""

    id: UUID
    name: dict[str, str]
    country: str
    district: str
    industry: str
    address: str
    email: str
    phone: str
    website: str
    verification: int
    imported: bool = Field(description="known only from published data")
    identifiers: list[IdentifierOut]

    @staticmethod
    def resolve_identifiers(organisation: Organisation) -> list[Identifier]:
        return list(organisation.identifiers.all())


class IdentifierIn(Schema):
    scheme: Annotated[str, Field(max_length=32, examples=["CN-USCC"])]
    value: Annotated[str, Field(max_length=100, examples=["91350100M000100Y43"])]


class FactsIn(Schema):
    """What an organisation says of itself."""

    name: Name
    country: Annotated[str, Field(max_length=2)] = "CN"
    district: Text = ""
    industry: Text = ""
    address: Text = ""
    email: Text = ""
    phone: Text = ""
    website: Text = ""

    def facts(self, identifiers: list[IdentifierIn] | None = None) -> rules.Facts:
        given = self.dict(exclude={"identifiers"})
        return rules.Facts(**given, identifiers=tuple((one.scheme, one.value) for one in identifiers or []))


class OrganisationIn(FactsIn):
    identifiers: Annotated[list[IdentifierIn], Field(max_length=10)] = []


class VerificationIn(Schema):
    level: int = Field(ge=0, le=3)
    identifiers: list[UUID] = Field([], max_length=10, description="the codes that were found in their registers")
    note: Text = ""


class MemberOut(Schema):
    person: UUID
    username: str
    name: str
    roles: list[str]

    @staticmethod
    def of(membership: Membership) -> dict[str, Any]:
        person = membership.person
        shown = {"person": person.pk, "username": person.username, "name": person.get_full_name()}
        return {**shown, "roles": membership.roles}


class MemberIn(Schema):
    person: UUID
    roles: Roles


class RolesIn(Schema):
    roles: Roles


class InvitationIn(Schema):
    roles: Roles
    email: Text = ""


class InvitationOut(Schema):
    """`secret` is shown this once; whoever holds it joins at /join/<secret>/ or by the call `accept`."""

    id: UUID
    roles: list[str]
    expires_at: datetime
    secret: str


class SecretIn(Schema):
    secret: Text


class TokenIn(Schema):
    name: Annotated[str, Field(max_length=100, examples=["ERP"])]
    roles: Roles


class TokenOut(Schema):
    id: UUID
    name: str
    marketplace: str
    roles: list[str]
    created_by: str
    created_at: datetime

    @staticmethod
    def of(token: ApiToken) -> dict[str, Any]:
        return {
            "id": token.pk,
            "name": token.name,
            "marketplace": token.marketplace.slug,
            "roles": token.roles,
            "created_by": token.created_by.username,
            "created_at": token.created_at,
        }


class NewTokenOut(TokenOut):
    """`secret` is shown this once: only its hash is kept."""

    secret: str


class MarketplaceOut(Schema):
    """A marketplace with its rules. `fee_ppm`: millionths of a trade's value, borne by the seller."""

    id: UUID
    slug: str
    name: dict[str, str]
    tagline: dict[str, str]
    operator: UUID = Field(alias="operator_id")
    is_city: bool
    colour: str
    sectors: list[str]
    currency: str
    zone: str
    language: str
    fee_ppm: int
    profile: dict[str, Any]


class SettingsIn(Schema):
    name: Name
    tagline: Name = {}
    colour: Annotated[str, Field(max_length=7)] = "#0b5c8a"
    sectors: Annotated[list[Text], Field(max_length=20)] = ["manufacturing"]
    currency: Annotated[str, Field(max_length=3)] = "CNY"
    zone: Annotated[str, Field(max_length=40)] = "Asia/Shanghai"
    language: Annotated[str, Field(max_length=10)] = "zh-hans"
    fee_ppm: int = Field(0, ge=0, le=1_000_000)
    jurisdiction: Annotated[str, Field(max_length=2)] = "CN"
    markets: Annotated[list[Text], Field(max_length=20)] = list(rules.MARKETS)

    def settings(self) -> rules.Settings:
        given = self.dict(exclude={"slug", "operator"})
        return rules.Settings(**{**given, "sectors": tuple(self.sectors), "markets": tuple(self.markets)})


class MarketplaceIn(SettingsIn):
    slug: Annotated[str, Field(max_length=40)]
    operator: UUID


class OfficeIn(Schema):
    person: UUID
    role: Annotated[str, Field(max_length=16, examples=["operator"])]


@router.get("/me", response=ActingOut, summary="Who this call acts for")
def me(request: PartyRequest) -> dict[str, Any]:
    """Person, organisation and roles, as the token or the session gives them."""
    actor = request.actor
    person = Person.objects.filter(pk=actor.person_id).first() if actor.person_id else None
    own = Organisation.objects.filter(pk=actor.organisation_id).first() if actor.organisation_id else None
    return {
        "person": actor.person_id,
        "username": person.username if person else "",
        "organisation": actor.organisation_id,
        "organisation_name": own.name if own else {},
        "roles": sorted(actor.roles),
        "marketplace": actor.marketplace_id,
        "market_roles": sorted(actor.market_roles),
        "city_roles": sorted(actor.city_roles),
    }


@router.get("/organisations", response=Page[OrganisationOut], summary="Find organisations")
def organisations(
    request: PartyRequest,
    q: Annotated[str, Query(max_length=200, description="words of the name, or a code")] = "",
    country: Annotated[str, Query(max_length=2)] = "",
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Any]:
    """By name (Chinese by any two characters of it) or code; newest first."""
    require(request.actor, "parties.search_organisations")
    return page_of(queries.search_organisations(q, country=country), cursor, limit)


@router.post("/organisations", response={201: OrganisationOut}, summary="Register an organisation")
def register(request: PartyRequest, body: OrganisationIn) -> tuple[int, Organisation]:
    """Whoever calls becomes its owner. A Chinese organisation needs its unified social credit code."""
    facts = body.facts(body.identifiers)
    return 201, acts.register_organisation(actor=request.actor, facts=facts, now=clock.now())


@router.get("/organisations/{organisation_id}", response=OrganisationOut, summary="An organisation")
def organisation(request: PartyRequest, organisation_id: UUID) -> Organisation:
    """What everybody may know of it."""
    require(request.actor, "parties.see_organisation")
    return queries.organisation(organisation_id)


@router.put("/organisations/{organisation_id}", response=OrganisationOut, summary="Change an organisation's facts")
def edit(request: PartyRequest, organisation_id: UUID, body: FactsIn) -> Organisation:
    """Its codes stay. A new name takes a verification above 1 back to 1."""
    facts = body.facts()
    acts.edit_organisation(actor=request.actor, organisation_id=organisation_id, facts=facts, now=clock.now())
    return queries.organisation(organisation_id)


@router.post("/organisations/{organisation_id}/identifiers", response={201: IdentifierOut}, summary="Add a code")
def add_identifier(request: PartyRequest, organisation_id: UUID, body: IdentifierIn) -> tuple[int, Identifier]:
    """A register's code, checked by its scheme's own standard."""
    return 201, acts.add_identifier(
        actor=request.actor, organisation_id=organisation_id, scheme=body.scheme, value=body.value, now=clock.now()
    )


@router.post("/organisations/{organisation_id}/verification", response=OrganisationOut, summary="Verify")
def verify(request: PartyRequest, organisation_id: UUID, body: VerificationIn) -> Organisation:
    """By an operator: how far the identity has been checked, and which codes were found."""
    acts.verify_organisation(
        actor=request.actor,
        organisation_id=organisation_id,
        level=body.level,
        identifier_ids=body.identifiers,
        note=body.note,
        now=clock.now(),
    )
    return queries.organisation(organisation_id)


@router.post(
    "/m/{marketplace}/organisations/{organisation_id}/verification",
    response=OrganisationOut,
    summary="Verify, as operator of a marketplace",
)
def verify_here(request: PartyRequest, marketplace: str, organisation_id: UUID, body: VerificationIn) -> Organisation:
    """The same for the operator of this marketplace; the level counts in the whole city."""
    return verify(request, organisation_id, body)


@router.get("/organisations/{organisation_id}/members", response=list[MemberOut], summary="Members")
def members(request: PartyRequest, organisation_id: UUID) -> list[dict[str, Any]]:
    """For its members, operators and the regulator."""
    require(request.actor, "parties.see_members", organisation_id=organisation_id)
    return [MemberOut.of(one) for one in queries.members_of(organisation_id)]


@router.post("/organisations/{organisation_id}/members", response={201: MemberOut}, summary="Add a member")
def add_member(request: PartyRequest, organisation_id: UUID, body: MemberIn) -> tuple[int, dict[str, Any]]:
    """A person who has an account; to others send an invitation."""
    made = acts.add_member(
        actor=request.actor, organisation_id=organisation_id, person_id=body.person, roles=body.roles, now=clock.now()
    )
    return 201, MemberOut.of(made)


@router.put("/organisations/{organisation_id}/members/{person}", response=MemberOut, summary="Change a member's roles")
def change_roles(request: PartyRequest, organisation_id: UUID, person: UUID, body: RolesIn) -> dict[str, Any]:
    """The roles of before are replaced. An organisation always keeps an owner."""
    changed = acts.change_roles(
        actor=request.actor, organisation_id=organisation_id, person_id=person, roles=body.roles, now=clock.now()
    )
    return MemberOut.of(changed)


@router.delete("/organisations/{organisation_id}/members/{person}", response={204: None}, summary="End a membership")
def end_membership(request: PartyRequest, organisation_id: UUID, person: UUID) -> tuple[int, None]:
    """One's own, or as owner another's. The tokens that the person made for the organisation end too."""
    acts.end_membership(actor=request.actor, organisation_id=organisation_id, person_id=person, now=clock.now())
    return 204, None


@router.post("/organisations/{organisation_id}/invitations", response={201: InvitationOut}, summary="Invite")
def invite(
    request: PartyRequest, response: HttpResponse, organisation_id: UUID, body: InvitationIn
) -> tuple[int, dict[str, Any]]:
    """A link for one person, for 14 days."""
    made, secret = acts.invite(
        actor=request.actor, organisation_id=organisation_id, roles=body.roles, email=body.email, now=clock.now()
    )
    response["Cache-Control"] = "no-store"
    return 201, {"id": made.pk, "roles": made.roles, "expires_at": made.expires_at, "secret": secret}


@router.post("/invitations/accept", response=MemberOut, summary="Accept an invitation")
def accept(request: PartyRequest, body: SecretIn) -> dict[str, Any]:
    """The caller becomes a member of the organisation that invited."""
    return MemberOut.of(acts.join(actor=request.actor, secret=body.secret, now=clock.now()))


@router.delete("/invitations/{invitation_id}", response={204: None}, summary="Withdraw an invitation")
def withdraw(request: PartyRequest, invitation_id: UUID) -> tuple[int, None]:
    """Nobody can accept it any more."""
    acts.withdraw_invitation(actor=request.actor, invitation_id=invitation_id, now=clock.now())
    return 204, None


@router.get("/tokens", response=list[TokenOut], summary="Tokens of one's organisation")
def tokens(request: PartyRequest) -> list[dict[str, Any]]:
    """Those that are in use; never their secrets."""
    require(request.actor, "parties.see_tokens")
    own = request.actor.organisation_id
    return [TokenOut.of(one) for one in queries.tokens_of(own)] if own else []


@router.post("/m/{marketplace}/tokens", response={201: NewTokenOut}, summary="Make a token")
def create_token(
    request: PartyRequest, response: HttpResponse, marketplace: str, body: TokenIn
) -> tuple[int, dict[str, Any]]:
    """For the organisation one acts for, on this marketplace, with some of one's own roles."""
    token, secret = acts.create_token(
        actor=request.actor, marketplace_id=request.marketplace.pk, name=body.name, roles=body.roles, now=clock.now()
    )
    response["Cache-Control"] = "no-store"
    return 201, {**TokenOut.of(token), "secret": secret}


@router.delete("/tokens/{token_id}", response={204: None}, summary="Revoke a token")
def revoke_token(request: PartyRequest, token_id: UUID) -> tuple[int, None]:
    """One's own, or as owner any of the organisation."""
    acts.revoke_token(actor=request.actor, token_id=token_id, now=clock.now())
    return 204, None


@router.get("/marketplaces", response=Page[MarketplaceOut], summary="Marketplaces of the city")
def marketplaces(request: PartyRequest, cursor: str | None = None, limit: int = LIMIT_DEFAULT) -> Page[Any]:
    """Newest first, without the city's own."""
    require(request.actor, "parties.see_marketplaces")
    return page_of(queries.marketplaces(), cursor, limit)


@router.post("/marketplaces", response={201: MarketplaceOut}, summary="Open a marketplace")
def open_marketplace(request: PartyRequest, body: MarketplaceIn) -> tuple[int, Marketplace]:
    """By an operator of the city."""
    return 201, acts.open_marketplace(
        actor=request.actor, slug=body.slug, operator_id=body.operator, settings=body.settings(), now=clock.now()
    )


@router.get("/m/{marketplace}", response=MarketplaceOut, summary="A marketplace")
def marketplace(request: PartyRequest, marketplace: str) -> Marketplace:
    """Its look, sectors, fee and rule profile."""
    require(request.actor, "parties.see_marketplaces")
    return request.marketplace


@router.put("/m/{marketplace}", response=MarketplaceOut, summary="Configure a marketplace")
def configure(request: PartyRequest, marketplace: str, body: SettingsIn) -> Marketplace:
    """By its operator. What was agreed before keeps its terms; the currency stays."""
    return acts.configure_marketplace(
        actor=request.actor, marketplace_id=request.marketplace.pk, settings=body.settings(), now=clock.now()
    )


@router.post("/m/{marketplace}/offices", response={204: None}, summary="Make somebody operator or arbiter")
def grant(request: PartyRequest, marketplace: str, body: OfficeIn) -> tuple[int, None]:
    """By an operator of the marketplace or of the city."""
    acts.grant_marketplace_role(
        actor=request.actor,
        marketplace_id=request.marketplace.pk,
        person_id=body.person,
        role=body.role,
        now=clock.now(),
    )
    return 204, None


@router.delete("/m/{marketplace}/offices/{role}/{person}", response={204: None}, summary="End an office")
def revoke(request: PartyRequest, marketplace: str, role: str, person: UUID) -> tuple[int, None]:
    """A marketplace always keeps an operator."""
    acts.revoke_marketplace_role(
        actor=request.actor, marketplace_id=request.marketplace.pk, person_id=person, role=role, now=clock.now()
    )
    return 204, None
