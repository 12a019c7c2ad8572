"""Members of an organisation: invited, added, given other roles, gone. An organisation always keeps an owner."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused

from .. import rules
from ..actor import Actor
from ..models import ApiToken, Invitation, Membership, Person
from ..queries import secret_hash
from ..rights import require
from .organisations import locked
from .writing import write_event

INVITATION_DAYS = 14
OPEN_INVITATIONS_MAX = 100


@act
def invite(
    *, actor: Actor, organisation_id: UUID, roles: Iterable[str], email: str = "", now: datetime
) -> tuple[Invitation, str]:
    """Makes a link by which one person becomes a member with these roles, within 14 days. Returns the invitation and the
    secret of the link, which is shown once: `/join/<secret>/`.

    Invalid: `parties.role`, `parties.role_missing`, `parties.email`; Conflict `parties.invitations_many`.
    """
    require(actor, "parties.invite", organisation_id=organisation_id)
    if actor.person_id is None:
        raise Refused("parties.no_person", _("A person invites; the house by itself adds members."), field="actor")
    kept_roles, kept_email = rules.roles(roles), rules.email(email)
    organisation = locked(organisation_id)
    open_ones = Invitation.objects.filter(organisation=organisation, ended_at__isnull=True, expires_at__gt=now).count()
    if open_ones >= OPEN_INVITATIONS_MAX:
        message = _("%(most)s invitations are open already; withdraw some first.")
        raise Conflict("parties.invitations_many", message, most=OPEN_INVITATIONS_MAX)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        invited_by_id=actor.person_id,
        email=kept_email,
        roles=kept_roles,
        secret_hash=secret_hash(secret),
        created_at=now,
        expires_at=now + timedelta(days=INVITATION_DAYS),
    )
    payload = {"invitation": str(invitation.pk), "roles": kept_roles}
    subject = ("organisation", organisation_id)
    write_event(actor, "member.invited", subject, payload, now=now, audience=(organisation_id,))
    return invitation, secret


@act
def withdraw_invitation(*, actor: Actor, invitation_id: UUID, now: datetime) -> None:
    """Ends an invitation that nobody has accepted. NotFound `parties.invitation_unknown`; ending it twice is fine."""
    found = Invitation.objects.select_for_update(no_key=True).filter(pk=invitation_id).first()
    if found is None or (actor.organisation_id != found.organisation_id and not actor.is_system):
        raise _no_invitation()
    require(actor, "parties.invite", organisation_id=found.organisation_id)
    if found.ended_at is not None:
        return
    found.ended_at = now
    found.save(update_fields=["ended_at"])
    subject, payload = ("organisation", found.organisation_id), {"invitation": str(found.pk)}
    write_event(actor, "member.invitation_withdrawn", subject, payload, now=now, audience=(found.organisation_id,))


@act
def join(*, actor: Actor, secret: str, now: datetime) -> Membership:
    """Accepts an invitation by the secret of its link. A member's roles are never made fewer by it.

    NotFound `parties.invitation_unknown`; Conflict `parties.invitation_over` (accepted, withdrawn or expired).
    """
    require(actor, "parties.join")
    found = Invitation.objects.select_for_update(no_key=True).filter(secret_hash=secret_hash(secret)).first()
    if found is None or actor.person_id is None:
        raise _no_invitation()
    if found.ended_at is not None or found.expires_at <= now:
        message = _("This invitation has been used, was withdrawn, or is older than %(days)s days. Ask for a new one.")
        raise Conflict("parties.invitation_over", message, days=INVITATION_DAYS)
    locked(found.organisation_id)
    found.ended_at, found.accepted_by_id = now, actor.person_id
    found.save(update_fields=["ended_at", "accepted_by"])
    return _become_member(actor, found.organisation_id, actor.person_id, found.roles, now)


@act
def add_member(
    *, actor: Actor, organisation_id: UUID, person_id: UUID, roles: Iterable[str], now: datetime
) -> Membership:
    """Makes a person who has an account a member with these roles (added to those the person has).

    Invalid: `parties.role`, `parties.role_missing`; NotFound `parties.person_unknown`.
    """
    require(actor, "parties.add_member", organisation_id=organisation_id)
    kept = rules.roles(roles)
    locked(organisation_id)
    if not Person.objects.filter(pk=person_id, is_active=True).exists():
        raise NotFound(
            "parties.person_unknown", _("There is no such person here."), field="person", value=str(person_id)
        )
    return _become_member(actor, organisation_id, person_id, kept, now)


@act
def change_roles(
    *, actor: Actor, organisation_id: UUID, person_id: UUID, roles: Iterable[str], now: datetime
) -> Membership:
    """Gives a member other roles. Invalid: `parties.role…`; NotFound `parties.member_unknown`; Conflict
    `parties.last_owner`."""
    require(actor, "parties.change_roles", organisation_id=organisation_id)
    kept = rules.roles(roles)
    locked(organisation_id)
    membership = _member(organisation_id, person_id)
    if membership.roles == kept:
        return membership
    if "owner" not in kept:
        _keeps_an_owner(membership)
    membership.roles = kept
    membership.save(update_fields=["roles"])
    payload = {"person": str(person_id), "roles": kept}
    subject = ("organisation", organisation_id)
    write_event(actor, "member.roles_changed", subject, payload, now=now, audience=(organisation_id,))
    return membership


@act
def end_membership(*, actor: Actor, organisation_id: UUID, person_id: UUID, now: datetime) -> None:
    """Ends a membership, one's own or as owner another's; the tokens the person made for it end too.

    NotFound `parties.member_unknown`; Conflict `parties.last_owner`.
    """
    own = actor.person_id == person_id
    require(actor, "parties.leave" if own else "parties.end_membership", organisation_id=organisation_id)
    locked(organisation_id)
    membership = _member(organisation_id, person_id)
    _keeps_an_owner(membership)
    membership.ended_at = now
    membership.save(update_fields=["ended_at"])
    ApiToken.objects.filter(organisation_id=organisation_id, created_by_id=person_id, revoked_at__isnull=True).update(
        revoked_at=now
    )
    subject, payload = ("organisation", organisation_id), {"person": str(person_id)}
    write_event(actor, "member.ended", subject, payload, now=now, audience=(organisation_id,))


@act
def switch_organisation(*, actor: Actor, organisation_id: UUID, now: datetime) -> None:
    """Says for which of one's organisations one acts from now on; the door keeps it in the session.

    Refused `parties.not_a_member`.
    """
    require(actor, "parties.act_for")
    if actor.person_id is None:
        raise Refused("parties.no_person", _("Only a person acts for an organisation."), field="actor")
    member = Membership.objects.filter(
        organisation_id=organisation_id, person_id=actor.person_id, ended_at__isnull=True
    )
    if not member.exists():
        message = _("You are not a member of this organisation.")
        raise Refused("parties.not_a_member", message, field="organisation", value=str(organisation_id))
    payload = {"person": str(actor.person_id)}
    subject = ("organisation", organisation_id)
    write_event(actor, "member.acts_for", subject, payload, now=now, audience=(organisation_id,))


def _become_member(actor: Actor, organisation_id: UUID, person_id: UUID, roles: list[str], now: datetime) -> Membership:
    membership, is_new = Membership.objects.get_or_create(
        organisation_id=organisation_id, person_id=person_id, defaults={"roles": roles}
    )
    if not is_new:
        kept = roles if membership.ended_at else rules.roles({*membership.roles, *roles})
        membership.roles, membership.ended_at = kept, None
        membership.save(update_fields=["roles", "ended_at"])
    payload = {"person": str(person_id), "roles": membership.roles}
    subject = ("organisation", organisation_id)
    write_event(actor, "member.added", subject, payload, now=now, audience=(organisation_id,))
    return membership


def _member(organisation_id: UUID, person_id: UUID) -> Membership:
    found = Membership.objects.filter(
        organisation_id=organisation_id, person_id=person_id, ended_at__isnull=True
    ).first()
    if found is None:
        message = _("This person is not a member of the organisation.")
        raise NotFound("parties.member_unknown", message, field="person", value=str(person_id))
    return found


def _keeps_an_owner(leaving: Membership) -> None:
    """With the organisation locked: whether an owner stays when this membership goes or loses the role."""
    if "owner" not in leaving.roles:
        return
    others = Membership.objects.filter(
        organisation_id=leaving.organisation_id, ended_at__isnull=True, roles__contains="owner", person__is_active=True
    ).exclude(pk=leaving.pk)
    if not others.exists():
        message = _("This is the only owner. Make somebody else an owner first.")
        raise Conflict("parties.last_owner", message, field="roles")


def _no_invitation() -> NotFound:
    message = _("This invitation is not known here. Take the whole link, as it was given to you.")
    return NotFound("parties.invitation_unknown", message)


def person_named(name: str) -> Person:
    """The person with this sign-in name. Invalid `parties.person_unknown`, beside its field of a form."""
    found = Person.objects.filter(username=name.strip(), is_active=True).first()
    if found is None:
        message = _("Nobody signs in as “%(value)s”. Invite the person instead.")
        raise Invalid("parties.person_unknown", message, field="username", value=name[:64])
    return found
