"""S23, two ways in: one lock behind two drivers is noticed, and one of the two manages its codes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.process import daemon_process

pytestmark = [pytest.mark.scenario, pytest.mark.node]

PATIENCE = 20.0


def drivers(url: str) -> str:
    """Two connections to one network, as when a table was copied and forgotten."""
    return "\n".join(f'[drivers.{name}]\ntype = "zwave"\nurl = "{url}"' for name in ("front", "back"))


async def known(client: HttpCaller) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the locks by driver instance and the end of their native id."""
    found = (await client.ok("/hub/devices/list"))["devices"]
    return {(one["instance"], one["own_name"]): one for one in found}


async def noticed(client: HttpCaller) -> list[dict[str, Any]]:
    """Return the journal's rows about duplicates."""
    rows = (await client.ok("/hub/journal", {"limit": 1000}))["rows"]
    return [row for row in rows if row["type"] == "device.duplicate_noticed"]


def warning(device: dict[str, Any]) -> dict[str, Any]:
    """Return its one warning."""
    (found,) = device["warnings"]
    assert (found["warning_code"], found["hub_code"]) == ("provider_issue", "duplicate_hardware")
    return dict(found)


async def test_one_network_behind_two_drivers(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, (2, 3))
    async with ZwaveNetwork(nodes=(2, 3), cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        await network.wait_ready()
        async with daemon_process(tmp_path, drivers(network.url)) as daemon:
            async with client_of_process(daemon) as client:
                first = await each_names_the_other(client)
            await daemon.stop()
            await daemon.start()
            async with client_of_process(daemon) as client:
                assert await each_names_the_other(client) == first
                await an_order_through_one_is_seen_through_both(client)
                await the_other_takes_over(client, first)


async def each_names_the_other(client: HttpCaller) -> dict[str, str]:
    """Check the warnings and the journal; return who manages the codes of each lock, by its own name."""
    found = await known(client)
    names = {name for _, name in found}
    assert len(found) == 2 * len(names) == 4
    managers = {}
    for name in names:
        one, other = found["front", name], found["back", name]
        for mine, its in ((one, other), (other, one)):
            assert mine["duplicates"] == [
                {"device_id": its["device_id"], "instance": its["instance"], "name": its["name"]}
            ]
            shown = (await client.ok("/devices/get", {"device_id": mine["device_id"]}))["device"]
            assert warning(shown)["device_ids"] == [its["device_id"]]
            assert warning(shown)["code_manager_id"] == mine["code_manager_id"] == its["code_manager_id"]
            assert f"“{its['name']}” of {its['instance']}" in warning(shown)["message"]
        managers[name] = min((one, other), key=lambda device: device["found_at"])["device_id"]
        assert one["code_manager_id"] == managers[name]
    rows = await noticed(client)
    assert sorted(sorted(row["body"]["device_ids"]) for row in rows) == sorted(
        sorted(found[instance, name]["device_id"] for instance in ("front", "back")) for name in names
    )
    return managers


async def an_order_through_one_is_seen_through_both(client: HttpCaller) -> None:
    name = min(name for _, name in await known(client))
    front, back = [(await known(client))[instance, name]["device_id"] for instance in ("front", "back")]
    for path, locked in (("/locks/lock_door", True), ("/locks/unlock_door", False)):
        attempt = (await client.ok(path, {"device_id": front}))["action_attempt"]
        assert attempt["status"] == "success"

        async def is_so(*, expected: bool = locked) -> bool:
            shown = (await client.ok("/devices/get", {"device_id": back}))["device"]
            return bool(shown["properties"].get("locked") is expected)

        await until(is_so, PATIENCE)


async def the_other_takes_over(client: HttpCaller, managers: dict[str, str]) -> None:
    name, manager = min(managers.items())
    (other,) = [
        one["device_id"]
        for (_, own), one in (await known(client)).items()
        if own == name and one["device_id"] != manager
    ]
    await client.ok("/devices/update", {"device_id": manager, "is_managed": False})
    shown = (await client.ok("/devices/get", {"device_id": other}))["device"]
    assert warning(shown)["code_manager_id"] == other
    await client.ok("/devices/delete", {"device_id": manager})
    assert (await client.ok("/devices/get", {"device_id": other}))["device"]["warnings"] == []
