"""Who trades: persons, organisations with their identifiers and members; marketplaces and their operators.

Parties are the city's: one organisation trades on many marketplaces. What a marketplace may and charges is its own.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, UserManager
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now

from huangpu.core.ids import uuid7
from huangpu.core.names import NameField


class Person(AbstractBaseUser, PermissionsMixin):
    """A natural person, who signs in. What a person may do follows from memberships, never from the person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=10, blank=True)  # of notices; empty: the marketplace's
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(db_default=Now())
    city_roles = models.JSONField(default=list, blank=True)  # "regulator", "statistician"

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    def get_full_name(self) -> str:
        return self.name or self.username

    def get_short_name(self) -> str:
        return self.name or self.username


class Organisation(models.Model):
    """A legal person or body that trades. `verification` says how far its identity has been checked (0 to 3)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = NameField()
    country = models.CharField(max_length=2, default="CN")  # ISO 3166-1 alpha-2
    district = models.CharField(max_length=32, blank=True)  # a code of the city's districts
    industry = models.CharField(max_length=32, blank=True)  # a code of the document's industries
    address = models.CharField(max_length=300, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)
    verification = models.SmallIntegerField(default=0)
    imported = models.BooleanField(default=False)  # known only from somebody's published data
    search = SearchVectorField(null=True, editable=False)  # names and codes in pairs of characters (core.search)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(verification__range=(0, 3)), name="parties_verification_level")
        ]
        indexes = [GinIndex(fields=["search"], name="parties_organisation_search")]


class Identifier(models.Model):
    """A code that a register gave to an organisation: GB 32100 for Chinese ones, any org-id.guide list for others."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=32)  # "CN-USCC" (GB 32100), "UA-EDR", "MD-IDNO", …
    value = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "value"], name="parties_identifier_once")]


class Membership(models.Model):
    """A person's roles in an organisation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    roles = models.JSONField(default=list)  # of rights.ORGANISATION_ROLES
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "person"], name="parties_membership_once")]


class Invitation(models.Model):
    """A link by which whoever holds it becomes a member, once, until it expires. Only the hash of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField(blank=True)  # whom it was meant for; a note, not a condition
    roles = models.JSONField(default=list)
    secret_hash = models.BinaryField(max_length=32, unique=True)  # SHA-256
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)  # accepted or withdrawn


class Marketplace(models.Model):
    """One market of the city with its operator, look, sectors, fees and rule profile. The shard key of all trade.

    The city itself is the marketplace with `is_city`: wallets and what concerns no single market belong to it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    name = NameField()
    tagline = NameField(blank=True)
    operator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="operated")
    is_city = models.BooleanField(default=False)
    colour = models.CharField(max_length=7, default="#0b5c8a")
    sectors = models.JSONField(default=list)  # codes of the sectors it opens: "manufacturing", …
    currency = models.CharField(max_length=3, default="CNY")
    zone = models.CharField(max_length=40, default="Asia/Shanghai")
    language = models.CharField(max_length=10, default="zh-hans")
    fee_ppm = models.IntegerField(default=0)  # of a trade's value, in millionths, borne by the seller
    profile = models.JSONField(default=dict)  # jurisdiction and which markets are lawful
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_city"], condition=models.Q(is_city=True), name="parties_one_city"),
            models.CheckConstraint(condition=models.Q(fee_ppm__range=(0, 1_000_000)), name="parties_fee_is_a_share"),
            models.CheckConstraint(condition=models.Q(colour__regex=r"^#[0-9a-f]{6}$"), name="parties_colour_is_one"),
        ]


class MarketplaceRole(models.Model):
    """A person's role in a marketplace's operation: "operator" or "arbiter"."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace = models.ForeignKey(Marketplace, on_delete=models.CASCADE, related_name="roles")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="marketplace_roles")
    role = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["marketplace", "person", "role"], name="parties_marketplace_role_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=("operator", "arbiter")), name="parties_marketplace_office"
            ),
        ]


class ApiToken(models.Model):
    """A machine's key: acts for one organisation on one marketplace with the roles it was given. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="tokens")
    marketplace = models.ForeignKey(Marketplace, on_delete=models.CASCADE, related_name="tokens")
    created_by = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    roles = models.JSONField(default=list)
    secret_hash = models.BinaryField(max_length=32, unique=True)  # SHA-256
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)
