"""The settings of one's organisation: one page with several small forms; the field `do` names which was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.names import in_language

from . import acts, queries
from .acts.members import person_named
from .forms import described, errors_of, fact_choices, facts_of, shown_members, uuids
from .request import PartyRequest
from .rights import ORGANISATION_ROLES, ROLE_NAMES, may, require


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: PartyRequest, organisation_id: UUID) -> HttpResponse:
    """Facts, codes, members, invitations and tokens of the organisation one acts for."""
    require(request.actor, "parties.see_tokens", organisation_id=organisation_id)
    errors: dict[str, str] = {}
    shown_once: dict[str, str] = {}
    do = request.POST.get("do", "")
    if request.method == "POST" and do in FORMS:
        try:
            shown_once = FORMS[do](request, organisation_id) or {}
            if not shown_once:
                messages.success(request, _("The change is made."))
                still_a_member = may(_actor_now(request), "parties.see_tokens", organisation_id=organisation_id)
                return redirect("organisation_settings" if still_a_member else "organisation", organisation_id)
        except HuangpuError as error:
            errors = errors_of(error, has_fields=do not in BUTTONS)
    answer = render(
        request,
        "parties/settings.html",
        _settings_context(request, organisation_id, do if errors else "", errors, shown_once),
        status=422 if errors else 200,
    )
    if shown_once:
        answer["Cache-Control"] = "no-store"
    return answer


def _actor_now(request: PartyRequest) -> Any:
    """Who acts after the change: one may have ended one's own membership."""
    own = request.actor
    return queries.actor_for(
        person_id=own.person_id, organisation_id=own.organisation_id, marketplace_id=own.marketplace_id
    )


def _settings_context(
    request: PartyRequest, organisation_id: UUID, do: str, errors: dict[str, str], shown_once: dict[str, str]
) -> dict[str, Any]:
    found = queries.organisation(organisation_id)
    names = {"name_zh": found.name.get("zh-hans", ""), "name_en": found.name.get("en", "")}
    columns = ("country", "district", "industry", "address", "email", "phone", "website")
    own = (
        ORGANISATION_ROLES
        if "owner" in request.actor.roles
        else [r for r in ORGANISATION_ROLES if r in request.actor.roles]
    )
    return {
        "organisation": found,
        "given": request.POST if do == "facts" else {**names, **{name: getattr(found, name) for name in columns}},
        "identifiers": [described(one) for one in found.identifiers.all()],
        "members": shown_members(organisation_id),
        "invitations": queries.invitations_of(organisation_id, now=clock.now()),
        "tokens": [
            (one, [ROLE_NAMES.get(role, role) for role in one.roles]) for one in queries.tokens_of(organisation_id)
        ],
        "market_choices": [(one.slug, in_language(one.name)) for one in queries.marketplaces(with_city=True)],
        "role_choices": [(role, ROLE_NAMES[role]) for role in ORGANISATION_ROLES],
        "own_role_choices": [(role, ROLE_NAMES[role]) for role in own],
        "is_owner": request.actor.has("owner"),
        "errors": errors,
        "do": do,
        "tried": request.POST if errors else QueryDict(),
        "shown_once": shown_once,
        **fact_choices(),
    }


def _facts(request: PartyRequest, organisation_id: UUID) -> None:
    facts = facts_of(request.POST)
    acts.edit_organisation(actor=request.actor, organisation_id=organisation_id, facts=facts, now=clock.now())


def _identifier(request: PartyRequest, organisation_id: UUID) -> None:
    scheme, value = request.POST.get("scheme", ""), request.POST.get("value", "")
    acts.add_identifier(
        actor=request.actor, organisation_id=organisation_id, scheme=scheme, value=value, now=clock.now()
    )


def _add_member(request: PartyRequest, organisation_id: UUID) -> None:
    require(request.actor, "parties.add_member", organisation_id=organisation_id)
    person = person_named(request.POST.get("username", ""))
    roles = request.POST.getlist("roles")
    acts.add_member(
        actor=request.actor, organisation_id=organisation_id, person_id=person.pk, roles=roles, now=clock.now()
    )


def _roles(request: PartyRequest, organisation_id: UUID) -> None:
    for person in uuids([request.POST.get("person", "")]):
        roles = request.POST.getlist("roles")
        acts.change_roles(
            actor=request.actor, organisation_id=organisation_id, person_id=person, roles=roles, now=clock.now()
        )


def _end(request: PartyRequest, organisation_id: UUID) -> None:
    for person in uuids([request.POST.get("person", "")]):
        acts.end_membership(actor=request.actor, organisation_id=organisation_id, person_id=person, now=clock.now())


def _invite(request: PartyRequest, organisation_id: UUID) -> dict[str, str]:
    _made, secret = acts.invite(
        actor=request.actor,
        organisation_id=organisation_id,
        roles=request.POST.getlist("roles"),
        email=request.POST.get("email", ""),
        now=clock.now(),
    )
    return {"kind": "invitation", "secret": request.build_absolute_uri(f"/join/{secret}/")}


def _withdraw(request: PartyRequest, organisation_id: UUID) -> None:  # noqa: ARG001
    for invitation in uuids([request.POST.get("invitation", "")]):
        acts.withdraw_invitation(actor=request.actor, invitation_id=invitation, now=clock.now())


def _token(request: PartyRequest, organisation_id: UUID) -> dict[str, str]:  # noqa: ARG001
    market = queries.marketplace_by_slug(request.POST.get("marketplace", ""))
    _made, secret = acts.create_token(
        actor=request.actor,
        marketplace_id=market.pk if market else UUID(int=0),
        name=request.POST.get("name", ""),
        roles=request.POST.getlist("roles"),
        now=clock.now(),
    )
    return {"kind": "token", "secret": secret}


def _revoke(request: PartyRequest, organisation_id: UUID) -> None:  # noqa: ARG001
    for token in uuids([request.POST.get("token", "")]):
        acts.revoke_token(actor=request.actor, token_id=token, now=clock.now())


FORMS: dict[str, Callable[[PartyRequest, UUID], dict[str, str] | None]] = {
    "facts": _facts,
    "identifier": _identifier,
    "add_member": _add_member,
    "roles": _roles,
    "end": _end,
    "invite": _invite,
    "withdraw": _withdraw,
    "token": _token,
    "revoke": _revoke,
}
BUTTONS = frozenset({"roles", "end", "withdraw", "revoke"})  # forms of a row, which have no place for an error
