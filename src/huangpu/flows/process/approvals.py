"""Approvals: an organisation's own rule that an act from an amount upwards needs n different persons.

An act that may need it calls `check`. Without approval it is refused with `approval.needed`, and its door offers to ask;
`ask` opens a task for those who may decide; once enough have agreed, the act itself is done by whoever may do it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, lock
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused
from huangpu.core.log.record import NewEvent, record
from huangpu.core.money import exponent
from huangpu.parties.actor import Actor
from huangpu.parties.rights import ROLE_NAMES, require

from .models import ApprovalRule, Decision, Task


def rule_for(organisation_id: UUID, act_name: str, amount: int, currency: str) -> ApprovalRule | None:
    """The strictest rule that applies: the one with the highest amount that is not above this one."""
    return (
        ApprovalRule.objects.filter(
            organisation_id=organisation_id, act=act_name, currency=currency, amount_from__lte=amount
        )
        .order_by("-amount_from")
        .first()
    )


def standing(
    organisation_id: UUID, act_name: str, subject_id: UUID, amount: int, currency: str
) -> tuple[str, ApprovalRule | None]:
    """Where an act stands, with the rule that applies: "free" (no rule), "needed", "asked", "approved" or "refused".

    An approval counts for the amount it was asked for, or less.
    """
    rule = rule_for(organisation_id, act_name, amount, currency)
    if rule is None:
        return "free", None
    task = (
        Task.objects.filter(organisation_id=organisation_id, act=act_name, subject_id=subject_id)
        .order_by("-id")
        .first()
    )
    if task is None:
        return "needed", rule
    if task.state == "approved":
        return ("approved" if task.amount >= amount and task.currency == currency else "needed"), rule
    return ("refused" if task.state == "refused" else "asked"), rule


def check(*, actor: Actor, organisation_id: UUID, act_name: str, subject_id: UUID, amount: int, currency: str) -> None:
    """Nothing when no approval is needed or enough have agreed; else Refused `approval.needed`, or `approval.refused`."""
    if actor.is_system:
        return
    state, rule = standing(organisation_id, act_name, subject_id, amount, currency)
    if rule is None or state == "approved":
        return
    if state == "refused":
        raise Refused(
            "approval.refused",
            _("This was not approved; ask again after changing it."),
            field="approval",
            value=act_name,
        )
    raise Refused(
        "approval.needed",
        _("This needs the approval of %(persons)s person(s) with the role %(role)s first."),
        field="approval",
        value=act_name,
        persons=rule.persons,
        role=lazystr(ROLE_NAMES.get(rule.role, rule.role)),
    )


@act
def set_rule(
    *, actor: Actor, act_name: str, currency: str, amount_from: int, persons: int, role: str = "approver", now: datetime
) -> ApprovalRule:
    """The owner decides from which amount (minor units) an act needs how many persons. `persons` = 0 removes the rule."""
    require(actor, "process.set_approval_rule")
    exponent(currency)  # refuses what is not a currency
    if not 0 <= persons <= 9 or amount_from < 0:
        raise Invalid("approval.rule", _("“%(value)s” is not possible; from 0 to 9 persons, from an amount of 0."),
                      field="persons", value=persons)  # fmt: skip
    organisation_id = actor.organisation_id
    assert organisation_id is not None, "the rule names roles of an organisation"
    key: dict[str, Any] = {
        "organisation_id": organisation_id, "act": act_name, "currency": currency, "amount_from": amount_from,
    }  # fmt: skip
    if persons == 0:
        ApprovalRule.objects.filter(**key).delete()
        rule = ApprovalRule(**key, persons=0, role=role)
    else:
        rule, _created = ApprovalRule.objects.update_or_create(**key, defaults={"persons": persons, "role": role})
    if actor.marketplace_id:
        facts = {"act": act_name, "currency": currency, "amount_from": amount_from, "persons": persons, "role": role}
        record([_event("approval.rule_set", actor, actor.marketplace_id, organisation_id, now, facts)])
    return rule


@act
def ask(
    *,
    actor: Actor,
    marketplace_id: UUID,
    act_name: str,
    subject_id: UUID,
    amount: int,
    currency: str,
    link: str,
    now: datetime,
) -> Task:
    """Opens the task in which the others decide. Asking twice returns the open task."""
    require(actor, "process.ask_approval")
    assert actor.organisation_id is not None, "the rule names roles of an organisation"
    rule = rule_for(actor.organisation_id, act_name, amount, currency)
    if rule is None:
        raise Conflict("approval.not_needed", _("This needs no approval."), field="approval", value=act_name)
    key = {"organisation_id": actor.organisation_id, "act": act_name, "subject_id": subject_id, "state": "open"}
    task, created = Task.objects.get_or_create(
        **key,
        defaults={
            "marketplace_id": marketplace_id, "amount": amount, "currency": currency, "role": rule.role,
            "persons": rule.persons, "asked_by_id": actor.person_id, "link": link,
        },
    )  # fmt: skip
    if created:
        facts = {
            "act": act_name,
            "subject": str(subject_id),
            "amount": amount,
            "currency": currency,
            "persons": rule.persons,
        }
        record([_event("approval.asked", actor, marketplace_id, task.id, now, facts)])
    return task


@act
def decide(*, actor: Actor, task_id: UUID, approves: bool, reason: str = "", now: datetime) -> Task:
    """One person's word. The task is approved by the n-th yes and refused by the first no.

    Refused for who asked (`approval.own`), without the role, twice (`approval.twice`), or when it is closed.
    """
    task = lock(Task, [task_id]).get(task_id)
    if task is None or task.organisation_id != actor.organisation_id:
        raise NotFound("task.unknown", _("There is no task “%(value)s”."), field="task", value=str(task_id))
    require(actor, "process.approve", organisation_id=task.organisation_id)
    assert actor.person_id is not None, "only a person has a role"
    if actor.person_id == task.asked_by_id:
        raise Refused(
            "approval.own", _("Who asks does not approve; somebody else has to."), field="actor", value=task.act
        )
    if task.state != "open":
        raise Conflict("task.closed", _("This has been decided: %(value)s."), field="task", value=task.state)
    try:
        Decision.objects.create(
            task=task, person_id=actor.person_id, approves=approves, reason=reason[:500], decided_at=now
        )
    except IntegrityError as twice:
        raise Conflict(
            "approval.twice", _("You have already decided on this."), field="task", value=str(task_id)
        ) from twice
    if not approves:
        task.state = "refused"
    elif task.decisions.filter(approves=True).count() >= task.persons:
        task.state = "approved"
    if task.state != "open":
        task.closed_at = now
        task.save(update_fields=["state", "closed_at"])
    facts = {
        "act": task.act,
        "subject": str(task.subject_id),
        "approves": approves,
        "reason": reason[:500],
        "state": task.state,
    }
    record([_event("approval.decided", actor, task.marketplace_id, task.id, now, facts)])
    return task


def _event(
    kind: str, actor: Actor, marketplace_id: UUID, subject: UUID, now: datetime, facts: dict[str, object]
) -> NewEvent:
    return NewEvent(
        kind=kind, marketplace_id=marketplace_id, subject_type="task", subject_id=subject, occurred_at=now, payload=facts,
        actor_id=actor.person_id, organisation_id=actor.organisation_id,
        audience=(actor.organisation_id,) if actor.organisation_id else (),
    )  # fmt: skip
