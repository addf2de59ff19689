"""The desk over a running hub: all or nothing, what is told of a code, and a wait that ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from hubd.core.codes import plan as plan_module
from hubd.core.codes.plan import Hold
from hubd.core.codes.wishes import Change, Wish
from hubd.core.lanes import Priority
from hubd.model import CodeSeen, HubError, KeypadCapability, LockSeen
from hubd.model.errors import NotFoundError, RefusedError, StoreError
from hubd.store.codes import Constraints
from tests.sims.locks import LockNetwork
from tests.support.clock import settle
from tests.support.hub import lock
from tests.support.locks import FIRST_READ, LockSite, lock_site
from tests.support.store import refuse_writes, take_writes

PIN, OTHER = "48213077", "59104826"


@asynccontextmanager
async def desk(path: Path) -> AsyncIterator[LockSite]:
    async with lock_site(path / "hub.db", LockNetwork(2, KeypadCapability(slots=4))) as site:
        await site.wait(FIRST_READ)
        yield site


def held(site: LockSite, code_id: str) -> Hold | None:
    made = site.codes.plan(site.codes.get(code_id).device_id)
    assert made is not None
    return made.holds.get(code_id)


# -- wishes


async def test_several_wishes_are_all_kept_or_none(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        wishes = [Wish(device_id=site.id_of(name), pin=PIN) for name in ("101", "102", "101")]
        head = site.hub.journal.head
        with pytest.raises(RefusedError) as caught:
            await site.codes.create(wishes, "test")
        assert caught.value.code == "duplicate_access_code"
        assert (dict(site.hub.journal.tables.codes), site.hub.journal.head) == ({}, head)
        assert len(await site.codes.create(wishes[:2], "test")) == 2


async def test_what_goes_along_with_a_wish_shares_its_fate(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:

        def also(view: Any, codes: Any) -> None:
            view.execute("INSERT INTO cursors(name, seq) VALUES(?, 1)", codes[0].code_id)

        (code,) = await site.codes.create([Wish(device_id=site.id_of(), pin=PIN)], "test", also)
        sql = "SELECT name FROM cursors"
        assert await site.hub.journal.database.read(sql) == [(code.code_id,)]
        with pytest.raises(HubError):
            await site.codes.create([Wish(device_id=site.id_of(), pin=PIN)], "test", also)
        assert len(await site.hub.journal.database.read(sql)) == 1


async def test_what_cannot_be_written_is_not_wished(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN)
        await site.wait(5)
        await refuse_writes(site.hub.journal.database)
        with pytest.raises(StoreError):
            await site.codes.update(code.code_id, Change(name="x"), "test")
        with pytest.raises(StoreError):
            await site.codes.delete(code.code_id, "test")
        await take_writes(site.hub.journal.database)
        assert (site.codes.get(code.code_id).name, site.lock().pins()) == (None, {1: PIN})


async def test_a_pool_is_kept_on_the_lock(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.codes.set_pool(site.id_of(), "test", is_wanted=True)
        await site.wait(10)
        assert len(site.lock().pins()) == 2
        guest = await site.wish(pin=PIN, starts_at=site.at(), ends_at=site.at(hours=1))
        pulled = await site.codes.pull_backup(guest.code_id, "test")
        assert site.codes.status(pulled) == "set"
        assert site.codes.pin(pulled) in site.lock().pins().values()
        await site.codes.set_pool(site.id_of(), "test", is_wanted=False)
        await site.wait(10)
        assert sorted(site.lock().pins().values()) == sorted([PIN, site.codes.pin(pulled) or ""])


async def test_what_was_found_is_adopted_and_given_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.network.edit("101", 3, OTHER, is_told=True)
        await site.wait(5)
        (code,) = site.codes.of(site.id_of())
        assert (code.is_managed, site.codes.pin(code)) == (False, OTHER)
        assert (await site.codes.convert(code.code_id, "test")).is_managed
        assert not (await site.codes.convert(code.code_id, "test", is_managed=False)).is_managed
        await site.codes.delete(code.code_id, "test", is_managed=False)
        await site.wait(5)
        assert site.lock().pins() == {}


# -- looking


async def test_a_code_is_found_by_its_id_its_device_and_its_pin(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN)
        assert site.codes.get(code.code_id) == code
        assert site.codes.of(site.id_of()) == site.codes.with_pin(site.id_of(), PIN) == [code]
        assert site.codes.with_pin(site.id_of("102"), PIN) == site.codes.with_pin(site.id_of(), OTHER) == []
        with pytest.raises(NotFoundError) as caught:
            site.codes.get("gone")
        assert (caught.value.code, caught.value.data) == ("access_code_not_found", {"access_code_id": "gone"})


async def test_a_device_without_a_keypad_has_nothing_of_all_this(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.network.living_port.found(
            replace(lock("door"), capabilities=replace(lock("a").capabilities, keypad=None))
        )
        device_id = site.id_of("door")
        await site.network.living_port.publish(CodeSeen(native_id="door", slot=1, is_used=True))
        assert (site.codes.keypad(device_id), site.codes.plan(device_id), site.codes.room(device_id)) == (
            None,
            None,
            None,
        )
        assert (site.codes.keypad("never"), site.codes.of("never"), site.codes.of(device_id)) == (None, [], [])


async def test_a_generated_pin_is_one_that_the_lock_would_take(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.wish(pin=PIN)
        keypad = site.codes.keypad(site.id_of())
        assert keypad is not None
        drawn = [site.codes.generate(site.id_of(), keypad, length) for length in (4, 7, None)]
        assert [len(pin) for pin in drawn] == [4, 7, 6]
        narrow = replace(keypad, rules=("unique_first_four_digits",), min_length=4, max_length=4)
        assert site.codes.generate(site.id_of(), narrow) != PIN[:4]


async def test_what_is_reported_of_a_keypad_is_shown(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.codes.report(site.id_of(), Constraints(lengths=(6,)), "test")
        keypad = site.codes.keypad(site.id_of())
        assert keypad is not None
        assert keypad.code_lengths == (6,)


async def test_room_counts_what_is_on_the_lock(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.wish(pin=PIN)
        await site.wish(pin=OTHER, starts_at=site.at(hours=1), ends_at=site.at(hours=2))
        await site.wait(5)
        room = site.codes.room(site.id_of())
        assert room is not None
        assert (room.slots, room.used_now) == (4, 1)


# -- why


async def test_every_reason_to_wait_has_a_sentence(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN)
        reasons = get_args(plan_module.HoldCode.__value__)
        plain = {reason: site.codes.why(code, Hold(reason)) for reason in reasons}
        dated = {reason: site.codes.why(code, Hold(reason, site.at(), "twin")) for reason in reasons}
        for sentence in (*plain.values(), *dated.values()):
            assert sentence is not None
            assert (sentence[0].isupper(), sentence[-1], "{" in sentence, "None" in sentence) == (
                True,
                ".",
                False,
                False,
            )
        assert len(set(plain.values())) == len(reasons)
        assert "2026-03-01 12:01:00 UTC" in (dated["not_begun"] or "")
        assert site.codes.why(code, Hold("not_begun", site.at()), lambda at: f"at {at:%H}h") is not None


async def test_what_is_as_it_should_be_needs_no_reason(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN)
        assert site.codes.why(code, None) == "It is on its way; the lock has not confirmed it yet."
        await site.wait(5)
        assert site.codes.why(site.codes.get(code.code_id), None) is None
        later = await site.wish(pin=OTHER, starts_at=site.at(hours=1), ends_at=site.at(hours=2))
        assert site.codes.why(later, held(site, later.code_id)) == (
            f"It is put on the lock when it starts, {later.starts_at:%Y-%m-%d %H:%M:%S} UTC."
        )
        assert site.codes.why(replace(later, device_id="never"), None) is None


async def test_a_lock_that_is_away_is_the_reason(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.network.connect("101", online=False)
        code = await site.wish(pin=PIN)
        assert site.codes.why(code, held(site, code.code_id)) == "It does not answer."
        assert site.codes.errors(code, held(site, code.code_id)) == []


async def test_a_twin_on_the_lock_is_an_error_that_names_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        site.lock().takes_twins = False
        await site.network.edit("101", 4, PIN)
        code = await site.wish(pin=PIN)
        await site.wait(3)
        (error,) = site.codes.errors(site.codes.get(code.code_id), held(site, code.code_id))
        assert (error.code, error.conflict_id) == ("duplicate_code_on_device", None)
        await site.network.edit("101", 4, PIN, is_told=True)
        await site.wait(20)
        assert (await site.status(code), site.lock().pins()) == ("set", {4: PIN})
        assert site.codes.errors(site.codes.get(code.code_id), held(site, code.code_id)) == []


async def test_a_full_lock_is_an_error_until_a_slot_is_free(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        for slot in (1, 2, 3):
            await site.network.edit("101", slot, f"1837{slot}5", is_told=True)
        await site.wait(10)
        first = await site.wish(pin=PIN)
        await site.wait(5)
        await site.codes.delete(first.code_id, "test")
        await site.network.connect("101", online=False)
        second = await site.wish(pin=OTHER)
        (error,) = site.codes.errors(second, held(site, second.code_id))
        assert error.code == "no_space_for_access_code_on_device"
        await site.network.connect("101", online=True)
        await site.wait(10)
        assert await site.status(second) == "set"
        assert site.codes.errors(second, held(site, second.code_id)) == []


# -- waiting


async def test_a_wait_ends_when_the_code_is_as_it_should_be(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN)
        waiting = asyncio.create_task(site.codes.settle(code.code_id, 10))
        await settle()
        assert not waiting.done()
        await site.wait(2)
        assert waiting.done()
        await waiting
        assert await site.status(code) == "set"


async def test_a_wait_ends_when_the_code_is_gone_or_was_never_there(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN)
        await site.wait(2)
        await site.codes.delete(code.code_id, "test")
        waiting = asyncio.create_task(site.codes.settle(code.code_id, 10))
        await site.wait(2)
        assert waiting.done()
        await waiting
        await site.codes.settle(code.code_id, 10)


async def test_a_wait_ends_when_it_fails(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        site.lock().fault = "refuse"
        code = await site.wish(pin=PIN)
        waiting = asyncio.create_task(site.codes.settle(code.code_id, 60))
        await site.wait(2)
        assert waiting.done()
        await waiting
        assert [error.code for error in site.codes.errors(site.codes.get(code.code_id), None)] == [
            "failed_to_set_on_device"
        ]


async def test_a_wait_is_bounded(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        await site.network.connect("101", online=False)
        code = await site.wish(pin=PIN)
        waiting = asyncio.create_task(site.codes.settle(code.code_id, 10))
        await site.wait(9.9)
        assert not waiting.done()
        await site.wait(0.2)
        assert waiting.done()
        await waiting
        await site.codes.settle(code.code_id, 0)


async def test_a_code_that_waits_for_its_time_is_not_waited_for(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN, starts_at=site.at(hours=1), ends_at=site.at(hours=2))
        await site.codes.settle(code.code_id, 10)
        assert site.codes.status(code) == "unset"


# -- what drivers tell


async def test_a_use_of_a_code_is_told_with_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        code = await site.wish(pin=PIN)
        await site.wait(5)
        await site.network.living_port.publish(
            LockSeen(native_id="101", locked=False, method="keycode", user_slot=1),
        )
        rows = [row for row in await site.hub.journal.rows(0, 1000) if row.type == "lock.changed"]
        assert [row.event.code_id for row in rows] == [code.code_id]  # type: ignore[union-attr]


async def test_how_long_it_takes_is_by_what_is_before_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as site:
        codes = [await site.wish(name, pin=PIN) for name in ("101", "102")]
        await site.wait(0)
        assert [site.codes.expected_wait(code) for code in codes] == [site.codes.backlog("radio").seconds] * 2
        assert site.codes.backlog("radio").steps == 2
        record = site.hub.devices[site.id_of()]
        assert site.codes.reconciler.expected_wait(record, Priority.END) == 0
