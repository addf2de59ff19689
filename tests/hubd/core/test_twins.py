import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.hub import Hub, Instance
from hubd.core.policy import Policy
from hubd.core.twins import are_twins, code_manager, twins_of
from hubd.model import DeviceState
from hubd.model.event import DuplicateNoticed
from hubd.store.records import DeviceRecord, Row
from tests.support.clock import NOON, ManualClock
from tests.support.hub import ScriptedDriver, bare_hub, lock, until
from tests.support.store import device

CONFIGURED = ("front", "back")
SAME = ("zwave-dsk:11111-22222", "serial:acme:77")


def record(name: str, instance: str = "front", *, age: int = 0, **changes: Any) -> DeviceRecord:
    """Build a managed lock, found so many hours after noon."""
    made = device(name, instance=instance)
    ids = changes.pop("hardware_ids", SAME)
    made = replace(made, description=replace(made.description, hardware_ids=ids))
    found = DeviceRecord(made, DeviceState(), is_managed=True, found_at=NOON + timedelta(hours=age))
    return replace(found, **changes)


@asynccontextmanager
async def two_ways_in(path: Path, front: ScriptedDriver, back: ScriptedDriver) -> AsyncIterator[Hub]:
    """Run a hub with two drivers, `front` and `back`; enters once both are connected."""
    async with bare_hub(path, ManualClock()) as hub:
        for name, driver in (("front", front), ("back", back)):
            hub.add(Instance(name, driver.manifest(), driver, Policy(("lock",))))
            await until(lambda: all(health.is_connected for health in hub.health.values()))
        yield hub


async def noticed(hub: Hub) -> list[Row]:
    """Return the journal's rows about duplicates."""
    return [row for row in await hub.journal.rows(0, 1000) if isinstance(row.event, DuplicateNoticed)]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (record("b", "back"), True),
        (record("b", "back", hardware_ids=("mac:x", "serial:acme:77")), True),
        (record("b", "back", hardware_ids=("serial:acme:78",)), False),
        (record("b", "back", hardware_ids=()), False),
        (record("b"), False),
        (record("b", "back", removed_at=NOON), False),
    ],
    ids=["the same ids", "one id in common", "another number", "no ids", "the same instance", "removed"],
)
def test_what_is_one_piece_of_hardware(other: DeviceRecord, *, expected: bool) -> None:
    one = record("a")
    assert are_twins(one, other) is are_twins(other, one) is expected


def test_twins_are_found_through_several_hands() -> None:
    """Each way in may know the hardware by another number."""
    a = record("a", hardware_ids=("x",), twins=("b",))
    b = record("b", "back", age=2, hardware_ids=("x", "y"), twins=("a", "c"))
    c = record("c", "side", age=1, hardware_ids=("y",), twins=("b", "gone"))
    devices = {one.device.device_id: one for one in (a, b, c)}
    assert [twins_of(devices, one) for one in (a, b, c)] == [[c, b], [a, c], [a, b]]
    assert twins_of(devices | {"b": replace(b, removed_at=NOON)}, a) == []


def test_the_managed_one_manages_codes_and_of_several_the_one_found_first() -> None:
    first, second = record("b"), record("a", "back", age=1)
    for order in itertools.permutations((first, second)):
        assert code_manager(order, CONFIGURED) is first
        assert code_manager([replace(one, is_managed=one is second) for one in order], CONFIGURED) == second
        assert code_manager(order, ("back",)) is second
        assert code_manager(order, ()) is None


async def test_the_same_hardware_behind_two_drivers_is_noticed_once(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    front, back = lock("a", hardware_ids=SAME), lock("z", hardware_ids=SAME[1:])
    for _ in range(2):
        async with two_ways_in(path, ScriptedDriver(front, lock("b")), ScriptedDriver(back)) as hub:
            (row,) = await noticed(hub)
            event = row.event
            assert isinstance(event, DuplicateNoticed)
            newer, older = (hub.devices[device_id] for device_id in event.device_ids)
            assert (older.name, newer.name) == ("Lock a", "Lock z")
            assert (row.instance, row.device_id, row.public) == ("back", newer.device.device_id, None)
            assert (event.other_name, event.hardware_id) == ("Lock a", SAME[1])
            assert twins_of(hub.devices, older) == [newer]
            assert twins_of(hub.devices, newer) == [older]
            assert code_manager((newer, older), hub.instances) is older


async def test_two_that_are_announced_at_the_same_moment_are_noticed(tmp_path: Path) -> None:
    async with two_ways_in(tmp_path / "x.sqlite", ScriptedDriver(), ScriptedDriver()) as hub:
        await asyncio.gather(
            hub.found("front", lock("a", hardware_ids=SAME), ()), hub.found("back", lock("a", hardware_ids=SAME), ())
        )
        assert len(await noticed(hub)) == 1


async def test_a_twin_that_is_removed_or_changed_is_one_no_more_and_one_that_returns_is_not_news(
    tmp_path: Path,
) -> None:
    front, back = ScriptedDriver(lock("a", hardware_ids=SAME)), ScriptedDriver(lock("z"))
    async with two_ways_in(tmp_path / "x.sqlite", front, back) as hub:
        assert await noticed(hub) == []
        twin = lock("z", hardware_ids=SAME)
        for step in ("told", "removed", "back", "changed", "back"):
            if step == "removed":
                await back.living_port.removed("z", "It was excluded.")
            else:
                await back.living_port.found(lock("z", hardware_ids=("mac:1",)) if step == "changed" else twin)
            (mine,) = [one for one in hub.devices.values() if one.device.instance == "front"]
            assert len(twins_of(hub.devices, mine)) == (step in {"told", "back"}), step
        assert len(await noticed(hub)) == 1
