"""What may be done with parties: register, join, verify, open a marketplace, make a token. One function an act."""

from .marketplaces import (
    configure_marketplace,
    found_city,
    grant_marketplace_role,
    open_marketplace,
    revoke_marketplace_role,
)
from .members import add_member, change_roles, end_membership, invite, join, switch_organisation, withdraw_invitation
from .organisations import (
    add_identifier,
    edit_organisation,
    import_organisation,
    register_organisation,
    verify_organisation,
)
from .tokens import create_token, revoke_token

__all__ = [
    "add_identifier",
    "add_member",
    "change_roles",
    "configure_marketplace",
    "create_token",
    "edit_organisation",
    "end_membership",
    "found_city",
    "grant_marketplace_role",
    "import_organisation",
    "invite",
    "join",
    "open_marketplace",
    "register_organisation",
    "revoke_marketplace_role",
    "revoke_token",
    "switch_organisation",
    "verify_organisation",
    "withdraw_invitation",
]
