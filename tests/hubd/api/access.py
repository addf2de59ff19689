"""Short ways to an access control system, for the tests of its routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.hubd.api.harness import Api, instance, running_api
from tests.support import access
from tests.support.access import AccessDriver, System
from tests.support.site import eventually


class Acs:
    """A running hub with a virtual site, and an access control system called `space`."""

    def __init__(self, api: Api, driver: AccessDriver) -> None:
        self.api = api
        self.driver = driver
        self.system = driver.system

    @property
    def system_id(self) -> str:
        """The `acs_system_id`."""
        return self.api.hub.access.notes.system_id("space")

    def user_id(self, native_id: str) -> str:
        """Return the id of a user."""
        return self.api.hub.access.notes.user_id("space", native_id)

    def group_id(self, native_id: str) -> str:
        """Return the id of an access group."""
        return self.api.hub.access.notes.group_id("space", native_id)

    def device_id(self, native_id: str) -> str:
        """Return the id of a door or encoder."""
        (found,) = [d for d, r in self.api.hub.devices.items() if r.device.description.native_id == native_id]
        return found

    def groups(self, native_id: str) -> tuple[str, ...]:
        """Return the groups that somebody is in, as the system itself holds it."""
        return self.system.users[native_id].groups

    async def user(self, native_id: str) -> dict[str, Any]:
        """Return `acs_user`."""
        found: dict[str, Any] = (await self.api.ok("/acs/users/get", {"acs_user_id": self.user_id(native_id)}))[
            "acs_user"
        ]
        return found

    async def group(self, native_id: str) -> dict[str, Any]:
        """Return `acs_access_group`."""
        body = {"acs_access_group_id": self.group_id(native_id)}
        found: dict[str, Any] = (await self.api.ok("/acs/access_groups/get", body))["acs_access_group"]
        return found

    async def entrance(self, native_id: str) -> dict[str, Any]:
        """Return `acs_entrance`."""
        body = {"acs_entrance_id": self.device_id(native_id)}
        found: dict[str, Any] = (await self.api.ok("/acs/entrances/get", body))["acs_entrance"]
        return found

    async def credential(self, native_id: str) -> dict[str, Any]:
        """Return the one credential of a user."""
        body = {"acs_user_id": self.user_id(native_id)}
        (found,) = (await self.api.ok("/acs/credentials/list", body))["acs_credentials"]
        credential: dict[str, Any] = found
        return credential

    async def cloud_key(self, native_id: str, **members: Any) -> str:
        """Make a cloud key for a user; returns its id."""
        body = {"access_method": "cloud_key", "acs_user_id": self.user_id(native_id), **members}
        made = await self.api.ok("/acs/credentials/create", body)
        return str(made["acs_credential"]["acs_credential_id"])

    async def events(self, **filters: Any) -> list[dict[str, Any]]:
        """Return events, oldest first."""
        found: list[dict[str, Any]] = (await self.api.ok("/events/list", filters))["events"]
        return found

    async def types(self, **filters: Any) -> list[str]:
        """Return the types of events, oldest first."""
        return [one["event_type"] for one in await self.events(**filters)]

    async def settled(self) -> None:
        """Wait until the system holds what was wished; what failed is tried again at once."""
        self.api.clock.ahead += timedelta(hours=1)
        self.api.hub.access.touch_all()
        await eventually(lambda: not self.api.hub.access.pending("space"))

    async def lost(self) -> None:
        """Have the server go away, and wait until the hub knows."""
        self.driver.go_away()
        await eventually(lambda: not self.api.hub.health["space"].is_connected)


@asynccontextmanager
async def running_acs(data_dir: Path, system: System | None = None, hold_seconds: float = 10.0) -> AsyncIterator[Acs]:
    """Run a hub with a virtual site and an access control system; running it again on the directory is a restart."""
    driver = AccessDriver(system or access.furnished())
    async with running_api(data_dir, instance(), access.instance(driver), hold_seconds=hold_seconds) as api:
        told = api.hub.journal.tables.instances
        await eventually(lambda: all(name in told and told[name].is_connected for name in api.hub.instances))
        yield Acs(api, driver)
