"""An hour of a busy Z-Wave network with faults: every use of a keypad is one event, and nothing is left over.

The hour is pressed together: each of its minutes takes as long as the emulated radio needs for it. `make test` runs a
few of them, `make soak` all sixty.
"""

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.zwave.client import HubClient
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.life import Life
from hubd_drivers.zwave.link import Link

from hubd.model.event import LockChanged
from tests.scenarios.client import client_of, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.site import LiveSite, eventually, running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

NODES = (2, 3, 4, 5, 6)
LOCKS = (2, 3, 5)
WARM_UP = 3
"""Minutes after which what stays in memory is there."""
OBJECTS_PER_MINUTE = 200
"""What may stay of a minute with some fifteen events; about 30 do, in caches that have a bound."""


TWO_LIVES = Counter(ZwaveDevice=10, Life=2, Link=2, HubClient=2)
"""The frames of the connection that was lost last may live until the next one is; ten are lost in the hour."""


class Traffic:
    """What happens on the network. Keeps the book that the hub's journal is compared with."""

    def __init__(self, site: LiveSite, network: ZwaveNetwork, seed: int) -> None:
        self._site = site
        self._network = network
        self._client = client_of(site)
        self._random = random.Random(seed)
        self._is_locked = dict.fromkeys(LOCKS, False)
        self.uses: dict[int, list[tuple[bool, int]]] = {node: [] for node in LOCKS}
        self._faults: tuple[Callable[[], Awaitable[object]], ...] = (
            self._dead_node,
            self._mute_node,
            self._jam,
            self._blip,
            self._lost_server,
            self._order,
        )

    async def minute(self, number: int) -> None:
        """Play one minute of the hour."""
        for node in LOCKS:
            await self._keypad(node)
        await self._network.op("sensor", node=4, type=1, value=round(self._random.uniform(18, 24), 1))
        await self._network.op("battery", node=self._random.choice(LOCKS), level=self._random.randint(85, 95))
        await self._manual(self._random.choice(LOCKS))
        await self._faults[number % len(self._faults)]()

    async def _keypad(self, node: int) -> None:
        locked, user = not self._is_locked[node], self._random.randint(1, 20)
        await self._network.op("keypad", node=node, locked=locked, user=user)
        self._is_locked[node] = locked
        self.uses[node].append((locked, user))
        try:
            await eventually(lambda: self.told(node) == self.uses[node], 15)
        except TimeoutError:
            raise AssertionError(f"node {node}: told {self.told(node)}, not {self.uses[node]}") from None

    async def _manual(self, node: int) -> None:
        self._is_locked[node] = not self._is_locked[node]
        await self._network.op("manual", node=node, locked=self._is_locked[node])
        await self._shown(node)

    async def _order(self) -> None:
        node = self._random.choice(LOCKS)
        self._is_locked[node] = not self._is_locked[node]
        verb = "lock" if self._is_locked[node] else "unlock"
        attempt = (await self._client.ok(f"/locks/{verb}_door", {"device_id": self.device_id(node)}))["action_attempt"]
        assert attempt["status"] == "success", attempt
        await self._shown(node)

    async def settle(self) -> None:
        """Wait until every lock obeys: the stick works, and whatever was asked of the locks at the start is over."""
        for node in LOCKS:
            await until(partial(self._obeys, node), 40)

    async def _obeys(self, node: int) -> bool:
        """Tell a lock to stay as it is."""
        verb = "lock" if self._is_locked[node] else "unlock"
        attempt = (await self._client.ok(f"/locks/{verb}_door", {"device_id": self.device_id(node)}))["action_attempt"]
        return bool(attempt["status"] == "success")

    async def _dead_node(self) -> None:
        node = self._random.choice(LOCKS)
        await self._network.op("dead", node=node, on=True)
        attempt = (await self._client.ok("/locks/lock_door", {"device_id": self.device_id(node)}))["action_attempt"]
        assert attempt["status"] != "success"
        await self._network.op("dead", node=node, on=False)
        await self._keypad(node)

    async def _mute_node(self) -> None:
        await self._network.op("mute", node=4, on=True)
        await self._network.op("sensor", node=4, type=1, value=30.0)
        await self._network.op("mute", node=4, on=False)

    async def _jam(self) -> None:
        node = self._random.choice(LOCKS)
        await self._network.op("jam", node=node)
        await eventually(lambda: self._state(node).jammed, 15)
        await self._network.op("unjam", node=node)
        await self._keypad(node)

    async def _blip(self) -> None:
        await self._network.unplug()
        await asyncio.sleep(1)
        await self._network.plug()
        await self.settle()

    async def _lost_server(self) -> None:
        await self._network.kill_server()
        await eventually(lambda: not self._site.hub.health["radio"].is_connected, 15)
        await self._network.start_server()
        await eventually(lambda: self._site.hub.health["radio"].is_connected, 40)
        await self.settle()

    async def _shown(self, node: int) -> None:
        await eventually(lambda: self._state(node).locked is self._is_locked[node], 20)

    def _state(self, node: int) -> Any:
        return self._site.hub.devices[self.device_id(node)].state

    def device_id(self, node: int) -> str:
        """Return the device that a node is."""
        records = self._site.hub.devices.values()
        names = {2: "-node-2-", 5: "-node-5-", 3: "-dsk-"}
        wanted = names[node]
        found = [r.device.device_id for r in records if wanted in r.device.description.native_id]
        found = found or [r.device.device_id for r in records if f"-node-{node}-" in r.device.description.native_id]
        (device_id,) = found
        return device_id

    def told(self, node: int) -> list[tuple[bool, int]]:
        """Return the uses of a keypad that the journal has told."""
        return self._told.get(self.device_id(node), [])

    _told: dict[str, list[tuple[bool, int]]]

    async def read_journal(self) -> None:
        """Follow the journal for ever."""
        self._told = {}
        journal, seq = self._site.hub.journal, 0
        while True:
            for row in await journal.rows(seq, 500):
                seq = row.seq
                if isinstance(row.event, LockChanged) and row.event.method == "keycode" and row.device_id:
                    self._told.setdefault(row.device_id, []).append((row.event.locked, row.event.user_slot or 0))
            await journal.wait_beyond(seq)


class Leftovers:
    """What there is of the hub in memory."""

    def __init__(self) -> None:
        gc.collect()
        everything = gc.get_objects()
        self.objects = len(everything)
        kinds = (ZwaveDevice, Life, Link, HubClient)
        self.of_the_driver = Counter(type(one).__name__ for one in everything if isinstance(one, kinds))
        self.tasks = Counter(task.get_name().split("-")[0] for task in asyncio.all_tasks())


@pytest.mark.parametrize(
    "minutes", [pytest.param(9, marks=pytest.mark.timeout(120)), pytest.param(60, marks=pytest.mark.soak)]
)
async def test_a_busy_network_with_faults_leaves_nothing_behind(
    zwave_cache: CacheFor, tmp_path: Path, minutes: int
) -> None:
    cache = await asyncio.to_thread(zwave_cache, NODES)
    pace = replace(FAST, open_attempts=40)
    async with ZwaveNetwork(nodes=NODES, cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ncontroller_check_seconds = 0.5\n'
        async with running_site(tmp_path / "data", drivers) as site:
            traffic = Traffic(site, network, seed=minutes)
            reading = asyncio.create_task(traffic.read_journal())
            try:
                await traffic.settle()
                before: Leftovers | None = None
                for number in range(minutes):
                    await traffic.minute(number)
                    if number == WARM_UP + 2:
                        before = Leftovers()
                assert before is not None
                await until(lambda: _quiet(site))
                after = Leftovers()
            finally:
                reading.cancel()
                await asyncio.wait({reading})
            assert {node: traffic.told(node) for node in LOCKS} == traffic.uses
            assert after.of_the_driver <= TWO_LIVES, after.of_the_driver
            assert sum(after.tasks.values()) <= sum(before.tasks.values()) + 2, (before.tasks, after.tasks)
            grown = (after.objects - before.objects) / (minutes - WARM_UP - 3)
            assert grown < OBJECTS_PER_MINUTE, f"{grown:.0f} objects stay of each minute"


async def _quiet(site: LiveSite) -> bool:
    return site.hub.dispatcher.under_way == 0
