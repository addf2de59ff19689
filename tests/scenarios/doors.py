"""A keypad of the emulated Z-Wave network, as the API and somebody who stands before it see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.drivers.zwave.conftest import SharedNetwork
from tests.hubd.api.caller import HttpCaller
from tests.hubd.api.harness import ShiftedClock
from tests.scenarios.client import client_of, until
from tests.support.site import LiveSite, running_site

SLOW = 20.0
"""Seconds that an S0 lock with a battery may need for a few exchanges."""

type Code = dict[str, Any]


class Door:
    """One lock with a keypad."""

    def __init__(self, site: LiveSite, network: SharedNetwork, node: int, device_id: str, clock: ShiftedClock) -> None:
        self.site = site
        self.network = network
        self.node = node
        self.device_id = device_id
        self.clock = clock
        self.client: HttpCaller = client_of(site)

    def at(self, **later: float) -> str:
        """Return a time that is so much later than now, as the API takes it."""
        moment: datetime = self.clock.now() + timedelta(**later)
        return moment.isoformat()

    async def create(self, **members: Any) -> Code:
        """Create a code."""
        answer = await self.client.ok("/access_codes/create", {"device_id": self.device_id, **members})
        created: Code = answer["access_code"]
        return created

    async def update(self, code: Code, **members: Any) -> None:
        """Update a code."""
        await self.client.ok("/access_codes/update", {"access_code_id": code["access_code_id"], **members})

    async def delete(self, code: Code) -> None:
        """Delete a code."""
        await self.client.ok("/access_codes/delete", {"access_code_id": code["access_code_id"]})

    async def code(self, code: Code) -> Code:
        """Return a code as it is now; one that is no more has the status `gone`."""
        answer = await self.client.call("/access_codes/get", {"access_code_id": code["access_code_id"]})
        if answer.status == 404:
            return {"status": "gone", "errors": []}
        found: Code = answer.body["access_code"]
        return found

    async def becomes(self, code: Code, status: str, seconds: float = SLOW) -> None:
        """Return when a code has a status. Raises `TimeoutError`."""

        async def has() -> bool:
            return bool((await self.code(code))["status"] == status)

        await until(has, seconds)

    async def holds(self, pins: set[str], seconds: float = SLOW) -> None:
        """Return when the lock itself holds exactly these PINs. Raises `TimeoutError`."""

        async def does() -> bool:
            return set((await self.pins()).values()) == pins

        await until(does, seconds)

    async def pins(self) -> dict[int, str]:
        """Return what the lock itself holds, by slot."""
        return {int(slot): pin for slot, pin in (await self.network.op("codes", node=self.node)).items()}

    async def unmanaged(self) -> list[Code]:
        """Return the codes that nobody wished."""
        answer = await self.client.ok("/access_codes/unmanaged/list", {"device_id": self.device_id})
        found: list[Code] = answer["access_codes"]
        return found

    async def finds(self, pin: str, seconds: float = SLOW) -> Code:
        """Return the code with a PIN that nobody wished, once it is known. Raises `TimeoutError`."""
        found: list[Code] = []

        async def is_there() -> bool:
            found[:] = [one for one in await self.unmanaged() if one["code"] == pin]
            return bool(found)

        await until(is_there, seconds)
        (code,) = found
        return code

    async def told(self, code: Code | None = None) -> list[str]:
        """Return the types of the events of codes, of one if it is given, without their prefix."""
        events = (await self.client.ok("/events/list", {"device_id": self.device_id, "limit": 1000}))["events"]
        wanted = None if code is None else code["access_code_id"]
        return [
            event["event_type"].removeprefix("access_code.")
            for event in events
            if event["event_type"].startswith("access_code.") and wanted in {None, event["access_code_id"]}
        ]

    async def hears(self, event_type: str, seconds: float = SLOW) -> dict[str, Any]:
        """Return the last event of a type, once there is one. Raises `TimeoutError`."""
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            query = {"device_id": self.device_id, "event_type": event_type, "limit": 1000}
            found[:] = (await self.client.ok("/events/list", query))["events"]
            return bool(found)

        await until(is_there, seconds)
        return found[-1]


@asynccontextmanager
async def door(
    data_dir: Path,
    network: SharedNetwork,
    node: int,
    *,
    sweep_hours: float = 24.0,
    hub: str = "",
    driver: str = "",
    ahead: timedelta = timedelta(),
) -> AsyncIterator[Door]:
    """Run the daemon on the network; enters once the keypad is known. `ahead`: by how much its clock is put forward."""
    clock = ShiftedClock()
    clock.ahead = ahead
    drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ncontroller_check_seconds = 0.5\n{driver}'
    hub = f"code_sweep_hours = {sweep_hours}\n{hub}"
    async with running_site(data_dir, drivers, hub=hub, clock=clock) as site:
        device_id = next(d for d, r in site.hub.devices.items() if _is_node(r.device.description.hardware_ids, node))
        yield Door(site, network, node, device_id, clock)


def _is_node(hardware_ids: tuple[str, ...], node: int) -> bool:
    return any(one.startswith("zwave-node:") and one.endswith(f":{node}") for one in hardware_ids)
