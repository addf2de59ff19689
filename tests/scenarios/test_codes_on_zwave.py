"""S10 to S22 on the emulated Z-Wave network: three keypads, and faults made at the lock.

Node 2 has User Code without encryption, node 3 User Credential under S2, node 5 the device file of a Schlage under S0.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hubd_drivers.zwave.codes.hints import ECHO_SECONDS

from tests.drivers.zwave.conftest import LOCKS, SharedNetwork
from tests.scenarios.client import client_of_process, until
from tests.scenarios.doors import door
from tests.support.process import daemon_process

pytestmark = [pytest.mark.scenario, pytest.mark.node]

KEYPADS = pytest.mark.parametrize("node", [2, 3, 5], ids=["user-code", "s2-credential", "s0-schlage"])
PIN, OTHER = "4829", "7153"
KILLS = 5
QUICK = 0.002
"""Hours for a round over 30 slots: four in a second."""


@pytest.fixture
async def network(module_network: SharedNetwork) -> AsyncIterator[SharedNetwork]:
    await module_network.restore()
    yield module_network
    await module_network.restore()


@KEYPADS
async def test_s10_lifecycle(network: SharedNetwork, tmp_path: Path, node: int) -> None:
    async with door(tmp_path, network, node) as keypad:
        code = await keypad.create(name="Cleaner", code=PIN)
        assert (code["code"], code["type"], code["status"]) == (PIN, "ongoing", "setting")
        await keypad.becomes(code, "set")
        assert list((await keypad.pins()).values()) == [PIN]
        await keypad.delete(code)
        await keypad.becomes(code, "gone")
        assert await keypad.pins() == {}
        expected = ["created", "set_on_device", "mutations_requested", "removed_from_device", "deleted"]
        assert await keypad.told(code) == expected


async def test_s11_a_check_in_is_moved_forward_and_back(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 2) as keypad:
        code = await keypad.create(code=PIN, starts_at=keypad.at(hours=8), ends_at=keypad.at(hours=20))
        assert ((await keypad.code(code))["status"], await keypad.pins()) == ("unset", {})
        await keypad.update(code, starts_at=keypad.at(minutes=-1), ends_at=keypad.at(hours=20))
        await keypad.becomes(code, "set")
        (slot,) = await keypad.pins()
        await keypad.update(code, starts_at=keypad.at(minutes=-1), ends_at=keypad.at(hours=30))
        assert (await keypad.code(code))["status"] == "set"
        await keypad.update(code, starts_at=keypad.at(hours=2), ends_at=keypad.at(hours=30))
        await keypad.becomes(code, "unset")
        assert await keypad.pins() == {}
        keypad.clock.ahead += timedelta(hours=2, seconds=1)
        await keypad.becomes(code, "set")
        assert await keypad.pins() == {slot: PIN}
        codes = (await keypad.client.ok("/access_codes/list", {"device_id": keypad.device_id}))["access_codes"]
        assert [one["access_code_id"] for one in codes] == [code["access_code_id"]]
        frames = await network.op("code_frames", node=2)
        assert frames["UserCodeCCSet"] == 3, "set, removed, set: an end that is moved needs no radio"


@KEYPADS
async def test_s12_a_pin_that_is_on_the_lock_already(network: SharedNetwork, tmp_path: Path, node: int) -> None:
    async with door(tmp_path, network, node) as keypad:
        await network.op("local_code", node=node, slot=3, code=PIN, report=True)
        found = await keypad.finds(PIN)
        wish = {"device_id": keypad.device_id, "code": PIN}
        error = await keypad.client.refused("/access_codes/create", wish)
        assert (error["status"], error["type"]) == (409, "duplicate_access_code")
        assert error["data"]["unmanaged_access_code_id"] == found["access_code_id"]
        code = await keypad.create(name="Guest")
        assert code["code"] != PIN
        await keypad.becomes(code, "set")


async def test_s13_a_code_that_somebody_removed_is_put_back(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 2, sweep_hours=QUICK) as keypad:
        code = await keypad.create(code=PIN)
        await keypad.becomes(code, "set")
        await network.op("local_code", node=2, slot=1, code=None, report=False)
        await keypad.hears("access_code.deleted_external_to_seam", 90)
        await keypad.holds({PIN})
        await keypad.becomes(code, "set")


async def test_s13_a_code_that_somebody_changed_is_put_back(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 2) as keypad:
        code = await keypad.create(code=PIN)
        await keypad.becomes(code, "set")
        await asyncio.sleep(ECHO_SECONDS)  # what is said of the slot before may be of the hub's own doing
        await network.op("local_code", node=2, slot=1, code=OTHER, report=True)
        await keypad.hears("access_code.modified_external_to_seam")
        conflict = (await keypad.code(code))["errors"]
        assert [error["error_code"] for error in conflict] in ([], ["conflicting_external_modification"])
        await keypad.holds({PIN})
        await keypad.becomes(code, "set")


async def test_s13_a_change_that_is_allowed_is_taken_over(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 2) as keypad:
        code = await keypad.create(code=PIN, is_external_modification_allowed=True)
        await keypad.becomes(code, "set")
        await asyncio.sleep(ECHO_SECONDS)  # what is said of the slot before may be of the hub's own doing
        await network.op("local_code", node=2, slot=1, code=OTHER, report=True)
        await keypad.hears("access_code.modified_external_to_seam")

        async def is_taken_over() -> bool:
            return bool((await keypad.code(code))["code"] == OTHER)

        await until(is_taken_over, 20)
        assert await keypad.pins() == {1: OTHER}


async def test_s14_a_lock_that_was_away_gets_what_it_should_have_and_nothing_else(
    network: SharedNetwork, tmp_path: Path
) -> None:
    async with door(tmp_path, network, 2) as keypad:
        old = await keypad.create(code="1111222")
        await keypad.becomes(old, "set")
        await network.op("dead", node=2)
        answer = await keypad.client.ok("/locks/lock_door", {"device_id": keypad.device_id})
        assert answer["action_attempt"]["error"]["type"] == "device_unreachable"
        await keypad.delete(old)
        short = await keypad.create(code="3333444", starts_at=keypad.at(), ends_at=keypad.at(hours=1))
        stay = await keypad.create(code="5555666")
        later = await keypad.create(code="7777888", starts_at=keypad.at(hours=5), ends_at=keypad.at(hours=9))
        assert ((await keypad.code(old))["status"], (await keypad.code(stay))["status"]) == ("removing", "setting")
        mutation = (await keypad.code(stay))["pending_mutations"][0]
        assert "does not answer" in mutation["message"], "the reason why it waits"
        keypad.clock.ahead += timedelta(hours=2)
        await keypad.becomes(short, "gone")
        await network.op("code_frames", node=2, reset=True)
        await network.op("dead", node=2, on=False)
        await network.op("manual", node=2, locked=False)
        await keypad.becomes(stay, "set")
        await keypad.becomes(old, "gone")
        assert list((await keypad.pins()).values()) == ["5555666"]
        assert (await keypad.code(later))["status"] == "unset"
        frames = await network.op("code_frames", node=2)
        assert frames["UserCodeCCSet"] == 2, "one to remove, one to set"


@KEYPADS
async def test_s16_a_lock_that_does_not_keep_what_it_accepted(
    network: SharedNetwork, tmp_path: Path, node: int
) -> None:
    async with door(tmp_path, network, node) as keypad:
        await network.op("faults", node=node, rejectSets=True)
        code = await keypad.create(code=PIN)
        event = await keypad.hears("access_code.failed_to_set_on_device", 40)
        assert event["access_code_id"] == code["access_code_id"]
        failed = await keypad.code(code)
        assert failed["status"] == "setting"
        assert [error["error_code"] for error in failed["errors"]] == ["failed_to_set_on_device"]
        await network.op("faults", node=node)
        await keypad.becomes(code, "set", 60)
        assert (await keypad.code(code))["errors"] == []


@KEYPADS
async def test_s17_each_use_names_its_code_and_one_out_of_time_is_an_alarm(
    network: SharedNetwork, tmp_path: Path, node: int
) -> None:
    async with door(tmp_path, network, node) as keypad:
        code = await keypad.create(code=PIN, starts_at=keypad.at(), ends_at=keypad.at(hours=1))
        await keypad.becomes(code, "set")
        (slot,) = await keypad.pins()
        await network.op("keypad", node=node, locked=False, user=slot)
        use = await keypad.hears("lock.unlocked")
        assert (use["method"], use["access_code_id"]) == ("keycode", code["access_code_id"])
        assert use["access_code_is_managed"] is True
        await network.op("manual", node=node, locked=True)
        await keypad.hears("lock.locked")
        await network.op("faults", node=node, rejectSets=True)
        keypad.clock.ahead += timedelta(hours=1)
        await keypad.becomes(code, "removing")
        await network.op("keypad", node=node, locked=False, user=slot)
        alarm = await keypad.hears("access_code.used_outside_time_frame")
        assert alarm["access_code_id"] == code["access_code_id"]
        await network.op("faults", node=node)
        await keypad.becomes(code, "gone", 60)
        assert await keypad.pins() == {}


@KEYPADS
async def test_s21_codes_set_by_hand_are_listed_adopted_and_never_touched_unasked(
    network: SharedNetwork, tmp_path: Path, node: int
) -> None:
    await network.op("local_code", node=node, slot=5, code=OTHER, report=False)
    async with door(tmp_path, network, node) as keypad:
        await network.op("local_code", node=node, slot=3, code=PIN, report=True)

        found = await keypad.finds(PIN)
        own = await keypad.create()
        await keypad.becomes(own, "set")
        assert {PIN, OTHER} <= set((await keypad.pins()).values())
        convert = {"access_code_id": found["access_code_id"]}
        for _ in range(2):
            await keypad.client.ok("/access_codes/unmanaged/convert_to_managed", convert)
        adopted = await keypad.code(found)
        assert (adopted["is_managed"], adopted["status"], adopted["code"]) == (True, "set", PIN)
        await keypad.delete(adopted)
        await keypad.becomes(adopted, "gone")
        assert PIN not in (await keypad.pins()).values()


async def test_s70_the_daemon_is_killed_at_any_instant(network: SharedNetwork, tmp_path: Path) -> None:
    """What was accepted is on the locks in the end, once, and what was deleted is not."""
    chance = random.Random(20261122)
    drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ncontroller_check_seconds = 0.5\n'
    wished: dict[str, tuple[str, str]] = {}
    async with daemon_process(tmp_path, drivers) as daemon:
        for _ in range(KILLS):
            async with client_of_process(daemon) as client:
                locks = [one for one in (await client.ok("/locks/list"))["locks"] if one["properties"]["online"]]
                for lock in locks:
                    code = (await client.ok("/access_codes/create", {"device_id": lock["device_id"]}))["access_code"]
                    wished[code["access_code_id"]] = (lock["device_id"], code["code"])
                if len(wished) > len(locks):
                    spent = chance.choice(list(wished))
                    await client.ok("/access_codes/delete", {"access_code_id": spent})
                    del wished[spent]
                await asyncio.sleep(chance.uniform(0.0, 2.0))
            await daemon.kill()
            await daemon.start()
        async with client_of_process(daemon) as client:

            async def all_are_set() -> bool:
                codes = (await client.ok("/access_codes/list"))["access_codes"]
                return {code["access_code_id"]: code["status"] for code in codes} == dict.fromkeys(wished, "set")

            await until(all_are_set, 60)
            events = (await client.ok("/events/list", {"limit": 1000, "since": "2020-01-01T00:00:00Z"}))["events"]
        created = [event["access_code_id"] for event in events if event["event_type"] == "access_code.created"]
        assert len(created) == len(set(created)) == KILLS * len(LOCKS)
    held = [pin for node in LOCKS for pin in (await network.op("codes", node=node)).values()]
    assert sorted(held) == sorted(pin for _, pin in wished.values())


async def test_s15_a_full_lock_says_by_what(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 3) as keypad:
        codes = [await keypad.create(name=f"Guest {number}") for number in range(16)]
        for code in codes:
            await keypad.becomes(code, "set")
        device = (await keypad.client.ok("/devices/get", {"device_id": keypad.device_id}))["device"]
        (warning,) = [one for one in device["warnings"] if one["warning_code"] == "max_access_codes_reached"]
        assert (warning["active_access_code_count"], warning["max_active_access_code_count"]) == (16, 20)
        for number in range(16, 20):
            await keypad.create(name=f"Guest {number}")
        error = await keypad.client.refused("/access_codes/create", {"device_id": keypad.device_id})
        assert error["type"] == "no_space_for_access_code_on_device"
        assert "Guest 3" in error["message"], "it names what is on the lock"
        await keypad.delete(codes[3])
        last = await keypad.create(name="Last")
        await keypad.becomes(last, "set")
        assert len(await keypad.pins()) == 20


async def test_s18_a_backup_code_works_at_once(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 2) as keypad:
        frame = {"starts_at": keypad.at(), "ends_at": keypad.at(hours=2)}
        code = await keypad.create(**frame, use_backup_access_code_pool=True)
        await keypad.becomes(code, "set")

        async def is_ready() -> bool:
            return bool((await keypad.code(code))["is_backup_access_code_available"])

        await until(is_ready, 20)
        pull = {"access_code_id": code["access_code_id"]}
        backup = (await keypad.client.ok("/access_codes/pull_backup_access_code", pull))["access_code"]
        assert (backup["is_backup"], backup["status"], backup["ends_at"]) == (True, "set", code["ends_at"])
        assert {backup["code"], code["code"]} <= set((await keypad.pins()).values())
        again = (await keypad.client.ok("/access_codes/pull_backup_access_code", pull))["access_code"]
        assert again["access_code_id"] == backup["access_code_id"]
        keypad.clock.ahead += timedelta(hours=2)
        await keypad.becomes(backup, "gone")
        assert backup["code"] not in (await keypad.pins()).values()


async def test_s19_one_dead_lock_holds_no_other(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 2) as keypad:
        await network.op("dead", node=2)
        locks = [one["device_id"] for one in (await keypad.client.ok("/locks/list"))["locks"]]
        wish = {"device_ids": locks, "name": "Staff"}
        made = (await keypad.client.ok("/access_codes/create_multiple", wish))["access_codes"]
        assert len({code["code"] for code in made}) == 1
        for code in made:
            if code["device_id"] != keypad.device_id:
                await keypad.becomes(code, "set")
        again = (await keypad.client.ok("/access_codes/create_multiple", wish))["access_codes"]
        assert {code["access_code_id"] for code in again} == {code["access_code_id"] for code in made}
        await network.op("dead", node=2, on=False)
        await network.op("manual", node=2, locked=False)
        for code in made:
            await keypad.becomes(code, "set", 40)
        held = [await network.op("codes", node=node) for node in LOCKS]
        assert {tuple(pins.values()) for pins in held} == {(made[0]["code"],)}


async def test_s20_the_times_of_a_removed_code_can_be_seen(network: SharedNetwork, tmp_path: Path) -> None:
    async with door(tmp_path, network, 2) as keypad:
        code = await keypad.create(code=PIN, starts_at=keypad.at(), ends_at=keypad.at(hours=2))
        await keypad.becomes(code, "set")
        await keypad.update(code, starts_at=keypad.at(), ends_at=keypad.at(hours=1))
        keypad.clock.ahead += timedelta(hours=1)
        await keypad.becomes(code, "gone")
        wanted = {"access_code_id": code["access_code_id"]}
        entries = (await keypad.client.ok("/access_codes/get_timeline", wanted))["timeline_events"]
        types = {entry["event_type"].removeprefix("access_code.") for entry in entries}
        assert types >= {"created", "set_on_device", "time_frame_changed", "removed_from_device", "deleted"}
        assert code["ends_at"] in str(entries), "the old time"
        assert PIN not in str([{**entry, "access_code_id": ""} for entry in entries])
