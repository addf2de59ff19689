from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from hubd.model.device import DeviceDescription
from hubd.model.seen import BatterySeen, LockSeen
from tests.hubd.api.harness import Api, instance, running_api

LOCK = "lock-1"
SAME = ("serial:acme:1",)


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A hub with one simulated lock, and its API."""
    async with running_api(tmp_path, instance("site", locks=1, thermostats=0)) as running:
        yield running


async def warning(api: Api, name: str = "Room 101") -> dict[str, Any]:
    """Return the one warning of a device."""
    (found,) = (await api.device(name))["warnings"]
    assert found["warning_code"] == "provider_issue"
    return dict(found)


async def test_a_jammed_bolt(api: Api) -> None:
    await api.see(LockSeen(native_id=LOCK, locked=None, jammed=True))
    assert (await warning(api))["hub_code"] == "bolt_jammed"


@pytest.mark.parametrize(("days", "is_stale"), [(2.9, False), (3.1, True)])
async def test_a_battery_of_which_nothing_was_heard_for_three_intervals(
    api: Api, days: float, *, is_stale: bool
) -> None:
    measured = api.clock.now()
    await api.see(BatterySeen(native_id=LOCK, level=0.84, occurred_at=measured))
    api.clock.ahead += timedelta(days=days)
    device = await api.device()
    assert device["properties"]["battery"]["is_stale"] is is_stale
    assert device["properties"]["battery_level"] == 0.84
    codes = [one["hub_code"] for one in device["warnings"]]
    assert codes == (["battery_stale"] if is_stale else [])
    known = (await api.ok("/hub/devices/get", {"device_id": device["device_id"]}))["device"]
    assert (known["battery"]["is_stale"], known["battery"]["report_hours"]) == (is_stale, 24.0)
    assert known["warnings"] == device["warnings"]
    if is_stale:
        assert "3 days old" in device["warnings"][0]["message"]


async def twins(api: Api) -> tuple[str, str]:
    """Have both sites announce one lock; return its two ids."""
    found = []
    for name in ("site", "annex"):
        (known,) = [d for d in api.hub.known(name).values() if d.native_id == LOCK]
        twin: DeviceDescription = replace(known, name=f"Lock of {name}", hardware_ids=SAME)
        found.append(await api.hub.found(name, twin, ()))
    return found[0], found[1]


async def test_one_lock_behind_two_drivers(tmp_path: Path) -> None:
    two = (instance("site", locks=1, thermostats=0), instance("annex", locks=1, thermostats=0))
    async with running_api(tmp_path, *two) as api:
        one, other = await twins(api)
        first = min((one, other), key=lambda device_id: api.hub.devices[device_id].found_at)
        said = {"site": await warning(api, "Lock of site"), "annex": await warning(api, "Lock of annex")}
        for notice in said.values():
            assert (notice["hub_code"], notice["code_manager_id"]) == ("duplicate_hardware", first)
        assert (said["site"]["device_ids"], said["annex"]["device_ids"]) == ([other], [one])
        assert "“Lock of annex” of annex" in said["site"]["message"]
        device = (await api.ok("/hub/devices/get", {"device_id": one}))["device"]
        assert device["duplicates"] == [{"device_id": other, "instance": "annex", "name": "Lock of annex"}]
        assert (device["code_manager_id"], device["warnings"]) == (first, [said["site"]])
        await api.ok("/devices/update", {"device_id": first, "is_managed": False})
        (shown,) = (await api.ok("/devices/list"))["devices"]
        assert shown["warnings"][0]["code_manager_id"] == shown["device_id"] != first
        await api.ok("/devices/update", {"device_id": shown["device_id"], "is_managed": False})
        for device in (await api.ok("/devices/unmanaged/list"))["devices"]:
            assert device["warnings"][0]["code_manager_id"] is None
            assert "none of them is managed" in device["warnings"][0]["message"]
        await api.ok("/devices/delete", {"device_id": first})
        (alone,) = (await api.ok("/devices/unmanaged/list"))["devices"]
        assert alone["warnings"] == []
