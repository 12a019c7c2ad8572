"""The tables of parties for those who run the installation: read, and little more. What changes a party is an act."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from huangpu.core.names import in_language

from .models import ApiToken, Identifier, Invitation, Marketplace, MarketplaceRole, Membership, Organisation, Person


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Looks, searches, filters; adds, changes and deletes nothing."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class Named(ReadOnly):
    """A table whose rows have a name in several languages."""

    @admin.display(description="name")
    def shown_name(self, row: Any) -> str:
        return in_language(row.name)


class Codes(admin.TabularInline):  # type: ignore[type-arg]
    model = Identifier
    extra = 0
    can_delete = False
    fields = readonly_fields = ("scheme", "value", "verified_at")


class Members(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    can_delete = False
    fields = readonly_fields = ("person", "roles", "ended_at")


@admin.register(Organisation)
class Organisations(Named):
    list_display = ("shown_name", "country", "district", "industry", "verification", "imported", "created_at")
    list_filter = ("verification", "imported", "country", "district", "industry")
    search_fields = ("name", "identifiers__value")
    exclude = ("search",)
    inlines = (Codes, Members)


@admin.register(Marketplace)
class Marketplaces(Named):
    list_display = ("slug", "shown_name", "operator_name", "is_city", "currency", "fee_ppm", "created_at")
    list_select_related = ("operator",)

    @admin.display(description="operator")
    def operator_name(self, market: Marketplace) -> str:
        return in_language(market.operator.name)


@admin.register(Person)
class Persons(ReadOnly):
    """A person may be closed and opened here, and given an office of the city; nothing else is changed."""

    list_display = ("username", "name", "email", "is_active", "is_staff", "city_roles", "date_joined")
    list_filter = ("is_active", "is_staff")
    search_fields = ("username", "name", "email")
    fields = (
        "username",
        "name",
        "email",
        "language",
        "is_active",
        "is_staff",
        "city_roles",
        "last_login",
        "date_joined",
    )
    readonly_fields = ("username", "name", "email", "language", "is_staff", "last_login", "date_joined")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return request.user.is_superuser


@admin.register(MarketplaceRole)
class Offices(ReadOnly):
    list_display = ("marketplace", "person", "role")
    list_filter = ("role",)


@admin.register(ApiToken)
class Tokens(ReadOnly):
    list_display = ("name", "organisation", "marketplace", "roles", "created_by", "created_at", "revoked_at")
    exclude = ("secret_hash",)


@admin.register(Invitation)
class Invitations(ReadOnly):
    list_display = ("organisation", "email", "roles", "invited_by", "created_at", "expires_at", "ended_at")
    exclude = ("secret_hash",)
