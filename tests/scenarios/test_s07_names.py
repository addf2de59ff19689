"""S07, names: the nickname and the device's own name are both visible, and the own name is never lost."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, SCHEMA, ZwaveNetwork
from tests.support.site import running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

OWN = "Door lock 7e570001-2"


async def rename(network: ZwaveNetwork, name: str) -> None:
    """Name the node in zwave-js, as somebody with its own page does."""
    async with aiohttp.ClientSession() as session, session.ws_connect(network.url, max_msg_size=0) as socket:
        await socket.send_json({"messageId": "1", "command": "initialize", "schemaVersion": SCHEMA})
        await socket.send_json({"messageId": "2", "command": "node.set_name", "nodeId": 2, "name": name})
        async for message in socket:
            answer = message.json()
            if answer.get("messageId") == "2":
                assert answer["success"], answer
                return


async def names(client: HttpCaller) -> tuple[str, str | None, str]:
    """Return the name that is shown, the nickname and the device's own name."""
    (device,) = (await client.ok("/devices/list"))["devices"]
    assert device["properties"]["name"] == device["display_name"]
    return device["display_name"], device.get("nickname"), device["properties"]["appearance"]["name"]


async def told(client: HttpCaller) -> list[str]:
    """Return the names in the events about names, oldest first; own names as they are now."""
    events = (await client.ok("/events/list", {"event_type": "device.name_changed"}))["events"]
    return [event["device_name"] for event in events]


async def test_nickname_and_own_name(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, (2,))
    async with ZwaveNetwork(nodes=(2,), cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        await network.wait_ready()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n'
        async with running_site(tmp_path / "data", drivers) as site:
            client = client_of(site)
            device: dict[str, Any] = (await client.ok("/devices/list"))["devices"][0]

            async def call_it(name: str | None) -> None:
                await client.ok("/devices/update", {"device_id": device["device_id"], "name": name})

            async def become(shown: str, nickname: str | None, own: str) -> None:
                async def is_so() -> bool:
                    return await names(client) == (shown, nickname, own)

                await until(is_so, 10.0)

            assert await names(client) == (OWN, None, OWN)
            await call_it("Room 101")
            assert await names(client) == ("Room 101", "Room 101", OWN)
            await call_it(None)
            assert await names(client) == (OWN, None, OWN)

            await rename(network, "Back door")
            await become("Back door", None, "Back door")
            assert (await told(client))[::2] == ["Room 101", "Back door"]
            await call_it("Room 101")
            await rename(network, "Cellar")
            await become("Room 101", "Room 101", "Cellar")
            assert len(await told(client)) == 4
            await call_it(None)
            assert await names(client) == ("Cellar", None, "Cellar")
            await rename(network, "")
            await become(OWN, None, OWN)
        async with running_site(tmp_path / "data", drivers) as site:
            assert await names(client_of(site)) == (OWN, None, OWN)
            assert len(await told(client_of(site))) == 6
