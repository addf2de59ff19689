import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.inventory import devices, table
from hubd.model.seen import LinkSeen
from hubd.model.state import LinkQuality
from tests.support.site import LiveSite, running_site
from tests.support.site_client import client_of


async def listing(site: LiveSite, capsys: pytest.CaptureFixture[str], **options: bool) -> list[str]:
    capsys.readouterr()
    async with client_of(site) as client:
        assert await devices(client, argparse.Namespace(**({"long": False, "json": False} | options))) == 0
    return capsys.readouterr().out.splitlines()


async def test_the_short_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running_site(tmp_path / "data") as site:
        lines = await listing(site, capsys)
        assert len(lines) == 4
        assert re.fullmatch(r"[0-9a-f-]{36}  Room 101 +virtual_lock +(un)?locked", lines[0])
        body = {"device_id": (await site.device("Room 101"))["device_id"]}
        await site.call("/devices/simulate/disconnect", json=body)
        await site.call("/devices/update", json=body | {"is_managed": False})
        (line,) = [line for line in await listing(site, capsys) if "Room 101" in line]
        assert "virtual_lock (unmanaged)" in line
        assert line.endswith("taken off its network.")
        (text,) = await listing(site, capsys, json=True)
        assert {device["display_name"] for device in json.loads(text)} == {
            "Room 101",
            "Room 102",
            "Room 103",
            "Climate 101",
        }


async def test_the_long_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running_site(tmp_path / "data") as site:
        link = LinkQuality(
            site.hub.clock.now(), signal_dbm=-71.4, round_trip_ms=40.2, route=("Plug",), lost_ratio=0.125
        )
        await site.hub.publish("site", (LinkSeen(native_id="lock-1", link=link),))
        body = {"device_id": (await site.device("Room 102"))["device_id"]}
        await site.call("/devices/simulate/disconnect", json=body)
        head, *lines = await listing(site, capsys, long=True)
        assert head.split() == ["name", "driver", "model", "firmware", "battery", "link", "state"]
        first = next(line for line in lines if line.startswith("Room 101"))
        assert re.search(
            r"hubd Virtual deadbolt +1\.0 +90%, \d+ s ago  -71 dBm, 40 ms, 12% lost, by way of Plug", first
        )
        second = next(line for line in lines if line.startswith("Room 102"))
        assert re.search(r"offline for \d+ s: The simulated device was taken off its network\.$", second)
        thermostat = next(line for line in lines if line.startswith("Climate 101"))
        assert "%" not in thermostat


@pytest.mark.parametrize("long", [False, True])
async def test_what_waits_stands_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str], *, long: bool) -> None:
    async with running_site(tmp_path / "data") as site:
        site.hub.health["site"].wait_on("6", "Node 6", "It sleeps; wake it at the device.")
        lines = await listing(site, capsys, long=long)
        assert lines[-1] == "waiting: Node 6 (site): It sleeps; wake it at the device."


async def test_the_long_list_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running_site(tmp_path / "data") as site:
        site.hub.health["site"].wait_on("6", "Node 6", "It sleeps.")
        (text,) = await listing(site, capsys, long=True, json=True)
        told: dict[str, Any] = json.loads(text)
        assert len(told["devices"]) == 4
        assert told["devices"][0].keys() >= {"firmware", "link", "battery", "offline_reason"}
        assert [(one["instance"], one["key"]) for one in told["waiting"]] == [("site", "6")]


@pytest.mark.parametrize("long", [False, True])
async def test_no_name_moves_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str], *, long: bool) -> None:
    async with running_site(tmp_path / "data") as site:
        device_id = (await site.device("Room 101"))["device_id"]
        description = site.hub.devices[device_id].device.description
        await site.hub.found("site", replace(description, name="\x1b[2JRoom\n9"), ())
        lines = await listing(site, capsys, long=long)
        assert len(lines) == 4 + long
        assert [line for line in lines if "?[2JRoom 9  " in line]


def test_columns_are_as_wide_as_they_must_and_empty_ones_left_out() -> None:
    assert table([]) == []
    assert table([{"a": ""}]) == []
    rows = [{"name": "Room 101", "link": "", "state": "online"}, {"name": "x", "link": "", "state": ""}]
    assert table(rows) == ["name      state", "Room 101  online", "x"]
