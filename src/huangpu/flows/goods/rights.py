"""Who may handle goods."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Refused
from huangpu.parties.actor import Actor

ROLES = {"place.open": ("warehouse",), "stock.take_in": ("warehouse",)}


def may(actor: Actor, act: str, organisation_id: UUID) -> None:
    """Nothing when allowed; else `rights.refused` with the roles that may."""
    if actor.is_system or (actor.organisation_id == organisation_id and actor.has(*ROLES[act])):
        return
    raise Refused(
        "rights.refused",
        _("Only the %(roles)s of the organisation may do this."),
        field="actor",
        value=act,
        roles=", ".join(("owner", *ROLES[act])),
    )
