"""Codes of a whole daemon, as a caller sees them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import until

FAR_AWAY = timezone(timedelta(hours=12, minutes=45))


def virtual(**keys: Any) -> str:
    """Return a virtual site of three locks, with other keys in its table."""
    table = {"type": "virtual", "locks": 3, "thermostats": 0, "latency_ms": 20} | keys
    return "[drivers.site]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())


def soon(**span: float) -> str:
    """Return a time so long from now, written in the offset of a place far from the hub."""
    return (datetime.now(UTC) + timedelta(**span)).astimezone(FAR_AWAY).isoformat()


async def make(client: HttpCaller, lock: str = "Room 101", **members: Any) -> dict[str, Any]:
    """Make a code on a lock."""
    body = {"device_id": await client.device_id(lock), **members}
    code: dict[str, Any] = (await client.ok("/access_codes/create", body))["access_code"]
    return code


async def get(client: HttpCaller, code: dict[str, Any]) -> dict[str, Any]:
    """Return a managed code as it is now."""
    found = await client.ok("/access_codes/get", {"access_code_id": code["access_code_id"]})
    shown: dict[str, Any] = found["access_code"]
    return shown


async def reached(client: HttpCaller, code: dict[str, Any], status: str, seconds: float = 10.0) -> dict[str, Any]:
    """Poll a code until it has a status."""

    async def has() -> bool:
        return bool((await get(client, code))["status"] == status)

    await until(has, seconds)
    return await get(client, code)


async def gone(client: HttpCaller, code: dict[str, Any], seconds: float = 10.0) -> None:
    """Poll until a code is no more."""

    async def is_gone() -> bool:
        body = {"access_code_ids": [code["access_code_id"]]}
        return not (await client.ok("/access_codes/list", body))["access_codes"]

    await until(is_gone, seconds)


async def events(client: HttpCaller, code: dict[str, Any]) -> list[str]:
    """Return the event types of a code, oldest first, without their common beginning."""
    found = (await client.ok("/events/list", {"access_code_id": code["access_code_id"]}))["events"]
    return [event["event_type"].removeprefix("access_code.") for event in found]


async def opens(client: HttpCaller, pin: str, lock: str = "Room 101") -> bool:
    """Type a PIN at a simulated lock, and tell whether that opened it."""
    body = {"device_id": await client.device_id(lock)}
    await client.ok("/locks/simulate/manual_lock_via_keypad", body)
    await client.ok("/locks/simulate/keypad_code_entry", body | {"code": pin})
    return (await client.device(lock))["properties"]["locked"] is False


async def put_in(client: HttpCaller, pin: str, name: str, lock: str = "Room 101") -> dict[str, Any]:
    """Have somebody add a code at a simulated lock."""
    body = {"device_id": await client.device_id(lock), "code": pin, "name": name}
    found = await client.ok("/access_codes/simulate/create_unmanaged_access_code", body)
    code: dict[str, Any] = found["access_code"]
    return code
