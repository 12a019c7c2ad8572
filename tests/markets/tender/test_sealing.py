"""Nobody reads a bid before its opening: not the database, not a stolen key file, not a killed process."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from huangpu.core.errors import Conflict
from huangpu.core.ids import uuid7
from huangpu.markets.tender import acts, jobs, queries, sealing
from huangpu.markets.tender.models import Bid, Line, Lot, Tender

from .conftest import DEADLINE, START, World, refused

SECRET_PRICE = Decimal("731.946285")
SECRET_TEXTS = (
    "731.946285",
    "878335",
    "1061322",
    "SPECIALNOTE",
)  # the price, both lines' amounts rounded, the total, the note


def seal_of() -> sealing.Seal:
    return sealing.Seal(uuid7(), uuid7(), uuid7(), uuid7())


def whole_database() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        parts = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            parts += [row[0] for row in cursor.fetchall()]
    return "\n".join(parts)


def test_no_table_holds_a_price_before_the_opening_and_every_one_after_it(world: World) -> None:
    tender = world.published(procedure="open")
    lot = Lot.objects.get(tender=tender)
    for place in range(2):
        acts.submit_bid(
            actor=world.suppliers[place],
            tender_id=tender.id,
            lot_id=lot.id,
            prices={line.id: SECRET_PRICE for line in Line.objects.filter(lot=lot)},
            note="SPECIALNOTE",
            now=START,
        )
    before = whole_database()
    assert str(tender.id) in before  # the search itself finds what is there
    for secret in (*SECRET_TEXTS, b"SPECIALNOTE".hex(), b"731.946285".hex()):
        assert secret not in before
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    after = whole_database()
    assert "731.946285" in after
    assert "SPECIALNOTE" in after


def test_nobody_sees_a_bid_before_the_opening_not_even_its_bidder(world: World) -> None:
    tender = world.published()
    world.bid(tender, 0, "731.946285")
    readers = (world.buyer, world.auditor, world.operator, world.arbiter, world.regulator, world.suppliers[1])
    for actor in readers:
        view = queries.see(actor, tender, START)
        assert (view.bidders, view.shows_bids, [lot.bids for lot in view.lots], view.my_bids) == (None, False, [[]], [])
    own = queries.see(world.suppliers[0], tender, START)
    assert [lot.bids for lot in own.lots] == [[]]
    assert [(bid.amount_minor, len(bytes(bid.receipt))) for bid in own.my_bids] == [(None, 32)]


def test_the_receipt_is_the_hash_of_what_is_kept_and_stands_in_the_opening_record(world: World) -> None:
    tender = world.published()
    bid = world.bid(tender, 0, "10")
    kept = Bid.objects.get(pk=bid.pk)
    assert sealing.receipt(bytes(kept.sealed)) == bytes(bid.receipt) == bytes(kept.receipt)
    opened = acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert [told["receipt"] for told in opened.opening["bids"]] == [bytes(bid.receipt).hex()]


def test_the_key_is_a_private_file_that_is_not_released_early(world: World, keys: sealing.FolderKeyStore) -> None:
    tender = world.published()
    files = list(keys.folder.iterdir())
    assert [file.name for file in files] == [f"{tender.id}.json"]
    assert stat.S_IMODE(os.stat(files[0]).st_mode) == 0o600
    with pytest.raises(Conflict) as early:
        keys.release(tender.id, DEADLINE, DEADLINE - timedelta(milliseconds=1))
    assert early.value.code == "tender.key_sealed"
    assert len(keys.release(tender.id, DEADLINE, DEADLINE)) == 32


def test_publishing_again_after_a_crash_finds_the_key_that_was_made(keys: sealing.FolderKeyStore) -> None:
    tender_id = uuid7()
    first = keys.create(tender_id, DEADLINE)
    assert keys.create(tender_id, DEADLINE + timedelta(days=1)) == first
    with pytest.raises(Conflict):
        keys.release(tender_id, DEADLINE, DEADLINE)  # the later bound holds


def test_a_lost_key_loses_nothing(world: World, keys: sealing.FolderKeyStore) -> None:
    tender = world.published()
    world.bid(tender, 0, "10")
    file = keys.folder / f"{tender.id}.json"
    away = file.rename(file.with_suffix(".away"))
    with refused(Conflict) as lost:
        acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert lost.value.code == "tender.key_missing"
    later = DEADLINE + timedelta(minutes=1)
    assert jobs.sweep(later) == 1  # the sweep goes on, and comes back to it
    tender.refresh_from_db()
    assert (tender.stage, tender.next_deadline_at) == ("open", later + jobs.AGAIN)
    away.rename(file)
    assert jobs.sweep(later + jobs.AGAIN) == 1
    assert Bid.objects.get(tender=tender).status == "valid"


def test_another_key_does_not_make_bids_look_spoilt(world: World, keys: sealing.FolderKeyStore) -> None:
    tender, other = world.published(), world.published()
    world.bid(tender, 0, "10")
    (keys.folder / f"{other.id}.json").rename(keys.folder / f"{tender.id}.json")
    with refused(Conflict) as wrong:
        acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert wrong.value.code == "tender.key_missing"


def test_a_bid_that_does_not_open_is_reported_and_kept(world: World) -> None:
    tender = world.published()
    spoilt, good = world.bid(tender, 0, "10"), world.bid(tender, 1, "11")
    blob = bytes(Bid.objects.get(pk=spoilt.pk).sealed)
    Bid.objects.filter(pk=spoilt.pk).update(sealed=blob[:-1] + bytes([blob[-1] ^ 1]))
    opened = acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    told = {bid["bid"]: (bid["status"], bid["amount_minor"]) for bid in opened.opening["bids"]}
    assert told == {str(spoilt.id): ("unreadable", None), str(good.id): ("valid", 15950)}
    assert Bid.objects.get(pk=spoilt.pk).sealed is not None


def test_a_blob_moved_to_another_bidder_does_not_open(world: World) -> None:
    tender = world.published()
    dear, cheap = world.bid(tender, 0, "11"), world.bid(tender, 1, "10")
    Bid.objects.filter(pk=dear.pk).update(sealed=bytes(Bid.objects.get(pk=cheap.pk).sealed))
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert [bid.status for bid in Bid.objects.filter(tender=tender).order_by("number")] == ["unreadable", "valid"]


@settings(max_examples=60, deadline=None)
@given(
    plain=st.dictionaries(
        st.text(max_size=20), st.text(max_size=300) | st.integers(-(2**53) + 1, 2**53 - 1), max_size=6
    ),
    spot=st.integers(0, 10**6),
)
def test_what_is_sealed_opens_to_itself_and_not_after_any_change(plain: dict[str, object], spot: int) -> None:
    private = sealing.X25519PrivateKey.generate()
    secret, public, about = private.private_bytes_raw(), private.public_key().public_bytes_raw(), seal_of()
    blob = sealing.seal(plain, public, about)
    assert sealing.unseal(blob, secret, about) == plain
    assert (len(blob) - 1 - 32 - 12 - 16) % sealing.BLOCK == 0  # the length tells nothing
    place = spot % len(blob)
    changed = blob[:place] + bytes([blob[place] ^ 0x40]) + blob[place + 1 :]
    for wrong in (lambda: sealing.unseal(changed, secret, about), lambda: sealing.unseal(blob, secret, seal_of())):
        with pytest.raises(sealing.Unreadable):
            wrong()
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(blob[:place], secret, about)


def test_killed_between_the_steps_of_an_opening_nothing_is_half_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after the key is released, and again after the bids are written: the next opening is whole."""
    tender = world.published()
    world.bid(tender, 0, "10")

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for step in ("unseal", "settle_lots", "say"):
        with monkeypatch.context() as broken:
            broken.setattr(acts.bidding, step, dies)
            with pytest.raises(KeyboardInterrupt):
                acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
        fresh = Tender.objects.get(pk=tender.pk)
        assert (fresh.stage, fresh.opened_at, Bid.objects.get(tender=tender).status) == ("open", None, "sealed")
    assert acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE).stage == "evaluation"
