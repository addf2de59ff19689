"""Short ways to codes, for the tests of their routes."""

from datetime import datetime, timedelta
from typing import Any

from hubd.model.command import SimulateKeypadEdit
from tests.hubd.api.harness import Api
from tests.support.site import eventually

PIN, OTHER = "428613", "913574"


def from_now(api: Api, **span: float) -> str:
    """Return a time as callers write it, so long from now."""
    return (api.clock.now() + timedelta(**span)).isoformat()


async def make(api: Api, *, lock: str = "Room 101", sync: bool = True, **members: Any) -> dict[str, Any]:
    """Make a code on a lock; with `sync` it is on it when this returns."""
    body = {"device_id": await api.device_id(lock), "sync": sync, **members}
    code: dict[str, Any] = (await api.ok("/access_codes/create", body))["access_code"]
    return code


async def get(api: Api, code: dict[str, Any]) -> dict[str, Any]:
    """Return a code as it is now."""
    found: dict[str, Any] = (await api.ok("/access_codes/get", {"access_code_id": code["access_code_id"]}))[
        "access_code"
    ]
    return found


async def event_types(api: Api, code: dict[str, Any]) -> list[str]:
    """Return the types of the events of a code, oldest first."""
    found = await api.ok("/events/list", {"access_code_id": code["access_code_id"]})
    return [event["event_type"] for event in found["events"]]


async def put_in(api: Api, pin: str, name: str = "Keypad", lock: str = "Room 101") -> dict[str, Any]:
    """Have somebody add a code at the lock."""
    body = {"device_id": await api.device_id(lock), "code": pin, "name": name}
    answer = await api.ok("/access_codes/simulate/create_unmanaged_access_code", body)
    code: dict[str, Any] = answer["access_code"]
    return code


async def edit_slot(api: Api, slot: int | None, pin: str | None, lock: str = "Room 101") -> None:
    """Have somebody change a slot at the lock, and wait until the hub has read it."""
    record = api.hub.present(await api.device_id(lock))
    ref = None if pin is None else api.hub.vault.seal(pin)
    edit = SimulateKeypadEdit(
        device_id=record.device.device_id,
        native_id=record.device.description.native_id,
        slot=slot,
        pin_ref=ref,
    )
    await api.hub.submit(edit, "test", wait_seconds=5)
    await eventually(lambda: not api.hub.codes.book(record.device.device_id).hints)


def slot_of(api: Api, code: dict[str, Any]) -> int:
    """Return the slot that a code is in."""
    placement = api.hub.codes.get(code["access_code_id"]).placement
    assert placement is not None
    return placement.slot


def on_lock(api: Api, native_id: str = "lock-1") -> set[str]:
    """Return the PINs that the simulated lock itself holds."""
    return {code.pin for code in api.driver().devices[native_id].keypad.codes.values()}


def moment(text: str) -> datetime:
    """Return a time of an answer."""
    return datetime.fromisoformat(text)


async def quiet(api: Api, lock: str = "Room 101") -> None:
    """Wait until every code of a lock is as it should be, as the hub knows it."""
    device_id = await api.device_id(lock)
    await eventually(lambda: {api.hub.codes.status(code) for code in api.hub.codes.of(device_id)} <= {"set", "unset"})
