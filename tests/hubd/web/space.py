"""An access control system on the stage: doors, people and wishes, told by a driver that does as a test says."""

from typing import Any

from msgspec.structs import replace

from hubd.core.hub import Instance
from hubd.core.policy import Policy
from hubd.model import DeviceDescription, LockDoor, Outcome, Seen, UnlockDoor, done
from hubd.model.access import AcsGroup, AcsUser, AuditEntry, Noted
from hubd.model.command import Command
from hubd.store.records import DeviceRecord
from tests.hubd.web.stage import Stage, until
from tests.support import access
from tests.support.clock import NOON
from tests.support.hub import ScriptedDriver


async def take(command: Command) -> Outcome:
    """Carry everything out."""
    return done("The door was opened." if isinstance(command, LockDoor | UnlockDoor) else "It was taken.")


class Space:
    """An access control system of a stage."""

    def __init__(self, site: Stage, driver: ScriptedDriver, instance: str) -> None:
        self.instance = instance
        self.site = site
        self.hub = site.hub
        self.driver = driver

    async def door(self, name: str, *seen: Seen, standalone: bool = False, **entrance: Any) -> DeviceRecord:
        """Find a door; its native id is its name."""
        description = access.door(name, name, is_online=not standalone, **entrance)
        return await self._find(replace(description, manufacturer="Salto"), seen)

    async def encoder(self, name: str) -> DeviceRecord:
        """Find an encoder."""
        return await self._find(access.encoder(name, name), ())

    async def _find(self, description: DeviceDescription, seen: tuple[Seen, ...]) -> DeviceRecord:
        return self.hub.devices[await self.hub.found(self.instance, description, seen)]

    async def see(self, *seen: Seen) -> None:
        """Publish readings."""
        await self.hub.publish(self.instance, seen)

    async def note(self, *noted: Noted, bookmark: str | None = None) -> None:
        """Tell what it holds and what happened."""
        await self.hub.note(self.instance, noted, bookmark)

    async def user(self, name: str, **members: Any) -> str:
        """Tell of a user whose native id is the name; returns the id."""
        await self.note(AcsUser(name, name, **members))
        return self.hub.access.notes.user_id(self.instance, name)

    async def group(self, name: str, **members: Any) -> None:
        """Tell of an access group."""
        await self.note(AcsGroup(name, name, **members))

    async def audit(self, door: str | None, name: str = "Door opened: key", **members: Any) -> None:
        """Tell a line of the audit trail."""
        values: dict[str, Any] = {"event_id": "1", "at": NOON, "operation": 17, "name": name} | members
        await self.note(AuditEntry(entrance=door, **values))


async def space(site: Stage, instance: str = "space", **manifest: Any) -> Space:
    """Connect an access control system to a stage."""
    driver = ScriptedDriver(execute=take)
    values: dict[str, Any] = {
        "title": "Salto ProAccess Space",
        "hops": ("server",),
        "kinds": ("entrance", "encoder"),
        "access_system": "salto_space",
    }
    made = driver.manifest(**values | manifest)
    site.hub.add(Instance(instance, made, driver, Policy(("entrance", "encoder"))))
    await until(lambda: site.hub.health[instance].is_connected and instance in site.hub.journal.tables.instances)
    return Space(site, driver, instance)
