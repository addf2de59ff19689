"""S34, paging: cursor and link both work, no page repeats, and no row is lost while rows are added."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hubd.model.device import DeviceDescription
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of
from tests.support.site import LiveSite, running_site

pytestmark = pytest.mark.scenario

SITE = '[drivers.site]\ntype = "virtual"\nlocks = 23\nthermostats = 4\nlatency_ms = 0\n'
IDS = {"devices": "device_id", "action_attempts": "action_attempt_id"}


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[LiveSite, HttpCaller]]:
    async with running_site(folder, SITE) as site:
        yield site, client_of(site)


async def by_cursor(client: HttpCaller, path: str, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Yield the pages of a list, each asked for by the cursor of the one before."""
    page = await client.ok(path, body)
    yield page
    while page["pagination"]["has_next_page"]:
        page = await client.ok(path, {**body, "page_cursor": page["pagination"]["next_page_cursor"]})
        yield page


async def by_link(client: HttpCaller, path: str, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Yield the pages of a list, each by a plain GET of the link of the one before."""
    page = await client.ok(path, body)
    yield page
    while page["pagination"]["has_next_page"]:
        page = await client.follow(page["pagination"]["next_page_url"])
        yield page


async def add_device(site: LiveSite, number: int) -> None:
    """Let the site find one more lock, as after an inclusion."""
    record = next(iter(site.hub.devices.values()))
    capabilities = record.device.description.capabilities
    lock = DeviceDescription(f"new-{number}", "lock", "virtual_lock", f"New {number}", capabilities=capabilities)
    await site.hub.found("site", lock, ())


@pytest.mark.parametrize("walk", [by_cursor, by_link])
@pytest.mark.parametrize("limit", [1, 4, 27, 100])
async def test_devices_found_while_they_are_paged(tmp_path: Path, walk: Any, limit: int) -> None:
    async with running(tmp_path) as (site, client):
        before = {device["device_id"] for device in (await client.ok("/devices/list"))["devices"]}
        assert len(before) == 27
        seen: list[str] = []
        added = 0
        async for page in walk(client, "/devices/list", {"limit": limit}):
            assert len(page["devices"]) <= limit
            seen += [device["device_id"] for device in page["devices"]]
            if added < 5:
                added += 1
                await add_device(site, added)
        assert len(seen) == len(set(seen))
        assert before <= set(seen)
        everything = {device["device_id"] for device in (await client.ok("/devices/list"))["devices"]}
        assert set(seen) <= everything
        assert len(everything) == 27 + added


async def test_attempts_made_while_they_are_paged(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        device_id = await client.device_id()
        body = {"device_id": device_id}

        async def act() -> str:
            return str((await client.ok("/locks/lock_door", body))["action_attempt"]["action_attempt_id"])

        made = [await act() for _ in range(10)]
        seen: list[str] = []
        async for page in by_link(client, "/action_attempts/list", {"device_id": device_id, "limit": 3}):
            seen += [attempt["action_attempt_id"] for attempt in page["action_attempts"]]
            if len(made) < 14:
                made.append(await act())
        assert seen == made


async def test_filters_go_along_and_others_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        for device in (await client.ok("/locks/list"))["locks"][:9]:
            edit = {"device_id": device["device_id"], "custom_metadata": {"floor": "1", "staff": True, "note": "a&b=c"}}
            await client.ok("/devices/update", edit)
        body = {
            "limit": 4,
            "custom_metadata_has": {"staff": True, "note": "a&b=c"},
            "include_if": ["can_remotely_lock"],
        }
        pages = [page async for page in by_cursor(client, "/devices/list", body)]
        linked = [page async for page in by_link(client, "/devices/list", body)]
        for walked in (pages, linked):
            assert [len(page["devices"]) for page in walked] == [4, 4, 1]
        cursor = pages[0]["pagination"]["next_page_cursor"]
        for other in ({}, {"custom_metadata_has": {"staff": False}}, {**body, "search": "room"}):
            error = await client.refused("/devices/list", {**other, "page_cursor": cursor})
            assert error["type"] == "mismatched_page_parameters"
        await client.wrong("page_cursor", "/devices/list", {**body, "page_cursor": cursor[:-4]})


async def test_a_walk_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        first = await client.ok("/devices/list", {"limit": 20})
    async with running(tmp_path) as (_, client):
        body = {"limit": 20, "page_cursor": first["pagination"]["next_page_cursor"]}
        second = await client.ok("/devices/list", body)
    ids = [device["device_id"] for device in first["devices"] + second["devices"]]
    assert len(set(ids)) == len(ids) == 27
