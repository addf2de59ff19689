"""The whole driver beside the simulated server, on a port that keeps what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from hubd_drivers.salto_space.driver import SaltoSpaceDriver
from hubd_drivers.salto_space.sim import Http, Quirks, Site, Space, Stp, demo_site

from hubd.driver.contract import RecordingPort, check_outcome, running
from hubd.model import (
    AccessChange,
    AcsGone,
    AcsGroup,
    AcsUser,
    AuditEntry,
    EditAccess,
    EncodeCredential,
    Outcome,
    UnlockDoor,
)
from tests.drivers.salto_space.linked import config_for

QUICK = {"poll_seconds": 0.1, "audit_seconds": 0.1, "sync_seconds": 1.0, "page_size": 4, "encoders": ("Encoder#1",)}


class Living(NamedTuple):
    """A driver in its life."""

    space: Space
    port: RecordingPort
    driver: SaltoSpaceDriver
    task: asyncio.Task[None]

    async def open(self, native_id: str) -> Outcome:
        """Order a door to be opened."""
        outcome = await self.driver.execute(UnlockDoor(device_id="d", native_id=native_id))
        check_outcome(outcome)
        return outcome

    async def edit(self, change: AccessChange) -> Outcome:
        """Have something changed."""
        outcome = await self.driver.execute(EditAccess(change=change))
        check_outcome(outcome)
        return outcome

    async def encode(self, user: str, *, is_new_key: bool = True, encoder: str = "Encoder#1") -> Outcome:
        """Have a card written."""
        outcome = await self.driver.execute(encoding(user, is_new_key=is_new_key, encoder=encoder))
        check_outcome(outcome)
        return outcome


def encoding(user: str, *, is_new_key: bool = True, encoder: str = "Encoder#1") -> EncodeCredential:
    """Build the order to write a card."""
    return EncodeCredential(
        device_id="e", native_id=f"encoder:{encoder}", user=user, credential_id="c", is_new_key=is_new_key
    )


def users(port: RecordingPort) -> dict[str, AcsUser]:
    """Return the people as the hub would hold them."""
    held: dict[str, AcsUser] = {}
    for one in port.noted:
        if isinstance(one, AcsUser):
            held[one.native_id] = one
        elif isinstance(one, AcsGone) and one.kind == "user":
            held.pop(one.native_id, None)
    return held


def groups(port: RecordingPort) -> dict[str, AcsGroup]:
    """Return the access levels as the hub would hold them."""
    held: dict[str, AcsGroup] = {}
    for one in port.noted:
        if isinstance(one, AcsGroup):
            held[one.native_id] = one
        elif isinstance(one, AcsGone) and one.kind == "group":
            held.pop(one.native_id, None)
    return held


def audits(port: RecordingPort) -> list[AuditEntry]:
    """Return the lines that were told."""
    return [one for one in port.noted if isinstance(one, AuditEntry)]


def lines(port: RecordingPort) -> list[int]:
    """Return the numbers of the lines that were told."""
    return [int(one.event_id) for one in audits(port)]


@asynccontextmanager
async def living(
    *,
    transport: Stp | Http | None = None,
    quirks: Quirks | None = None,
    site: Site | None = None,
    port: RecordingPort | None = None,
    **keys: Any,
) -> AsyncIterator[Living]:
    """Run a simulated server and the driver on it; no test leaves a door command behind that named no door."""
    transport, port = transport or Stp(), port or RecordingPort()
    async with Space(site or demo_site(), transport=transport, quirks=quirks) as space:
        driver = SaltoSpaceDriver(await config_for(space.port, transport, **(QUICK | keys)))
        async with running(driver, port) as task:
            yield Living(space, port, driver, task)
        assert not space.disasters
