"""S53, opt-in: what a driver finds is managed only if the site wants its kind or names it; the rest is shown apart."""

from pathlib import Path
from typing import Any

import pytest

from hubd.model.device import DeviceDescription
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, client_of_process, devices
from tests.sims.zwave.harness import ZwaveNetwork
from tests.support.process import daemon_process
from tests.support.site import running_site

pytestmark = pytest.mark.scenario

SITE = '[drivers.site]\ntype = "virtual"\nlocks = 3\nthermostats = 2\nlatency_ms = 0\n'
LOCKS = {"Room 101", "Room 102", "Room 103"}
CLIMATES = {"Climate 101", "Climate 102"}


async def unmanaged(client: HttpCaller) -> dict[str, dict[str, Any]]:
    found = (await client.ok("/devices/unmanaged/list"))["devices"]
    return {device["display_name"]: device for device in found}


@pytest.mark.parametrize(
    ("keys", "managed"),
    [
        ("", LOCKS | CLIMATES),
        ('include_kinds = ["lock"]', LOCKS),
        ('include_kinds = ["thermostat"]', CLIMATES),
        ("include_kinds = []", set()),
        ('exclude_kinds = ["lock"]', CLIMATES),
        ('include_kinds = ["lock"]\ninclude_ids = ["thermostat-2"]', {*LOCKS, "Climate 102"}),
        ('include_kinds = ["lock"]\nexclude_ids = ["lock-2", "lock-3"]', {"Room 101"}),
        ('exclude_kinds = ["lock"]\ninclude_ids = ["lock-1"]', CLIMATES),
        ('include_kinds = []\ninclude_ids = ["lock-1", "no-such-device"]', {"Room 101"}),
    ],
)
async def test_filters_by_kind_and_id(tmp_path: Path, keys: str, managed: set[str]) -> None:
    async with running_site(tmp_path, f"{SITE}{keys}\n") as site:
        client = client_of(site)
        assert set(await devices(client)) == managed
        assert set(await unmanaged(client)) == (LOCKS | CLIMATES) - managed
        events = (await client.ok("/events/list", {"event_type": "device.added"}))["events"]
        ids = {device["device_id"] for device in (await devices(client)).values()}
        assert {event["device_id"] for event in events} == ids


async def test_a_new_kind_is_not_managed_unless_wanted(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE) as site:
        client = client_of(site)
        await site.hub.found("site", DeviceDescription("box-1", "other", "zwave_device", "Doorbell"), ())
        assert "Doorbell" not in await devices(client)
        doorbell = (await unmanaged(client))["Doorbell"]
        await client.ok("/devices/unmanaged/update", {"device_id": doorbell["device_id"], "is_managed": True})
        assert "Doorbell" in await devices(client)


async def test_a_changed_config_takes_away_but_gives_nothing_unasked(tmp_path: Path) -> None:
    """What the config excludes is let go at once; what it merely allows stays as people left it."""
    async with running_site(tmp_path, f'{SITE}include_kinds = ["lock"]\n') as site:
        before = await devices(client_of(site))
    async with running_site(tmp_path, f'{SITE}exclude_ids = ["lock-1"]\n') as site:
        client = client_of(site)
        assert set(await devices(client)) == {"Room 102", "Room 103"}
        excluded = (await unmanaged(client))["Room 101"]
        assert excluded["device_id"] == before["Room 101"]["device_id"]
        error = await client.refused("/devices/update", {"device_id": excluded["device_id"], "is_managed": True})
        assert error["type"] == "device_excluded_by_config"
        events = (await client.ok("/events/list", {"event_type": "device.converted_to_unmanaged"}))["events"]
        assert [event["device_id"] for event in events] == [excluded["device_id"]]
    async with running_site(tmp_path, SITE) as site:
        client = client_of(site)
        assert set(await devices(client)) == {"Room 102", "Room 103"}
        await client.ok("/devices/unmanaged/update", {"device_id": excluded["device_id"], "is_managed": True})
        assert set(await devices(client)) == LOCKS


@pytest.mark.node
async def test_a_thermostat_beside_the_locks_of_a_zwave_network(zwave_network: ZwaveNetwork, tmp_path: Path) -> None:
    drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{zwave_network.url}"\n'
    async with daemon_process(tmp_path, drivers) as daemon, client_of_process(daemon) as client:
        assert {device["capabilities_supported"][0] for device in (await devices(client)).values()} == {"lock"}
        (thermostat,) = (await unmanaged(client)).values()
        assert "thermostat" in thermostat["capabilities_supported"]
        (account,) = (await client.ok("/connected_accounts/list"))["connected_accounts"]
        assert account["accepted_capabilities"] == ["lock"]
