"""Who may: one table role → acts a room, one way to ask it, one matrix in the docs made from all of them.

A room's `rights.py` exports `ACTS: dict[str, Rule]`, keyed by the act's full name ("tender.publish"). An act asks

    require(actor, "tender.publish", organisation_id=tender.buyer_id, marketplace_id=tender.marketplace_id)

which returns None or raises Refused with the reason; a page that only wants to know asks `decide(…).allowed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from uuid import UUID

from django.apps import apps
from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from huangpu.core.errors import HuangpuError, NotSignedIn, Refused

from .actor import Actor

ORGANISATION_ROLES = ("owner", "buyer", "approver", "finance", "warehouse", "clerk", "auditor")
MARKETPLACE_ROLES = ("operator", "arbiter")
CITY_ROLES = ("operator", "regulator", "statistician")  # operator: who operates the city's own marketplace

ROLE_NAMES: dict[str, Any] = {
    "owner": pgettext_lazy("role", "owner"),
    "buyer": pgettext_lazy("role", "buyer"),
    "approver": pgettext_lazy("role", "approver"),
    "finance": pgettext_lazy("role", "finance"),
    "warehouse": pgettext_lazy("role", "warehouse"),
    "clerk": pgettext_lazy("role", "clerk"),
    "auditor": pgettext_lazy("role", "auditor"),
    "operator": pgettext_lazy("role", "operator of the marketplace"),
    "arbiter": pgettext_lazy("role", "arbiter of the marketplace"),
    "city:operator": pgettext_lazy("role", "operator of the city"),
    "city:regulator": pgettext_lazy("role", "regulator"),
    "city:statistician": pgettext_lazy("role", "statistician"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do an act. Any one of the roles is enough; the owner of an organisation has all roles of it.

    `roles`: in the organisation whose object it is (when `require` is told which); `market_roles`: in the marketplace of
    the object; `city_roles`: anywhere. `signed_in`: any person with an account; `everybody`: no account is needed.
    `about`: one short English sentence for the documented matrix.
    """

    about: str
    roles: tuple[str, ...] = ()
    market_roles: tuple[str, ...] = ()
    city_roles: tuple[str, ...] = ()
    signed_in: bool = False
    everybody: bool = False

    def __post_init__(self) -> None:
        wrong = [role for role in self.roles if role not in ORGANISATION_ROLES]
        wrong += [role for role in self.market_roles if role not in MARKETPLACE_ROLES]
        wrong += [role for role in self.city_roles if role not in CITY_ROLES]
        if wrong:
            raise ValueError(f"no such roles: {', '.join(wrong)}")

    @property
    def role_names(self) -> list[Any]:
        """Who may, in words that are translated when shown."""
        organisation = ("owner", *(role for role in self.roles if role != "owner")) if self.roles else ()
        city = tuple(f"city:{role}" for role in self.city_roles)
        return [ROLE_NAMES[role] for role in (*organisation, *self.market_roles, *city)]


MEMBERS = ORGANISATION_ROLES  # `Rule(roles=MEMBERS)`: whatever role a member has


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed, or refused with the reason as an error that can be raised."""

    refusal: HuangpuError | None = None

    @property
    def allowed(self) -> bool:
        return self.refusal is None


ALLOWED = Decision()


@cache
def tables() -> dict[str, dict[str, Rule]]:
    """Every room's ACTS by the room's app label, in the order of INSTALLED_APPS."""
    found: dict[str, dict[str, Rule]] = {}
    for app in apps.get_app_configs():
        if app.name.startswith("huangpu.") and find_spec(f"{app.name}.rights"):
            acts = getattr(import_module(f"{app.name}.rights"), "ACTS", None)
            if acts:
                found[app.label] = acts
    return found


@cache
def rule_of(act: str) -> Rule:
    """The rule of an act by its full name. An act that stands in no table is a programming error (KeyError)."""
    for acts in tables().values():
        if act in acts:
            return acts[act]
    raise KeyError(f"no room's rights.py lists the act {act!r}")


def decide(
    actor: Actor, act: str, *, organisation_id: UUID | None = None, marketplace_id: UUID | None = None
) -> Decision:
    """Whether the actor may do the act on an object of that organisation, in that marketplace.

    What the object has none of is left out: then roles count in whatever organisation or marketplace the actor acts for.
    """
    rule = rule_of(act)
    if actor.is_system or rule.everybody or _by_office(actor, rule, marketplace_id):
        return ALLOWED
    if actor.person_id is None:
        return Decision(
            NotSignedIn("rights.not_signed_in", _("Sign in first: this is not open to everybody."), field="actor")
        )
    if rule.signed_in:
        return ALLOWED
    own = organisation_id is None or actor.organisation_id == organisation_id
    if rule.roles and actor.organisation_id is not None and own and actor.has(*rule.roles):
        return ALLOWED
    if rule.roles and actor.organisation_id is None:
        message = _("You act for no organisation. Register one, or ask an owner of yours to add you.")
        return Decision(Refused("rights.no_organisation", message, field="actor", value=act))
    if rule.roles and not own:
        message = _(
            "This belongs to another organisation than the one you act for. Switch to it if you are its member."
        )
        return Decision(Refused("rights.other_organisation", message, field="actor", value=act))
    return Decision(
        Refused(
            "rights.role_missing",
            _("Your role does not allow this. It is for: %(roles)s."),
            field="actor",
            value=act,
            roles=lazystr(_Listed(rule.role_names)),
        )
    )


def _by_office(actor: Actor, rule: Rule, marketplace_id: UUID | None) -> bool:
    here = marketplace_id is None or actor.marketplace_id == marketplace_id
    return (here and not actor.market_roles.isdisjoint(rule.market_roles)) or not actor.city_roles.isdisjoint(
        rule.city_roles
    )


class _Listed:
    """Role names with commas, translated when they are shown."""

    def __init__(self, names: list[Any]) -> None:
        self.names = names

    def __str__(self) -> str:
        return ", ".join(str(name) for name in self.names)


def may(actor: Actor, act: str, *, organisation_id: UUID | None = None, marketplace_id: UUID | None = None) -> bool:
    """Whether the actor may: for pages that show a button only to whom it serves."""
    return decide(actor, act, organisation_id=organisation_id, marketplace_id=marketplace_id).allowed


def require(actor: Actor, act: str, *, organisation_id: UUID | None = None, marketplace_id: UUID | None = None) -> None:
    """Nothing when the actor may; else raises the reason.

    `rights.not_signed_in` (401); `rights.no_organisation`, `rights.other_organisation`, `rights.role_missing` (403).
    """
    refusal = decide(actor, act, organisation_id=organisation_id, marketplace_id=marketplace_id).refusal
    if refusal is not None:
        raise refusal


def require_own(actor: Actor, act: str) -> UUID:
    """The organisation that the actor acts for, which may do this act of its members' roles; refused as `require` is."""
    require(actor, act)
    assert actor.organisation_id is not None, "whose right comes from a role in an organisation acts for one"
    return actor.organisation_id


ACTS: dict[str, Rule] = {
    "parties.search_organisations": Rule("Find organisations by name or identifier.", everybody=True),
    "parties.see_organisation": Rule("Read an organisation's public facts.", everybody=True),
    "parties.register_organisation": Rule("Register an organisation and become its owner.", signed_in=True),
    "parties.import_organisation": Rule("Take organisations over from published data.", city_roles=("operator",)),
    "parties.edit_organisation": Rule("Change address, contact and district of one's organisation.", roles=("owner",)),
    "parties.add_identifier": Rule("Add a register's code to one's organisation.", roles=("owner",)),
    "parties.see_members": Rule(
        "See who belongs to an organisation.",
        roles=MEMBERS,
        market_roles=("operator",),
        city_roles=("operator", "regulator"),
    ),
    "parties.invite": Rule("Invite a person into one's organisation.", roles=("owner",)),
    "parties.join": Rule("Accept an invitation.", signed_in=True),
    "parties.add_member": Rule("Add a person to one's organisation.", roles=("owner",)),
    "parties.change_roles": Rule("Change a member's roles.", roles=("owner",)),
    "parties.end_membership": Rule("End a membership (never the last owner's).", roles=("owner",)),
    "parties.leave": Rule("End one's own membership.", roles=MEMBERS),
    "parties.act_for": Rule("Switch to another organisation of one's own.", signed_in=True),
    "parties.see_tokens": Rule("See the API tokens of one's organisation.", roles=MEMBERS),
    "parties.create_token": Rule("Make an API token with some of one's own roles.", roles=MEMBERS),
    "parties.revoke_token": Rule("Revoke an API token; one's own, or as owner any.", roles=MEMBERS),
    "parties.verify_organisation": Rule(
        "Say how far an organisation's identity has been checked.", market_roles=("operator",), city_roles=("operator",)
    ),
    "parties.see_marketplaces": Rule("List marketplaces and read their rules and fees.", everybody=True),
    "parties.found_city": Rule("Found the city (the house itself, once, when it is installed)."),
    "parties.open_marketplace": Rule("Open a marketplace in the city.", city_roles=("operator",)),
    "parties.configure_marketplace": Rule(
        "Set a marketplace's look, fees, sectors and rule profile.",
        market_roles=("operator",),
        city_roles=("operator",),
    ),
    "parties.grant_marketplace_role": Rule(
        "Make a person operator or arbiter.", market_roles=("operator",), city_roles=("operator",)
    ),
    "parties.revoke_marketplace_role": Rule(
        "End an operator's or arbiter's office.", market_roles=("operator",), city_roles=("operator",)
    ),
}


def _cell(rule: Rule, role: str, kind: str) -> str:
    if rule.everybody or rule.signed_in:
        return "●"
    held: Mapping[str, bool] = {
        "organisation": role in rule.roles or (role == "owner" and bool(rule.roles)),
        "marketplace": role in rule.market_roles,
        "city": role in rule.city_roles,
    }
    return "●" if held[kind] else ""


def matrix() -> str:
    """docs/reference/rights.md: every act of every room against every role, in Markdown."""
    columns = [(role, "organisation") for role in ORGANISATION_ROLES]
    columns += [(role, "marketplace") for role in MARKETPLACE_ROLES] + [(role, "city") for role in CITY_ROLES]
    heads = [role if kind != "city" else f"city {role}" for role, kind in columns]
    lines = [PREAMBLE]
    for room, acts in tables().items():
        lines += [f"\n## {room}\n", f"| act | what | anybody | signed in | {' | '.join(heads)} |"]
        lines.append("|" + "---|" * (len(heads) + 4))
        for name, rule in acts.items():
            cells = ["●" if rule.everybody else "", "●" if rule.everybody or rule.signed_in else ""]
            cells += [_cell(rule, role, kind) for role, kind in columns]
            lines.append(f"| `{name}` | {rule.about} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


PREAMBLE = """\
# Who may do what

Made by `huangpu rights` from each room's `rights.py`; a test fails when this page is older than they are.

A role in an **organisation** counts for that organisation's own things. A role in a **marketplace** counts for everything
in that marketplace. A role in the **city** counts everywhere. The owner of an organisation has all of its roles. A token has
the roles it was given, and never more than its maker has now. A refusal names its reason: `rights.not_signed_in` (401),
`rights.no_organisation`, `rights.other_organisation` or `rights.role_missing` (403), the last with the roles that may."""
