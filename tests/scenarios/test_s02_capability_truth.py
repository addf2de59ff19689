"""S02, capability truth: flags are what the device offers; a command outside them is refused, and the flag named."""

import asyncio
from pathlib import Path

import pytest

from tests.scenarios.client import client_of, devices
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, FIRST_MODEL, ZwaveNetwork
from tests.support.site import running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

LOCK, THERMOSTAT = 2, 4
OPENER = Path(__file__).parents[1] / "fixtures" / "devices" / "unlisted-door-opener.json"
"""A door opener: as a lock it only unlocks, and only for a while."""
FLAGS = ("can_remotely_lock", "can_remotely_unlock")


async def test_a_door_opener_that_can_only_unlock(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, (LOCK, THERMOSTAT))
    wanted = (LOCK, THERMOSTAT)
    async with ZwaveNetwork(
        nodes=wanted, models=[OPENER], cache=cache, directory=tmp_path / "zwave", pace=FAST
    ) as network:
        await network.wait_ready()
        keys = 'command_timeout = 2.0\ninclude_kinds = ["lock", "thermostat"]'
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n{keys}\n'
        async with running_site(tmp_path / "data", drivers) as site:
            client = client_of(site)
            found = {name.rpartition("-")[2]: device for name, device in (await devices(client)).items()}
            flags = {name: [flag for flag in FLAGS if device.get(flag)] for name, device in found.items()}
            assert flags[str(LOCK)] == list(FLAGS)
            assert flags[str(FIRST_MODEL)] == ["can_remotely_unlock"]
            assert flags[str(THERMOSTAT)] == []

            opener = {"device_id": found[str(FIRST_MODEL)]["device_id"]}
            refusal = await client.refused("/locks/lock_door", opener)
            assert refusal["type"] == "not_supported"
            assert "can_remotely_lock" in refusal["message"]
            assert refusal["data"]["flag"] == "can_remotely_lock"
            no_lock = await client.refused("/locks/unlock_door", {"device_id": found[str(THERMOSTAT)]["device_id"]})
            assert "not a lock" in no_lock["message"]
            assert (await client.ok("/action_attempts/list"))["action_attempts"] == []
            assert await network.op("lock_sets", node=FIRST_MODEL) == 0

            attempt = (await client.ok("/locks/unlock_door", opener))["action_attempt"]
            assert (attempt["status"], attempt["error"]) == ("success", None)
            assert await network.op("lock_sets", node=FIRST_MODEL) == 1
