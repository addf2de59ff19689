import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.driver import ZwaveDriver
from hubd_drivers.zwave.recording import recorder as module
from hubd_drivers.zwave.recording.recorder import Recorder
from hubd_drivers.zwave.recording.replay import sessions

from hubd.driver import Frame, Recording, RecordingError, SystemClock, Tape, recording
from hubd.driver.contract import RecordingPort, running
from hubd.model import ClearCode, OutcomeKind, ReadCode, SetCode, SimulateKeypadCodeEntry, UnlockDoor
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fake_server import VERSION, Server, dumped
from tests.drivers.zwave.fakes import FastClock, lock_dump
from tests.drivers.zwave.recording.test_redaction import forms
from tests.hubd.driver.test_recording import HEADER
from tests.support.replay import living_on, story
from tests.support.site import LiveSite, eventually, running_site

LISTEN = {"command": "start_listening", "messageId": "a1"}
DUMP = {"type": "result", "success": True, "messageId": "a1", "result": {"state": dumped(lock_dump(2, 0))}}
ALIVE = {"type": "event", "event": {"source": "node", "event": "alive", "nodeId": 2}}
CODES = {"keypad": "83915274", "hub": "62739418", "stranger": "47291835"}


def begun(recorder: Recorder) -> Recorder:
    recorder.note("in", {"type": "version", **VERSION})
    recorder.note("out", LISTEN)
    recorder.note("in", DUMP)
    return recorder


async def test_nothing_is_kept_before_the_state_of_the_network() -> None:
    recorder = Recorder(SystemClock())
    recorder.note("in", ALIVE)
    recorder.note("in", {**DUMP, "messageId": "a7"})
    recorder.note("order", UnlockDoor(device_id="d", native_id="n"))
    begun(recorder)
    recorder.note("in", ALIVE)
    frames = await recorder.read(1)
    assert [frame.way for frame in frames] == ["in", "out", "in", "in"]
    assert [frame.data.get("type", frame.data.get("command")) for frame in frames] == [
        "version",
        "start_listening",
        "result",
        "event",
    ]


async def test_a_dump_may_come_as_text() -> None:
    recorder = Recorder(SystemClock())
    recorder.note("in", {"type": "version", **VERSION})
    recorder.note("out", LISTEN)
    recorder.note("in", json.dumps(DUMP))
    recorder.note("in", "[no json")
    frames = await recorder.read(1)
    assert frames[-1].data["result"]["state"]["nodes"][0]["nodeId"] == 2


async def test_messages_are_numbered_anew_and_answers_without_a_question_are_dropped() -> None:
    recorder = begun(Recorder(SystemClock()))
    recorder.note("in", {"type": "result", "success": True, "messageId": "before", "result": {"pin": "1"}})
    recorder.note("out", {"command": "controller.is_failed_node", "nodeId": 1, "messageId": "4711"})
    recorder.note("in", {"type": "result", "success": True, "messageId": "4711", "result": {"failed": False}})
    recorder.note("in", {"type": "result", "success": True, "messageId": "4711", "result": {"failed": True}})
    frames = (await recorder.read(1))[3:]
    assert [(frame.way, frame.data["messageId"]) for frame in frames] == [("out", "m2"), ("in", "m2")]


async def test_an_order_names_its_device_as_the_network_does() -> None:
    recorder = begun(Recorder(SystemClock()))
    recorder.note("order", UnlockDoor(device_id="d", native_id="n"))
    recorder.note("order", SimulateKeypadCodeEntry(device_id="d", native_id="n", pin_ref="ref"))
    assert [frame.data for frame in (await recorder.read(1))[3:]] == [
        {"type": "UNLOCK_DOOR", "native_id": "n"},
        {"type": "SIMULATE_KEYPAD_CODE_ENTRY", "native_id": "n", "pin_ref": "***"},
    ]


async def test_silence_is_no_frame() -> None:
    assert await Recorder(FastClock()).read(1) == []


async def test_a_slow_reader_gets_an_error_and_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    recorder = begun(Recorder(SystemClock()))
    for _ in range(20):
        recorder.note("in", ALIVE)
    with pytest.raises(RecordingError) as caught:
        await recorder.read(1)
    assert caught.value.code == "recording_overflow"


async def agree(socket: web.WebSocketResponse, command: dict[str, Any]) -> None:
    await socket.send_json({"type": "result", "success": True, "messageId": command["messageId"], "result": {}})


@asynccontextmanager
async def life(driver: ZwaveDriver) -> AsyncIterator[None]:
    async with running(driver, RecordingPort()):
        yield


async def test_a_recording_joins_a_life_under_way_and_goes_on_in_the_next() -> None:
    server = Server({"type": "version", **VERSION}, dumped(lock_dump(2, 0)), agree)
    frames: list[Frame] = []
    async with server.serving() as url:
        driver = ZwaveDriver(ZwaveConfig(url=url))
        async with AsyncExitStack() as stack:
            async with life(driver):
                tape = await stack.enter_async_context(driver.record(SystemClock()))
                await read_until(tape, frames, "result")
            server.state = dumped(lock_dump(2, 255))
            await read_until(tape, frames, "closed")
            async with life(driver):
                await read_until(tape, frames, "result")
    first, second = sessions(Recording(header=HEADER, frames=tuple(frames)))
    modes = [played.dump["state"]["nodes"][0]["values"][0]["value"] for played in (first, second)]  # type: ignore[index]
    assert modes == [0, 255]


async def test_a_recording_without_a_link_waits_for_one() -> None:
    driver = ZwaveDriver(ZwaveConfig(url="ws://127.0.0.1:1"))
    async with driver.record(SystemClock()) as tape:
        assert await tape.read(0.01) == []


async def test_one_link_has_one_recording() -> None:
    driver = ZwaveDriver(ZwaveConfig())
    for _ in range(2):
        async with driver.record(SystemClock()):
            with pytest.raises(RecordingError) as caught:
                async with driver.record(SystemClock()):
                    raise AssertionError("it began")
            assert caught.value.code == "recording_under_way"


async def read_until(tape: Tape, frames: list[Frame], kind: str) -> None:
    """Read on until a message of this type came (a `result` that is a dump)."""
    async with asyncio.timeout(10):
        while True:
            new = await tape.read(1)
            frames += new
            came = [one.data for one in new if one.way == "in" and one.data["type"] == kind]
            if (kind != "result" and came) or any("state" in data.get("result", {}) for data in came):
                return


@asynccontextmanager
async def recorded(site: LiveSite, out: bytearray) -> AsyncIterator[None]:
    """Record while the block runs, from when the dump is there."""

    async def listen() -> None:
        url = f"{site.url}/hub/drivers/record?instance=zwave&seconds=600"
        async with site.session.get(url, headers={"authorization": f"Bearer {site.token}"}) as response:
            assert response.status == 200
            async for piece in response.content.iter_any():
                out.extend(piece)

    task = asyncio.create_task(listen())
    try:
        await eventually(lambda: b'"state"' in out and out.count(b"_cached") > 2, 20)
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def set_codes(network: SharedNetwork, site: LiveSite) -> None:
    """Put a PIN on a lock in every way there is: at its keypad, by the hub itself, by another client."""
    driver: Any = site.hub.instances["zwave"].driver
    place = {"commandClass": 99, "endpoint": 0, "property": "userCode", "propertyKey": 7}
    credential = {"userId": 2, "credentialType": 1, "credentialSlot": 2, "data": CODES["hub"]}
    for node in (2, 3, 5):
        native_id = next(one.native_id for one in driver._life._roster if one.node_id == node)  # noqa: SLF001
        at = {"device_id": "d", "native_id": native_id, "slot": 9}
        sealed = driver._life._port.secrets.seal(CODES["hub"])  # noqa: SLF001
        assert (await driver.execute(SetCode(**at, pin_ref=sealed))).kind is OutcomeKind.DONE
        assert (await driver.execute(ReadCode(**at))).kind is OutcomeKind.DONE
        assert (await driver.execute(ClearCode(**at))).kind is OutcomeKind.DONE
    await network.op("local_code", node=2, slot=3, code=CODES["keypad"])
    await driver._link.command("node.poll_value", nodeId=2, valueId={**place, "propertyKey": 3})  # noqa: SLF001
    await driver._link.command("endpoint.access_control.set_credential", nodeId=3, endpoint=0, **credential)  # noqa: SLF001
    await driver._link.command("endpoint.access_control.get_credentials", nodeId=3, endpoint=0, userId=2)  # noqa: SLF001
    async with aiohttp.ClientSession() as session, session.ws_connect(network.url, max_msg_size=0) as other:
        command = {"command": "node.set_value", "nodeId": 2, "valueId": place, "value": CODES["stranger"]}
        for message in ({"command": "initialize", "schemaVersion": 50}, command):
            await other.send_json({"messageId": "1", **message})
            while (await other.receive_json())["type"] != "result":
                pass
    await driver._link.command("node.poll_value", nodeId=2, valueId=place)  # noqa: SLF001


@pytest.mark.node
async def test_a_session_is_recorded_without_its_pins_and_lived_again(network: SharedNetwork, tmp_path: Path) -> None:
    out = bytearray()
    table = f'[drivers.zwave]\ntype = "zwave"\nurl = "{network.url}"\n'
    async with running_site(tmp_path / "site", table) as site:
        locks = {
            record.device.description.native_id.split("-")[2]: record
            for record in site.hub.devices.values()
            if record.device.description.kind == "lock"
        }
        before = len(await story(site.hub))
        async with recorded(site, out):
            await set_codes(network, site)
            await network.op("keypad", node=2, locked=True, user=3)
            await changes(site, before, 1)
            await network.op("manual", node=5, locked=True)
            await changes(site, before, 2)
            await asyncio.sleep(0.8)  # uses of one lock within the attribution window could be one use
            order = {"device_id": locks["2"].device.device_id}
            attempt = await site.call("/locks/unlock_door", json=order)
            assert attempt.body["action_attempt"]["status"] == "success"
            await network.op("keypad", node=3, locked=True, user=2)
            await changes(site, before, 4)
            await eventually(lambda: b'"eventLabel":"Keypad lock operation"' in out.split(b"UNLOCK_DOOR")[-1])
        was = [one for one in (await story(site.hub))[before:] if one[0] == "lock.changed"]
        devices = {record.device.description for record in site.hub.devices.values()}
    for who, pin in CODES.items():
        held = [form for form in encodings(pin) if form.encode() in out]
        assert held == [], f"the PIN of {who} is in the recording"
    assert out.count(b'"newValue":"********"') >= 2, "the PINs did pass the link"
    whole = out[: out.rindex(b"\n") + 1]
    played = recording.read(io.BytesIO(whole).readline)
    assert len(sessions(played)) == 1
    async with living_on(played, tmp_path / "replay", speed=2.0) as hub:

        def last() -> bool:
            return any("-node-3-" in r.device.description.native_id and r.state.locked for r in hub.devices.values())

        await eventually(last, 30)
        is_ = [one for one in await story(hub) if one[0] == "lock.changed"]
        assert {record.device.description for record in hub.devices.values()} == devices
    assert is_ == was
    assert [method for *_, told in was for method in [told["method"]]] == ["keycode", "manual", "remote", "keycode"]


async def changes(site: LiveSite, before: int, count: int) -> None:
    async with asyncio.timeout(20):
        while sum(one[0] == "lock.changed" for one in (await story(site.hub))[before:]) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def encodings(pin: str) -> list[str]:
    """A PIN as text, hex, bytes in JSON, backwards, and in base64 wherever it may begin."""
    inner = [base64.b64encode(b"x" * shift + pin.encode())[4:-4].decode() for shift in (1, 2, 3)]
    return [*forms(pin), *inner, "".join(f"\\u00{ord(digit):02x}" for digit in pin)]
