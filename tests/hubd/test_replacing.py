import asyncio
import json
import sys
from pathlib import Path

import pytest

from hubd.box import URL_FILE
from hubd.client import Client, ClientError
from hubd.model.seen import ReachabilitySeen
from hubd.replacing import replace
from tests.support.site import LiveSite, running_site

SITE = '[drivers.site]\ntype = "virtual"\nlocks = 4\nthermostats = 0\nlatency_ms = 0\n'


async def client_of(site: LiveSite) -> Client:
    """Make a client as the command line does."""

    def make() -> Client:
        (site.data_dir / URL_FILE).write_text(site.url, encoding="utf-8")
        return Client(site.data_dir)

    return await asyncio.to_thread(make)


async def test_by_name_by_id_and_of_one_that_was_removed(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE) as site, await client_of(site) as client:
        ids = {name: (await site.device(name))["device_id"] for name in ("Room 101", "Room 102", "Room 103")}
        with pytest.raises(ClientError) as refused:
            await replace(client, "Room 101", "Room 102")
        assert refused.value.code == "device_still_answers"
        device, line = await replace(client, "Room 101", "Room 102", is_forced=True)
        assert (device["device_id"], device["native_id"]) == (ids["Room 101"], "lock-2")
        assert line.startswith(ids["Room 101"])
        assert line.endswith("lock-2")
        await site.hub.publish("site", (ReachabilitySeen(native_id="lock-2", online=False),))
        await site.hub.removed("site", "lock-3", "It was excluded.")
        device, _ = await replace(client, "Room 103", "Room 104")
        assert (device["device_id"], device["name"], device["native_id"]) == (ids["Room 103"], "Room 103", "lock-4")
        device, _ = await replace(client, ids["Room 101"].upper(), "Room 103", is_forced=True)
        assert (device["device_id"], device["name"], device["native_id"]) == (ids["Room 101"], "Room 101", "lock-4")


async def test_the_command(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE) as site:
        kept = (await site.device("Room 101"))["device_id"]
        await client_of(site)
        config = tmp_path / "hubd.toml"
        await asyncio.to_thread(config.write_text, f'[hub]\ndata_dir = "{tmp_path}"\n', encoding="utf-8")

        async def hubd(*arguments: str) -> tuple[int | None, str]:
            command = (sys.executable, "-m", "hubd", *arguments, "--config", str(config))
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
            out, err = await process.communicate()
            return process.returncode, (out + err).decode()

        status, said = await hubd("replace", "Room 101", "Room 102")
        assert (status, "still answers" in said) == (1, True)
        status, said = await hubd("replace", "Room 101", "Room 102", "--force", "--json")
        assert (status, json.loads(said)["device_id"]) == (0, kept)


async def test_a_name_that_is_not_clear_is_not_guessed(tmp_path: Path) -> None:
    async with running_site(tmp_path, SITE) as site, await client_of(site) as client:
        for old in ("Room 101", "Room 102"):
            device_id = (await site.device(old))["device_id"]
            await site.call("/devices/update", json={"device_id": device_id, "name": "Suite"})
        for old, new, code in (
            ("Suite", "Room 103", "device_ambiguous"),
            ("Room 103", "Suite", "device_ambiguous"),
            ("Cellar", "Room 103", "device_not_found"),
            ("Room 103", "Room 103", "device_not_found"),
        ):
            with pytest.raises(ClientError) as refused:
                await replace(client, old, new)
            assert refused.value.code == code
