"""The door for facts, as far as codes go through it: what is kept, what is forgotten, who is woken."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from hubd.core.hub import Hub
from hubd.core.policy import Policy
from hubd.model import CodeHintSeen, CodeSeen, KeypadCapability
from hubd.model.errors import StoreError
from tests.support.hub import LiveHub, ScriptedDriver, live_hub, lock
from tests.support.store import refuse_writes, take_writes

PIN = "48213077"
NOTHING = Policy(())


def keypad(native_id: str = "a") -> ScriptedDriver:
    """Build a driver of one lock whose keypad is not the hub's to read: every slot is reserved but the second."""
    made = lock(native_id)
    ability = KeypadCapability(slots=3, reserved_slots=(1, 3))
    return ScriptedDriver(replace(made, capabilities=replace(made.capabilities, keypad=ability)))


def reading(live: LiveHub, slot: int = 2, native_id: str = "a") -> CodeSeen:
    ref = live.driver.living_port.secrets.seal(PIN)
    return CodeSeen(native_id=native_id, slot=slot, is_used=True, pin_ref=ref)


def kept(hub: Hub) -> str:
    return repr(hub.vault)


async def test_a_reading_leaves_no_pin_in_memory(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", keypad()) as live:
        port = live.driver.living_port
        await port.publish(reading(live), reading(live), reading(live, slot=1))
        assert kept(live.hub) == "Vault(0 sealed)"
        (code,) = live.hub.codes.of(live.id_of("a"))
        assert live.hub.codes.pin(code) == PIN


async def test_nor_do_first_readings_and_those_of_devices_never_found(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", keypad()) as live:
        port = live.driver.living_port
        await port.found(lock("b"), reading(live, native_id="b"))
        await port.publish(reading(live, native_id="nobody"))
        assert kept(live.hub) == "Vault(0 sealed)"


@pytest.mark.parametrize("door", ["publish", "found"])
async def test_nor_does_a_reading_that_cannot_be_written(tmp_path: Path, door: str) -> None:
    async with live_hub(tmp_path / "x.sqlite", keypad()) as live:
        port = live.driver.living_port
        doors: dict[str, Callable[[CodeSeen], Awaitable[object]]] = {
            "publish": port.publish,
            "found": lambda seen: port.found(live.driver.devices[0], seen),
        }
        await refuse_writes(live.hub.journal.database)
        with pytest.raises(StoreError):
            await doors[door](reading(live))
        await take_writes(live.hub.journal.database)
        assert kept(live.hub) == "Vault(0 sealed)"
        assert live.hub.codes.of(live.id_of("a")) == []


async def test_a_hint_is_kept_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path, keypad()) as live:
        live.hub.dispatcher.is_closing = True
        await live.driver.living_port.publish(CodeHintSeen(native_id="a", change="changed", slot=2))
        device_id = live.id_of("a")
    async with live_hub(path, keypad(), wait=False) as live:
        assert live.hub.codes.book(device_id).hints == (2,)


async def test_codes_of_a_device_that_is_not_managed_are_known_and_not_public(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver()) as live:
        live.hub.instances["front"] = replace(live.hub.instances["front"], policy=NOTHING)
        port = live.driver.living_port
        await port.found(keypad().devices[0], reading(live))
        assert len(live.hub.codes.of(live.id_of("a"))) == 1
        assert [row.public for row in await live.rows("code.created")] == [None]
