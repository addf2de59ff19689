"""The simulator is what it claims to be, seen by the real client through the real server."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from zwave_js_server.const import CommandClass, NodeStatus, SecurityClass, SetValueStatus
from zwave_js_server.const.command_class.access_control import (
    SetCredentialResult,
    SetUserResult,
    UserCredentialType,
)
from zwave_js_server.exceptions import CannotConnect, FailedZWaveCommand
from zwave_js_server.model.access_control import SetUserOptions
from zwave_js_server.util.lock import get_usercode_from_node, set_usercode

from tests.sims.zwave import children
from tests.sims.zwave.children import Child
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, SimulatorError, ZwaveNetwork, require_node
from tests.sims.zwave.watcher import Watcher, connected

pytestmark = pytest.mark.node

LOCKS = (2, 3, 5)
JAMMED = 11
ALL_CODES_DELETED, CODE_DELETED, CODE_ADDED = 12, 13, 14
NO_ACK = 204
PORT_CLOSED = 202


async def test_the_nodes_are_interviewed(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        nodes = watcher.nodes
        assert sorted(nodes) == [1, 2, 3, 4, 5]
        assert all(node.ready for node in nodes.values())
        assert nodes[2].highest_security_class is SecurityClass.NONE
        assert nodes[3].highest_security_class is SecurityClass.S2_ACCESS_CONTROL
        assert nodes[5].highest_security_class is SecurityClass.S0_LEGACY
        assert nodes[5].device_config.label == "BE469ZP"
        assert watcher.value(4, CommandClass.SENSOR_MULTILEVEL, "Air temperature").value == 21.5


async def test_locks_obey(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        answers = {}
        for node in LOCKS:
            answers[node] = await watcher.lock(node, locked=True)
            await watcher.value_becomes(node, "currentMode", 255)
            assert await zwave_network.op("locked", node=node) is True
            await watcher.lock(node, locked=False)
            await watcher.value_becomes(node, "currentMode", 0)
            assert await zwave_network.op("locked", node=node) is False
            assert await zwave_network.op("lock_sets", node=node) == 2
    assert answers == {
        2: SetValueStatus.SUCCESS,
        3: SetValueStatus.WORKING,
        5: SetValueStatus.SUCCESS_UNSUPERVISED,
    }


@pytest.mark.parametrize("zwave_network", [(9, 10)], indirect=True)
async def test_thermostats_obey_and_count(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        await zwave_network.op("climate_frames", node=10, reset=True)
        result = await watcher.nodes[10].async_set_value("10-67-0-setpoint-1", 70, wait_for_result=True)
        assert result is not None
        assert result.status is SetValueStatus.SUCCESS_UNSUPERVISED
        assert (await zwave_network.op("climate", node=10))["setpoints"] == {"1": 70, "2": 77}
        assert await zwave_network.op("climate_frames", node=10) == {"ThermostatSetpointCCSet": 1}
        await zwave_network.op("faults", node=10, keepsOld=True)
        await watcher.nodes[10].async_set_value("10-67-0-setpoint-1", 60)
        assert (await zwave_network.op("climate", node=10))["setpoints"]["1"] == 70
        await zwave_network.op("faults", node=10)
        await zwave_network.op("thermostat", node=10, setpoint={"type": 1, "value": 66})
        await watcher.value_becomes(10, "setpoint", 66)
        assert watcher.nodes[10].values["10-67-0-setpoint-1"].metadata.unit == "°F"


@pytest.mark.parametrize("zwave_network", [(9, 10)], indirect=True)
async def test_a_valve_sleeps_until_it_is_woken(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        await zwave_network.op("wake", node=9)
        async with asyncio.timeout(10):
            while not (await zwave_network.op("state", node=9)).get("sim.asleep"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        assert watcher.nodes[9].status is NodeStatus.ASLEEP
        for op in ("climate_frames", "frames_on_air"):
            await zwave_network.op(op, node=9, reset=True)
        await watcher.nodes[9].async_set_value("9-67-0-setpoint-1", 18)  # which zwave-js keeps for it
        await asyncio.sleep(0.3)
        assert await zwave_network.op("frames_on_air", node=9) == 0
        await zwave_network.op("wake", node=9)
        await watcher.value_becomes(9, "setpoint", 18)
        assert (await zwave_network.op("climate", node=9))["setpoints"] == {"1": 18, "11": 17}
        assert (await zwave_network.op("climate_frames", node=9))["ThermostatSetpointCCSet"] == 1


async def test_someone_at_the_door(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        for node in LOCKS:
            await zwave_network.op("keypad", node=node, locked=True, user=3)
            heard = await watcher.until(node, "notification")
            assert heard["notification"].event_label == "Keypad lock operation"
            assert heard["notification"].parameters == {"userId": 3}
            for op, label in (("manual", "Manual unlock operation"), ("rf", "RF unlock operation")):
                await zwave_network.op(op, node=node, locked=False)
                heard = await watcher.until(node, "notification")
                assert heard["notification"].event_label == label
            await watcher.value_becomes(node, "targetMode", 0)
            assert await zwave_network.op("lock_sets", node=node) == 0


async def test_jam_door_and_battery(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        for node in LOCKS:
            await zwave_network.op("jam", node=node)
            args = await watcher.value_becomes(node, "Access Control", JAMMED)
            assert args["propertyKey"] == "Lock state"
            await zwave_network.op("unjam", node=node)
            await watcher.value_becomes(node, "Access Control", 0)
        assert not [kind for _, kind, _ in watcher.heard if kind == "notification"], "a jam is a state"

        await zwave_network.op("door", node=2, open=True)
        assert (await watcher.value_becomes(2, "doorStatus", "open"))["prevValue"] == "closed"
        with pytest.raises(SimulatorError, match="node 3 has no door sensor"):
            await zwave_network.op("door", node=3, open=True)

        await zwave_network.op("battery", node=2, level=9)
        await watcher.value_becomes(2, "level", 9)
        await zwave_network.op("battery", node=2, level=255)
        assert (await watcher.until(2, "notification"))["notification"].event_type == "battery low"


async def test_locks_that_do_not_obey(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        await zwave_network.op("faults", node=2, rejectSets=True)
        assert await watcher.lock(2, locked=True) is SetValueStatus.FAIL
        await zwave_network.op("faults", node=2, jamOnSet=True)
        assert await watcher.lock(2, locked=True) is SetValueStatus.FAIL
        await watcher.value_becomes(2, "Access Control", JAMMED)
        await zwave_network.op("faults", node=2, ignoreLockSets=True)
        # The driver believes a lock that says nothing, until it reads the state back.
        assert await watcher.lock(2, locked=True) is SetValueStatus.SUCCESS_UNSUPERVISED
        await watcher.value_becomes(2, "currentMode", 255)
        await watcher.value_becomes(2, "currentMode", 0)
        assert await zwave_network.op("lock_sets", node=2) == 3


async def test_a_dead_lock_and_one_whose_answers_are_lost(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        await zwave_network.op("dead", node=3)
        await _expect_no_ack(watcher, 3)
        assert watcher.nodes[3].status is NodeStatus.DEAD
        assert await zwave_network.op("lock_sets", node=3) == 0
        await zwave_network.op("dead", node=3, on=False)
        assert await watcher.nodes[3].async_ping() is True
        await watcher.until(3, "alive")

        await zwave_network.op("mute", node=2)
        await _expect_no_ack(watcher, 2)
        assert await zwave_network.op("lock_sets", node=2) == FAST.send_attempts
        assert await zwave_network.op("locked", node=2) is True


async def _expect_no_ack(watcher: Watcher, node: int) -> None:
    with pytest.raises(FailedZWaveCommand) as failure:
        await watcher.lock(node, locked=True)
    assert failure.value.zwave_error_code == NO_ACK
    await watcher.until(node, "dead")


async def test_pins(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        lock = watcher.nodes[2]
        await set_usercode(lock, 4, "135790")
        assert await zwave_network.op("codes", node=2) == {"4": "135790"}
        await set_usercode(lock, 5, "135790")
        assert await zwave_network.op("codes", node=2) == {"4": "135790"}, "a lock refuses a code it has"
        await zwave_network.op("local_code", node=2, slot=7, code="2468")
        await watcher.until(2, "notification", lambda data: data["notification"].event == CODE_ADDED)
        await get_usercode_from_node(lock, 7)  # what it returns may be older than what it has asked for
        assert (await watcher.value_becomes(2, "userCode", "2468"))["propertyKey"] == 7

        users = watcher.nodes[3].access_control
        assert await users.set_user(1, SetUserOptions(active=True)) is SetUserResult.OK
        stored = await users.set_credential(1, UserCredentialType.PIN_CODE, 1, "4711")
        assert stored is SetCredentialResult.OK
        assert await zwave_network.op("codes", node=3) == {"1": "4711"}
        frames = await zwave_network.op("code_frames", node=3, reset=True)
        assert frames == {"UserCredentialCCUserSet": 1, "UserCredentialCCCredentialSet": 1}
        await zwave_network.op("local_code", node=3, slot=2, code="0815")
        await watcher.until(3, "credential added", lambda data: data["args"].data == "0815")
        assert await zwave_network.op("codes", node=3) == {"1": "4711", "2": "0815"}


async def test_locks_that_let_codes_down(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        lock = watcher.nodes[2]
        await zwave_network.op("faults", node=2, claimsCodes=True)
        await set_usercode(lock, 3, "135790")
        assert await zwave_network.op("codes", node=2) == {}
        await zwave_network.op("faults", node=2, storesLate=200)
        await set_usercode(lock, 3, "135790")
        assert await zwave_network.op("codes", node=2) == {}
        await watcher.value_becomes(2, "userCode", "135790")
        await zwave_network.op("faults", node=2, dropsCodes=200)
        await set_usercode(lock, 4, "2468")
        assert await zwave_network.op("codes", node=2) == {"3": "135790", "4": "2468"}
        await watcher.until(2, "notification", lambda data: data["notification"].event == CODE_DELETED)
        assert await zwave_network.op("codes", node=2) == {"3": "135790"}
        await zwave_network.op("faults", node=2)
        await zwave_network.op("habits", node=2, masksCodes=True, refusesSilently=True)
        assert (await get_usercode_from_node(lock, 3))["in_use"] is True
        await watcher.value_becomes(2, "userCode", "******")
        await set_usercode(lock, 5, "135790")
        await zwave_network.op("local_wipe", node=2)
        await watcher.until(2, "notification", lambda data: data["notification"].event == ALL_CODES_DELETED)
        assert await zwave_network.op("codes", node=2) == {}


async def test_the_stick_is_pulled_and_put_back(zwave_network: ZwaveNetwork) -> None:
    async with connected(zwave_network.url) as watcher:
        await zwave_network.unplug()
        with pytest.raises(FailedZWaveCommand) as failure:
            await watcher.lock(2, locked=True)
        assert failure.value.zwave_error_code == PORT_CLOSED
        async with asyncio.timeout(10):
            await asyncio.wait([watcher.listening])  # the driver gives up, the server closes the websocket
    await zwave_network.wait_not_listening()
    assert "server" in zwave_network.pids
    with pytest.raises(CannotConnect):
        async with connected(zwave_network.url):
            pass
    await zwave_network.plug()
    await zwave_network.wait_listening()
    await zwave_network.wait_ready()
    async with connected(zwave_network.url) as watcher:
        assert await watcher.lock(2, locked=True) is SetValueStatus.SUCCESS


async def test_the_server_restarts_from_its_cache(zwave_network: ZwaveNetwork) -> None:
    url = zwave_network.url
    await zwave_network.stop_server()
    await zwave_network.op("manual", node=5, locked=True)  # nobody hears it
    await zwave_network.start_server()
    await zwave_network.kill_server()
    assert "server" not in zwave_network.pids
    await zwave_network.start_server()
    await zwave_network.wait_ready()
    assert zwave_network.url == url
    async with connected(url) as watcher:
        await zwave_network.op("keypad", node=3, locked=False, user=2)
        heard = await watcher.until(3, "notification")
        assert heard["notification"].parameters == {"userId": 2}
        assert await watcher.lock(3, locked=True) is SetValueStatus.WORKING
        mode = watcher.value(5, CommandClass.DOOR_LOCK, "currentMode")
        assert mode.value == 0, "the driver starts from its cache and asks no lock for its state"
        await watcher.nodes[5].async_poll_value(mode)
        await watcher.value_becomes(5, "currentMode", 255)
    log = await asyncio.to_thread((zwave_network.directory / "server.log").read_text)
    assert log.count("driver ready - starting server") == 3
    assert "doing a full interview" not in log


async def test_without_reconnect_the_server_ends_with_its_stick(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, (2,))
    async with (
        ZwaveNetwork(nodes=(2,), cache=cache, directory=tmp_path, pace=FAST, reconnect=False) as network,
        connected(network.url) as watcher,
    ):
        await network.unplug()
        async with asyncio.timeout(10):
            await asyncio.wait([watcher.listening])
            await network.wait_server_ended()
        assert set(network.pids) == {"stick"}


async def test_a_failed_start_says_why() -> None:
    with pytest.raises(SimulatorError, match=r"emulated stick ended before(.|\n)*describes no node 11"):
        async with ZwaveNetwork(nodes=(2, 11), pace=FAST):
            pass


async def test_nothing_survives_a_cancelled_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    network = ZwaveNetwork(nodes=(2,), directory=tmp_path, pace=FAST)
    started: dict[str, int] = {}

    async def cancelled(*_: object) -> None:
        started.update(network.pids)
        starting.cancel()
        await asyncio.sleep(0)

    monkeypatch.setattr(Child, "wait_for", cancelled)
    starting = asyncio.create_task(network.__aenter__())
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert set(started) == {"stick", "server"}
    for pid in started.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Path(require_node()).name == "node"
    (tmp_path / "package.json").write_bytes((children.HERE / "package.json").read_bytes())
    monkeypatch.setattr(children, "HERE", tmp_path)
    with pytest.raises(SimulatorError, match=r"lacks .*: run `npm ci .*` in tests/sims/zwave"):
        require_node()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorError, match=r"needs Node\.js"):
        require_node()
