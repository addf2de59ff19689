"""Clients of a whole daemon, in this process or in its own. Every answer is judged by the official schema."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.hubd.api.caller import HttpCaller
from tests.support.process import DaemonProcess
from tests.support.site import LiveSite


def client_of(site: LiveSite) -> HttpCaller:
    """Return a client of a daemon in this process."""
    return HttpCaller(site.url, site.token, site.session)


@asynccontextmanager
async def client_of_process(daemon: DaemonProcess) -> AsyncIterator[HttpCaller]:
    """Return a client of a daemon process, once all its drivers are connected."""
    url, token = await asyncio.to_thread(lambda: (daemon.url, daemon.token))
    async with aiohttp.ClientSession() as session:
        client = HttpCaller(url, token, session)
        await until(lambda: healthy(client), 30.0)
        await until(lambda: told(client), 30.0)
        yield client


async def told(client: HttpCaller) -> bool:
    """Tell whether the journal has it, too, that every link works; the next row is then a test's own doing."""
    accounts = (await client.ok("/connected_accounts/list"))["connected_accounts"]
    types = ["connected_account.connected", "acs_system.connected"]
    events = (await client.ok("/events/list", {"event_types": types}))["events"]
    known = {event["connected_account_id"] for event in events}
    return all(account["connected_account_id"] in known for account in accounts)


async def healthy(client: HttpCaller) -> bool:
    """Tell whether every part of the daemon and every link works."""
    return (await client.ok("/health", token=""))["ok"] is True


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 5.0) -> None:
    """Wait until a coroutine function's result is true. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is asked for lives in another process
            await asyncio.sleep(0.02)


async def devices(client: HttpCaller) -> dict[str, dict[str, Any]]:
    """Return the managed devices by name."""
    found = (await client.ok("/devices/list"))["devices"]
    return {device["display_name"]: device for device in found}


async def settled(client: HttpCaller, attempt_id: str, seconds: float = 20.0) -> dict[str, Any]:
    """Poll an action attempt until it is pending no more."""
    attempt: dict[str, Any] = {"status": "pending"}

    async def is_settled() -> bool:
        nonlocal attempt
        attempt = (await client.ok("/action_attempts/get", {"action_attempt_id": attempt_id}))["action_attempt"]
        return bool(attempt["status"] != "pending")

    await until(is_settled, seconds)
    return attempt
