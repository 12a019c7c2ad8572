"""Goods (物流): where things are and whose. Stock by place, item, owner and lot, and the movements that make it.

A balance never goes below zero and never below what is reserved: the constraint refuses it, not a prior read.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Deferrable, F, Q, When
from django.db.models.functions import Now

from huangpu.core.ids import uuid7
from huangpu.core.models import AppendOnly
from huangpu.core.names import NameField
from huangpu.parties.models import Organisation

DISPOSITIONS = ["available", "inspecting"]


class Place(models.Model):
    """A yard, warehouse, shop or gate where goods can be (EPCIS: bizLocation)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="places")
    code = models.CharField(max_length=40)  # the organisation's own
    gln = models.CharField(max_length=13, blank=True)  # GS1 Global Location Number, where there is one
    name = NameField()
    address = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "code"], name="goods_place_code_once")]


class Stock(models.Model):
    """How much of an item lies in a place, for an owner, of a lot and with a serial number ("" = none), in a disposition.

    The id is derived from what it is the balance of (`rules.Balance.id`), so that a movement needs no look-up. A piece with
    a serial number is one piece, and lies in one place: `present` is the serial where the piece is. It is a column of its
    own, because an index with `on_hand` in it would cost every movement of every other item.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    marketplace_id = models.UUIDField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="stock")
    item_id = models.UUIDField()
    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="stock")
    lot = models.CharField(max_length=64, blank=True)
    serial = models.CharField(max_length=64, blank=True, db_default="")
    present = models.GeneratedField(
        expression=Case(When(~Q(serial="") & Q(on_hand__gt=0), then=F("serial")), default=None),
        output_field=models.CharField(max_length=64, null=True),
        db_persist=True,
    )
    disposition = models.CharField(max_length=12, default="available")
    on_hand = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    reserved = models.DecimalField(max_digits=18, decimal_places=6, default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & Q(on_hand__gte=F("reserved")), name="goods_stock_never_below"
            ),
            models.CheckConstraint(condition=Q(disposition__in=DISPOSITIONS), name="goods_stock_disposition"),
            models.UniqueConstraint(
                fields=["marketplace_id", "place", "item_id", "owner", "lot", "serial", "disposition"],
                name="goods_stock_once",
            ),
            models.CheckConstraint(  # below zero is for the constraint above to refuse, in its words
                condition=Q(serial="") | Q(on_hand__in=[0, 1]) | Q(on_hand__lt=0), name="goods_serial_is_one_piece"
            ),
            # looked at when a statement ends: within it a piece may be in both places
            models.UniqueConstraint(
                fields=["item_id", "present"], name="goods_serial_in_one_place", deferrable=Deferrable.IMMEDIATE
            ),
        ]
        indexes = [models.Index(fields=["owner", "item_id"], name="goods_stock_owner")]


class Movement(AppendOnly):
    """One change: goods went from one balance to another (null: from or to outside the platform's sight), or a
    reservation was set (+) or lifted (−) on `source`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    source_id = models.UUIDField(null=True)
    target_id = models.UUIDField(null=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    reservation = models.DecimalField(max_digits=18, decimal_places=6, default=0)  # change of what source has reserved
    reference_id = models.UUIDField()  # the agreement or other act it belongs to
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["source_id", "id"], name="goods_movement_source"),
            models.Index(fields=["target_id", "id"], name="goods_movement_target"),
            models.Index(fields=["reference_id", "id"], name="goods_movement_reference"),
        ]


class Shipment(models.Model):
    """A despatch: what went from whom to whom with which carrier (UBL Despatch Advice, EPCIS shipping event)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace_id = models.UUIDField()
    reference_id = models.UUIDField(db_index=True)  # the agreement
    event_id = models.UUIDField(unique=True)
    sender = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sent")
    receiver = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="received")
    carrier = models.CharField(max_length=100, blank=True)
    tracking = models.CharField(max_length=64, blank=True)
    vehicle = models.CharField(max_length=32, blank=True)
    lines = models.JSONField(
        default=list
    )  # [{"commitment", "item", "name", "quantity", "unit", "lot", "lots"}], see rules.Lot
    shipped_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["sender", "-id"], name="goods_shipment_sender"),
            models.Index(fields=["receiver", "-id"], name="goods_shipment_receiver"),
        ]
