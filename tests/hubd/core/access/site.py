"""A running hub that is connected to an access control system, which takes wishes as a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hubd.core.access.courier import End
from hubd.core.access.desk import Access
from hubd.core.policy import Policy
from hubd.driver import Port
from hubd.model import (
    DeviceDescription,
    LockDoor,
    Outcome,
    UnlockDoor,
    done,
    unsupported,
)
from hubd.model.access import AccessChange, AcsUser
from hubd.model.access_event import AccessEditAccepted, AccessEditEnded
from hubd.model.command import Command, EditAccess, EncodeCredential
from hubd.store.access import EditRecord, UserRecord
from tests.support import access
from tests.support.clock import ManualClock
from tests.support.hub import LiveHub, ScriptedDriver, live_hub

SPACE = "front"

type Take = Callable[[AccessChange], Outcome]


class System:
    """What a driver of an access control system does with the commands it gets."""

    def __init__(self) -> None:
        self.changes: list[AccessChange] = []
        """In the order in which they came, each time."""
        self.take: Take = lambda _: done()
        self.encode: Callable[[EncodeCredential], Outcome] = lambda _: done()
        self.open: Callable[[], Outcome] = lambda: done("The door was opened.")
        self.hold: asyncio.Event | None = None
        self.under_way: AccessChange | None = None

    async def execute(self, command: Command) -> Outcome:
        """Take a command."""
        match command:
            case EditAccess(change=change):
                self.changes.append(change)
                self.under_way = change
                if self.hold is not None:
                    await self.hold.wait()
                self.under_way = None
                return self.take(change)
            case EncodeCredential():
                return self.encode(command)
            case LockDoor() | UnlockDoor():
                if self.hold is not None:
                    await self.hold.wait()
                return self.open()
            case _:
                return unsupported("It has no such thing.")


class AccessSite:
    """The hub, the system, and what a test asks of both."""

    def __init__(self, live: LiveHub, system: System) -> None:
        self.live = live
        self.hub = live.hub
        self.clock = live.clock
        self.driver = live.driver
        self.system = system

    @property
    def desk(self) -> Access:
        """The desk."""
        return self.hub.access

    async def wish(self, *changes: AccessChange, **more: Any) -> list[EditRecord]:
        """Have changes wished."""
        return await self.desk.wish(SPACE, changes, "k", **more)

    async def settle(self, *changes: AccessChange) -> list[End | None]:
        """Have changes wished and wait for their ends."""
        return await self.desk.settle(await self.wish(*changes), 5)

    def pending(self) -> list[str]:
        """Return the tags of the wishes that wait, in their order."""
        return [str(edit.change.__struct_config__.tag) for edit in self.desk.pending(SPACE)]

    def user(self, native_id: str = "anna") -> UserRecord:
        """Return what is known of a person."""
        return self.desk.user(self.desk.notes.user_id(SPACE, native_id))

    async def anna(self, **members: Any) -> UserRecord:
        """Have the system tell of Anna."""
        await self.driver.living_port.note(AcsUser("anna", "Anna Berger", **members))
        return self.user()

    async def ended(self) -> list[tuple[str, str]]:
        """Return how wishes ended: their tags and codes."""
        rows = await self.live.rows("access_edit.ended")
        return [(row.event.what, row.event.error_code) for row in rows if isinstance(row.event, AccessEditEnded)]

    async def accepted(self) -> list[str]:
        """Return what was wished."""
        rows = await self.live.rows("access_edit.accepted")
        return [row.event.what for row in rows if isinstance(row.event, AccessEditAccepted)]


def door(native_id: str, *, standalone: bool = False) -> DeviceDescription:
    """Describe a door that is called as its native id."""
    return access.door(native_id, native_id, is_online=not standalone)


def encoder(native_id: str) -> DeviceDescription:
    """Describe an encoder that is called as its native id."""
    return access.encoder(native_id, native_id)


@asynccontextmanager
async def access_site(
    path: Path, *devices: DeviceDescription, system: System | None = None, clock: ManualClock | None = None, **more: Any
) -> AsyncIterator[AccessSite]:
    """Run a hub with the access control system `front`, which told what it holds before it was ready: nothing."""
    system = system or System()
    driver = ScriptedDriver(*devices, execute=system.execute)

    async def read(port: Port) -> None:
        await port.note()

    driver.on_start = more.pop("on_start", read)
    policy = Policy(("entrance", "encoder"))
    async with live_hub(
        path, driver, policy=policy, clock=clock, access_system="salto_space", hops=("server",), **more
    ) as live:
        yield AccessSite(live, system)
