"""S04 and S08 for doors: the server is lost, every door behind it says so in ten seconds, and it is one incident."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.salto_space.sim import Stp, Wiring, big_site

from tests.scenarios.client import until
from tests.scenarios.space import NOTICED, TRANSPORTS, Premises, premises

pytestmark = pytest.mark.scenario

AT_ONCE = 1.0
"""Seconds that an order to a door behind a dead server may take to fail; a slow test machine, not a network."""
DOORS = 800
FIELD: dict[str, Any] = {"poll_seconds": 5.0, "audit_seconds": 10.0, "sync_seconds": 300.0, "timeout": 10.0}
"""What a site has that sets nothing: nothing is shortened where it is measured how soon a loss shows."""
ABOUT_PRESENCE = ("device.", "acs_entrance.", "acs_encoder.", "acs_system.", "connected_account.")


async def all_cut_off(home: Premises) -> bool:
    entrances = (await home.entrances()).values()
    return all([error["error_code"] for error in one["errors"]] == ["acs_system_disconnected"] for one in entrances)


@pytest.mark.parametrize("way", list(TRANSPORTS))
async def test_doors_of_a_server_that_is_gone_say_so(way: str, tmp_path: Path) -> None:
    async with premises(tmp_path, TRANSPORTS[way], **FIELD) as home:
        assert all(one["errors"] == [] for one in (await home.entrances()).values())
        await home.space.stop()
        stopped = time.monotonic()
        await until(lambda: all_cut_off(home), NOTICED)
        assert time.monotonic() - stopped < NOTICED
        (error,) = (await home.entrance("Pool"))["errors"]
        assert "Nothing listens at" in error["message"]
        body = {"acs_entrance_id": (await home.entrance("Pool"))["acs_entrance_id"]}
        before = time.monotonic()
        attempt = (await home.client.ok("/acs/entrances/unlock", body))["action_attempt"]
        assert time.monotonic() - before < AT_ONCE
        assert (attempt["status"], attempt["error"]["type"]) == ("error", "hub_disconnected")
        assert attempt["error"]["detail"]["hop"] == "server"
        (problem,) = (await home.system())["errors"]
        assert problem["error_code"] == "acs_system_disconnected"

        await home.space.start()
        await until(home.is_connected, 30.0)
        assert (await home.unlock("Pool"))["status"] == "success"
        assert [one.door_id for one in home.space.opened] == [home.floor.door_id("Pool")]


async def test_a_server_that_takes_the_question_and_never_answers_counts_as_lost(tmp_path: Path) -> None:
    async with premises(tmp_path, poll_seconds=1.0, timeout=3.0) as home:
        home.space.hang = True
        await until(lambda: all_cut_off(home), NOTICED)
        assert "does not answer" in (await home.system())["errors"][0]["message"]
        home.space.hang = False
        await until(home.is_connected, 30.0)


async def test_one_door_out_of_reach_is_that_door_alone(tmp_path: Path) -> None:
    async with premises(tmp_path, hub="offline_grace_seconds = 0") as home:
        gym, lost, began = home.floor.door_id("Gym"), await home.entrance("Gym"), home.live.hub.clock.now().isoformat()
        home.space.operator.loses(gym)

        async def is_lost() -> bool:
            return [one["error_code"] for one in (await home.entrance("Gym"))["errors"]] == [
                "acs_entrance_disconnected"
            ]

        await home.sees(is_lost)
        others = {name: one["errors"] for name, one in (await home.entrances()).items() if name != "Gym"}
        assert set(map(len, others.values())) == {0}
        assert "batteries" in (await home.entrance("Gym"))["errors"][0]["message"]
        attempt = await home.unlock("Gym")
        assert attempt["status"] == "error"
        assert home.space.opened == []
        home.space.operator.regains(gym)

        async def is_back() -> bool:
            return not (await home.entrance("Gym"))["errors"]

        await home.sees(is_back)
        told = [
            one["event_type"]
            for one in await home.events("acs_entrance.disconnected", "acs_entrance.connected")
            if one["acs_entrance_id"] == lost["acs_entrance_id"] and one["occurred_at"] > began
        ]
        assert told == ["acs_entrance.disconnected", "acs_entrance.connected"]


@pytest.mark.timeout(120)
async def test_800_doors_are_one_incident(tmp_path: Path) -> None:
    """With a grace of two seconds: no door may raise an alarm of its own, neither on the way down nor up."""
    site = await asyncio.to_thread(big_site, 20, DOORS)
    for name in ("Online door 1", "Online door 2"):
        assert site.locks[site.door_id(name)].wiring is not Wiring.OFFLINE
    async with premises(tmp_path, Stp(), site=site, hub="offline_grace_seconds = 2", poll_seconds=0.5) as home:
        assert len(await home.entrances()) == DOORS
        before = (await home.client.ok("/hub/journal", {"limit": 1}))["head"]
        await home.space.stop()
        await until(lambda: all_cut_off(home), NOTICED)

        async def is_told() -> bool:
            return bool(await home.events("acs_system.disconnected"))

        await until(is_told, NOTICED)
        await home.space.start()
        await until(home.is_connected, 30.0)

        async def works() -> bool:
            return all(one["errors"] == [] for one in (await home.entrances()).values())

        await until(works, NOTICED)

        async def is_back() -> bool:
            return len(await home.events("acs_system.connected")) == 2

        await until(is_back, NOTICED)
        rows = (await home.client.ok("/hub/journal", {"after": before, "limit": 1000}))["rows"]
        public = Counter(row["event_type"] for row in rows if (row["event_type"] or "").startswith(ABOUT_PRESENCE))
        assert public == {"acs_system.disconnected": 1, "acs_system.connected": 1}
        assert not [one for one in home.live.hub.devices.values() if one.untold_since is not None], "no more to come"
        assert len(rows) < DOORS / 10, Counter(row["type"] for row in rows)
