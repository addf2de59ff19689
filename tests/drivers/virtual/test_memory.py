import asyncio
import logging
import threading
from pathlib import Path

import pytest
from hubd_drivers.virtual import memory as memory_module
from hubd_drivers.virtual.keypad import StoredCode
from hubd_drivers.virtual.memory import MEMORY, Memory, Notebook, recall, remember
from hubd_drivers.virtual.site import VirtualDevice, build
from hubd_drivers.virtual.thermostat import Thermostat

from hubd.driver.contract import RecordingPort
from hubd.model import Climate, ClimateSetting, KeypadCapability, TimeFrame
from tests.support.clock import NOON

KEYPAD = KeypadCapability(slots=3)


def a_port(storage: Path, instance: str = "contract") -> RecordingPort:
    port = RecordingPort(instance)
    port.__dict__["storage"] = storage
    return port


def codes_of(device: VirtualDevice) -> dict[int, StoredCode]:
    assert device.keypad is not None
    return device.keypad.codes


def thermostat_of(devices: dict[str, VirtualDevice]) -> Thermostat:
    thermostat = devices["thermostat-1"].thermostat
    assert thermostat is not None
    return thermostat


async def a_life(storage: Path, instance: str = "contract") -> tuple[dict[str, VirtualDevice], Notebook, RecordingPort]:
    """Start on a directory as the driver does."""
    devices, port = build(2, 1, KEYPAD), a_port(storage, instance)
    book = Notebook(devices, KEYPAD)
    await book.read(port)
    return devices, book, port


def test_a_memory_that_is_damaged_is_none(tmp_path: Path) -> None:
    assert recall(tmp_path) == Memory()
    remember(tmp_path, Memory((5,), ("lock-1",), b"\x00\xff"))
    assert recall(tmp_path) == Memory((5,), ("lock-1",), b"\x00\xff")
    (tmp_path / MEMORY).write_text("{")
    assert recall(tmp_path) == Memory()


def test_a_memory_of_before_codes_were_kept(tmp_path: Path) -> None:
    (tmp_path / MEMORY).write_text('{"added":[5],"removed":["lock-1"]}')
    assert recall(tmp_path) == Memory((5,), ("lock-1",))


async def test_a_lock_holds_its_codes_over_a_restart(tmp_path: Path) -> None:
    devices, book, port = await a_life(tmp_path)
    held = {
        1: StoredCode("47110815", TimeFrame(NOON, NOON.replace(day=2))),
        3: StoredCode("0815", is_one_time=True, is_enabled=False),
    }
    codes_of(devices["lock-2"]).update(held)
    await book.keep(port)
    devices, _, _ = await a_life(tmp_path)
    assert codes_of(devices["lock-2"]) == held
    assert codes_of(devices["lock-1"]) == {}


async def test_nobody_reads_a_pin_in_the_file(tmp_path: Path) -> None:
    devices, book, port = await a_life(tmp_path)
    codes_of(devices["lock-1"])[1] = StoredCode("47110815")
    await book.keep(port)
    (file,) = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    content = await asyncio.to_thread(file.read_bytes)
    sealed = (await asyncio.to_thread(recall, tmp_path)).codes
    assert b"47110815" in port.secrets.unwrap(sealed)
    assert b"47110815" not in content + sealed


async def test_codes_that_cannot_be_unsealed_are_gone_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    devices, book, port = await a_life(tmp_path)
    codes_of(devices["lock-1"])[1] = StoredCode("4711")
    book.added = (7,)
    await book.keep(port)
    with caplog.at_level(logging.WARNING):
        devices, _, _ = await a_life(tmp_path, "another")
    assert codes_of(devices["lock-1"]) == {}
    assert "lock-7" in devices
    assert [record.message for record in caplog.records] == [
        "the codes of the simulated locks cannot be read any more; the locks are empty"
    ]


async def test_it_is_read_once_in_the_life_of_a_driver(tmp_path: Path) -> None:
    devices, book, port = await a_life(tmp_path)
    codes_of(devices["lock-1"])[1] = StoredCode("4711")
    await book.keep(port)
    codes_of(devices["lock-1"]).clear()
    await book.read(port)
    assert codes_of(devices["lock-1"]) == {}


async def test_codes_of_a_device_that_is_gone_or_has_no_keypad_go_nowhere(tmp_path: Path) -> None:
    devices, book, port = await a_life(tmp_path)
    codes_of(devices["lock-1"])[1] = codes_of(devices["lock-2"])[1] = StoredCode("4711")
    await book.keep(port)
    fewer = build(1, 0, None)
    await Notebook(fewer, None).read(a_port(tmp_path))
    assert [device.keypad for device in fewer.values()] == [None]


class Writer:
    """Writes in place of `remember`, when it is let."""

    def __init__(self) -> None:
        self.written: list[Memory] = []
        self.begun = threading.Event()
        self.may = threading.Event()

    def __call__(self, storage: Path, memory: Memory) -> None:
        assert storage.is_dir()
        self.begun.set()
        assert self.may.wait(10)
        self.written.append(memory)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Writer:
    writer = Writer()
    monkeypatch.setattr(memory_module, "remember", writer)
    return writer


async def test_those_who_wait_share_a_write(tmp_path: Path, writer: Writer) -> None:
    _, book, port = await a_life(tmp_path)
    async with asyncio.TaskGroup() as group:
        for number in range(1, 21):
            book.added += (number,)
            group.create_task(book.keep(port))
            await asyncio.sleep(0)
        assert await asyncio.to_thread(writer.begun.wait, 10)
        writer.may.set()
    assert [len(memory.added) for memory in writer.written] == [1, 20]


async def test_a_write_whose_caller_is_gone_does_not_overwrite_what_is_newer(tmp_path: Path, writer: Writer) -> None:
    _, book, port = await a_life(tmp_path)
    book.added = (1,)
    first = asyncio.create_task(book.keep(port))
    assert await asyncio.to_thread(writer.begun.wait, 10)
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    book.added = (1, 2)
    second = asyncio.create_task(book.keep(port))
    await asyncio.sleep(0)
    writer.may.set()
    await second
    assert [memory.added for memory in writer.written] == [(1,), (1, 2)]


async def test_a_disk_that_refuses_is_told_and_the_next_write_holds_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, book, port = await a_life(tmp_path)

    def full(_: Path, __: Memory) -> None:
        raise OSError(28, "No space left on device")

    book.added = (1,)
    with monkeypatch.context() as patched:
        patched.setattr(memory_module, "remember", full)
        with pytest.raises(OSError, match="No space left"):
            await book.keep(port)
    book.removed = ("lock-1",)
    await book.keep(port)
    assert await asyncio.to_thread(recall, tmp_path) == Memory((1,), ("lock-1",))


async def test_a_thermostat_stands_as_it_did_over_a_restart(tmp_path: Path) -> None:
    devices, book, port = await a_life(tmp_path)
    thermostat_of(devices).put(ClimateSetting("cool", cooling_set_point_celsius=22.0))
    await book.keep(port)
    assert (await asyncio.to_thread(recall, tmp_path)).climates.keys() == {"thermostat-1"}
    stood = thermostat_of(devices).climate
    devices, book, port = await a_life(tmp_path)
    assert thermostat_of(devices).climate == stood
    await book.keep(port)
    devices, _, _ = await a_life(tmp_path)
    assert thermostat_of(devices).climate == stood


async def test_new_thermostats_are_not_written_down(tmp_path: Path) -> None:
    _, book, port = await a_life(tmp_path)
    await book.keep(port)
    assert (await asyncio.to_thread(recall, tmp_path)).climates == {}


async def test_a_setting_that_cannot_be_any_more_is_gone_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    climates = {"thermostat-1": Climate(hvac_mode="eco"), "thermostat-9": Climate(), "lock-1": Climate()}
    await asyncio.to_thread(remember, tmp_path, Memory(climates=climates))
    with caplog.at_level(logging.WARNING):
        devices, _, _ = await a_life(tmp_path)
    assert thermostat_of(devices).is_new
    (record,) = caplog.records
    assert record.getMessage().startswith("the simulated thermostat-1 is as new: The thermostat has no mode eco")


async def test_only_a_device_of_which_something_is_kept_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Memory] = []
    devices, book, port = await a_life(tmp_path)
    monkeypatch.setattr(memory_module, "remember", lambda _, memory: written.append(memory))
    for device in devices.values():
        assert await book.forget(port, device) is None
    assert written == []
    thermostat_of(devices).warm(20.0)
    device = devices.pop("thermostat-1")
    assert await book.forget(port, device) is None
    assert [memory.climates for memory in written] == [{}]
