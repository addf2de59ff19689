"""S54, managed or not: converting twice is fine; unmanaged devices are visible, take no orders and are not counted."""

from pathlib import Path

import pytest

from hubd.model.seen import BatterySeen, LockSeen, ReachabilitySeen
from tests.scenarios.client import client_of
from tests.support.site import running_site

pytestmark = pytest.mark.scenario

SITE = '[drivers.site]\ntype = "virtual"\nlocks = 2\nthermostats = 0\nlatency_ms = 0\n'
AWAY = ("/devices/update", False)
BACK = [("/devices/unmanaged/update", True), ("/devices/update", True)]


async def test_converting_back_and_forth_keeps_what_people_set(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE) as site:
        client = client_of(site)
        body = {"device_id": await client.device_id()}
        await client.ok("/devices/update", {**body, "name": "Anna", "custom_metadata": {"room": "101"}})
        before = await client.device("Anna")
        for path, wanted in [AWAY, AWAY, BACK[0], BACK[0], AWAY, BACK[1], BACK[1]]:
            for method in ("POST", "PATCH"):
                await client.ok(path, {**body, "is_managed": wanted}, method=method)
            side = "/devices/get" if wanted else "/devices/unmanaged/get"
            other = "/devices/unmanaged/get" if wanted else "/devices/get"
            assert (await client.ok(side, body))["device"]["is_managed"] is wanted
            error = await client.refused(other, body)
            assert error["type"] == ("device_managed" if wanted else "device_unmanaged")
        assert await client.device("Anna") == before
        types = [event["event_type"] for event in (await client.ok("/events/list", body))["events"]]
        turns = ["device.converted_to_unmanaged", "device.unmanaged.converted_to_managed"]
        assert [name for name in types if name in turns] == turns * 2


async def test_an_unmanaged_device_is_visible_and_nothing_more(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE) as site:
        client = client_of(site)
        body = {"device_id": await client.device_id()}
        await client.ok("/devices/update", {**body, "is_managed": False})
        shown = (await client.ok("/devices/unmanaged/get", body))["device"]
        assert shown["properties"]["online"] is True
        assert shown["properties"]["locked"] is True
        for path in ("/devices/list", "/locks/list"):
            listed = (await client.ok(path))["devices"]
            assert [device["display_name"] for device in listed] == ["Room 102"]
        for path in ("/locks/unlock_door", "/locks/lock_door", "/locks/simulate/manual_lock_via_keypad"):
            assert (await client.refused(path, body))["type"] == "device_unmanaged"
        assert (await client.ok("/action_attempts/list"))["action_attempts"] == []


async def test_an_unmanaged_device_is_not_counted_and_raises_no_alarm(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE, hub="offline_grace_seconds = 0") as site:
        client = client_of(site)
        body = {"device_id": await client.device_id()}
        await client.ok("/devices/update", {**body, "is_managed": False})
        (instance,) = (await client.ok("/hub/site"))["instances"]
        counts = (instance["devices"], instance["devices_online"], instance["devices_unmanaged"])
        assert counts == (1, 1, 1)
        head = (await client.ok("/hub/site"))["journal_head"]
        await site.hub.publish(
            "site",
            (
                LockSeen(native_id="lock-1", locked=False, method="keycode", user_slot=1),
                BatterySeen(native_id="lock-1", level=0.05, low=True),
                ReachabilitySeen(native_id="lock-1", online=False, reason="It is away."),
            ),
        )
        rows = (await client.ok("/hub/journal", {"after": head}))["rows"]
        assert [row["event_type"] for row in rows if row["event_type"]] == ["device.unmanaged.disconnected"]
        shown = (await client.ok("/devices/unmanaged/get", body))["device"]
        assert [error["error_code"] for error in shown["errors"]] == ["device_disconnected"]


async def test_it_stays_so_over_a_restart(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE) as site:
        client = client_of(site)
        device_id = await client.device_id()
        await client.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    async with running_site(tmp_path, SITE) as site:
        unmanaged = (await client_of(site).ok("/devices/unmanaged/list"))["devices"]
        assert [device["device_id"] for device in unmanaged] == [device_id]
