"""Hub and router without a listener: what the API's own tests call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hubd.api.delivery import Delivery, Patience
from hubd.api.router import Router
from hubd.box import Box
from hubd.core.hub import Hub, Instance, Site
from hubd.core.keys import Keys
from hubd.core.message import Request
from hubd.core.policy import Policy
from hubd.driver.clock import SystemClock
from hubd.driver.registry import load
from hubd.model.event import Role
from hubd.model.seen import Seen
from hubd.store.database import Database
from hubd.store.journal import Journal
from tests.hubd.api.caller import Answer, Caller
from tests.support.site import eventually

VIRTUAL = load("virtual")
ORIGIN = "http://hub.test:8470"
ZONE = ZoneInfo("Europe/Berlin")
"""Read before a loop runs, as a daemon does with its config."""


class ShiftedClock(SystemClock):
    """The machine's clock, put forward by a test; sleeps are real."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return the shifted wall clock."""
        return datetime.now(UTC) + self.ahead


class Api(Caller):
    """A running hub and a way to call its router. Every answer is judged."""

    def __init__(self, hub: Hub, keys: Keys, router: Router, token: str, clock: ShiftedClock) -> None:
        super().__init__(token)
        self.hub = hub
        self.keys = keys
        self.router = router
        self.clock = clock
        self.remote = "192.0.2.1"
        self._tokens: dict[str, str] = {}

    async def send(
        self, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], content: bytes
    ) -> Answer:
        """Hand a request to the router."""
        request = Request(
            method=method,
            path=path,
            query=tuple(query),
            headers=headers,
            body=content,
            remote=self.remote,
            origin=ORIGIN,
        )
        response = await self.router.handle(request)
        assert response.stream is None, "use the router for a stream"
        return Answer(response.status, response.headers, response.body)

    async def as_role(self, role: Role) -> str:
        """Return the token of a key with this role."""
        if role not in self._tokens:
            self._tokens[role] = (await self.keys.create(role, role, "test"))[1]
        return self._tokens[role]

    async def see(self, *seen: Seen) -> None:
        """Let the driver instance `site` see something."""
        await self.hub.publish("site", seen)

    def driver(self, instance: str = "site") -> Any:
        """Return the driver object of an instance."""
        return self.hub.instances[instance].driver


def instance(name: str = "site", policy: Policy | None = None, **config: Any) -> Instance:
    """Make a virtual driver instance as the composition root does: 3 locks and a thermostat, without latency."""
    values = {"locks": 3, "thermostats": 1, "latency_ms": 0} | config
    driver = VIRTUAL.create(VIRTUAL.config(**values))
    return Instance(name, VIRTUAL, driver, policy or Policy(VIRTUAL.kinds))


@asynccontextmanager
async def running_api(
    data_dir: Path,
    *instances: Instance,
    hold_seconds: float = 10.0,
    patience: Patience | None = None,
    clock: ShiftedClock | None = None,
) -> AsyncIterator[Api]:
    """Run a hub on `data_dir`; enters once every driver is connected. Running it again on it is a restart.

    With `patience`, webhooks are delivered.
    """
    clock = clock or ShiftedClock()
    box = await asyncio.to_thread(Box, data_dir)
    database = await Database.open(box.database)
    journal = Journal(database, clock)
    await journal.load()
    writer = asyncio.create_task(journal.run())
    ready: asyncio.Future[Api] = asyncio.get_running_loop().create_future()

    async def live() -> None:
        async with asyncio.TaskGroup() as group:
            hub = Hub(Site(box.hub_id, "Test site", ZONE.key, "0", box.sealer, box.storage), journal, clock, group)
            keys = Keys(journal)
            await keys.load()
            _, token = await keys.create("owner", "owner", "test")
            await hub.start()
            for one in instances or (instance(),):
                hub.add(one)
            if patience is not None:
                group.create_task(Delivery(hub, patience).run())
            router = Router(hub, keys, requests_per_second=100_000, hold_seconds=hold_seconds)
            ready.set_result(Api(hub, keys, router, token, clock))

    task = asyncio.create_task(live())
    try:
        waiting: list[asyncio.Future[Any]] = [task, ready]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        api = ready.result()
        await eventually(lambda: all(health.is_connected for health in api.hub.health.values()))
        yield api
    finally:
        task.cancel()
        await asyncio.wait({task})
        writer.cancel()
        await asyncio.wait({writer})
        await database.close()
        box.close()
