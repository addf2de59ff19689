import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hubd_drivers.zwave import life as module
from hubd_drivers.zwave.bolts import Memory
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.events import (
    AllNodesReady,
    BatteryWarned,
    CodeReported,
    ControllerChanged,
    CredentialTold,
    DriverFailed,
    DriverRestarted,
    Event,
    InterviewChanged,
    MetadataReported,
    NodeAdded,
    NodeReady,
    NodeRemoved,
    Notified,
    StatisticsReported,
    StatusChanged,
    ValueReported,
    read_event,
)
from hubd_drivers.zwave.facts import NodeFacts, Statistics, ValueId
from hubd_drivers.zwave.life import Life
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubd.driver import DriverError
from hubd.driver.contract import RecordingPort
from hubd.model import (
    BatterySeen,
    ClimateSeen,
    ClimateSetting,
    CodeHintSeen,
    CodeSeen,
    DoorSeen,
    LinkSeen,
    LockDoor,
    LockSeen,
    OutcomeKind,
    ReachabilitySeen,
    ReadClimate,
    ReadCode,
    Seen,
    SetClimate,
    SimulateRemoval,
    TamperSeen,
)
from tests.drivers.zwave.fakes import CURRENT, Answer, FakeLink, FastClock, lock_node, node, value
from tests.drivers.zwave.strategies import events

ID = "7e570001-node-2-ffff.0001.0002"


class Site:
    def __init__(self, *nodes: NodeFacts, **more: Answer) -> None:
        answers: dict[str, Answer] = {"is_failed_node": {"failed": False}, "poll_value": {}, "get_value_timestamp": {}}
        answers |= {"get_provisioning_entry": {}, "get_known_lifeline_routes": {"routes": {}}}
        self.link = FakeLink(*nodes, **answers | more)
        self.port = RecordingPort(clock=FastClock())
        self.memory = Memory()
        self.life: Life

    @property
    def asked(self) -> list[tuple[str, object]]:
        ids = [(name, told.get("valueId")) for name, told in self.link.sent]
        return [(name, value_id["commandClass"]) for name, value_id in ids if isinstance(value_id, dict)]

    async def seen(self, kind: type[Seen], count: int = 1) -> list[Seen]:
        """Wait until that many of a kind were published, and a little for one too many."""
        async with asyncio.timeout(2.0):
            while len(self._of(kind)) < count:  # noqa: ASYNC110 - a recording port has no event for a count
                await asyncio.sleep(0.002)
        await asyncio.sleep(0.1)
        return self._of(kind)

    def _of(self, kind: type[Seen]) -> list[Seen]:
        return [seen for seen in self.port.seen if isinstance(seen, kind)]


@asynccontextmanager
async def living(*nodes: NodeFacts, **answers: Answer) -> AsyncIterator[Site]:
    """A life with these nodes announced and forgotten by the port, until the block ends."""
    site = Site(*nodes, **answers)
    async with asyncio.TaskGroup() as tasks:

        async def live() -> None:
            async with asyncio.TaskGroup() as inner:
                site.life = Life(ZwaveConfig(), site.port, site.link, inner, site.memory)
                await site.life.announce()
                site.life.start(inner)

        task = tasks.create_task(live())
        await asyncio.sleep(0.01)
        site.port.seen.clear()
        yield site
        task.cancel()


async def test_every_node_is_announced() -> None:
    async with living(
        lock_node(2), node(4, value(64, "mode", 1)), lock_node(3, ready=False, interviewStage="None")
    ) as s:
        assert sorted(device.kind for device in s.port.devices.values()) == ["lock", "thermostat"]
        s.life.note(NodeReady(3, lock_node(3)))
        await s.seen(LockSeen)
        assert len(s.port.devices) == 3


async def test_one_use_of_a_lock_is_one_fact() -> None:
    async with living(lock_node(2, 255)) as s:
        for event in (ValueReported(2, CURRENT, 0), Notified(2, 6, 6, 3), ValueReported(2, CURRENT, 0)):
            s.life.note(event)
        assert await s.seen(LockSeen) == [LockSeen(native_id=ID, locked=False, method="keycode", user_slot=3)]


THERMOSTAT = "7e570001-node-4-ffff.0001.0002"
HEATING = ValueId(67, 0, "setpoint", 1)


async def test_a_thermostat_is_set_and_read_and_its_burst_is_one_reading() -> None:
    thermostat = node(4, value(64, "mode", 1), value(67, "setpoint", 20, key=1, unit="°C"))
    answers = {"set_value": {"result": {"status": 255}}, "poll_value": {"value": 22}}
    async with living(thermostat, **answers) as s:
        setting = ClimateSetting(heating_set_point_celsius=22.0)
        outcome = await s.life.execute(SetClimate(device_id="d", native_id=THERMOSTAT, setting=setting))
        assert outcome.kind is OutcomeKind.DONE
        assert [(name, cc) for name, cc in s.asked if cc == 67] == [("node.set_value", 67), ("node.poll_value", 67)]
        for raw in (18, 19):
            s.life.note(ValueReported(4, HEATING, raw))
        (one,) = await s.seen(ClimateSeen)
        assert isinstance(one, ClimateSeen)
        assert one.climate.heating_set_point_celsius == 19.0
        s.link.answers["poll_value"] = {"value": 1}
        outcome = await s.life.execute(ReadClimate(device_id="d", native_id=THERMOSTAT))
        assert outcome.kind is OutcomeKind.DONE


async def test_what_a_thermostat_says_to_a_command_that_gets_no_answer_is_told() -> None:
    thermostat = node(4, value(64, "mode", 1), value(67, "setpoint", 20, key=1, unit="°C"))
    async with living(thermostat, set_value={"result": {"status": 255}}) as s:

        def says_it_unasked(**_: object) -> dict[str, object]:
            s.life.note(ValueReported(4, HEATING, 18))
            return {}

        s.link.answers["poll_value"] = says_it_unasked
        setting = ClimateSetting(heating_set_point_celsius=22.0)
        outcome = await s.life.execute(SetClimate(device_id="d", native_id=THERMOSTAT, setting=setting))
        assert (outcome.kind, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, ())
        (one,) = await s.seen(ClimateSeen)
        assert isinstance(one, ClimateSeen)
        assert one.climate.heating_set_point_celsius == 18.0


async def test_codes_are_told_of_and_read() -> None:
    pins = {"1": {"numberOfCredentialSlots": 30, "minCredentialLength": 4, "maxCredentialLength": 8}}
    read = {"response": {"userIdStatus": 1, "userCode": "4711"}}
    known = {"get_credential_capabilities_cached": {"capabilities": {"supportedCredentialTypes": pins}}}
    async with living(lock_node(2, 255, classes={98: 4, 99: 1}), **known, get_state={}, invoke_cc_api=read) as s:
        for event in (Notified(2, 6, 14, 3), CodeReported(2, 4, "changed"), CredentialTold(2, "removed", 5, 1)):
            s.life.note(event)
        assert await s.seen(CodeHintSeen, 3) == [
            CodeHintSeen(native_id=ID, change="added", slot=3),
            CodeHintSeen(native_id=ID, change="changed", slot=4),
            CodeHintSeen(native_id=ID, change="removed", slot=5),
        ]
        outcome = await s.life.execute(ReadCode(device_id="d", native_id=ID, slot=3))
        assert outcome.kind is OutcomeKind.DONE
        (code,) = outcome.seen
        assert isinstance(code, CodeSeen)
        assert (code.slot, s.port.reveal(code.pin_ref or "")) == (3, "4711")


ALARM_TYPE, ALARM_LEVEL = ValueId(113, 0, "alarmType"), ValueId(113, 0, "alarmLevel")
KWIKSET = {"manufacturerId": 0x90}


async def test_what_an_old_lock_says_in_its_maker_s_numbers_is_a_use() -> None:
    async with living(lock_node(2, 255, **KWIKSET)) as s:
        s.life.note(ValueReported(2, ALARM_TYPE, 19))
        s.life.note(ValueReported(2, ALARM_LEVEL, 4))
        (seen,) = await s.seen(LockSeen)
        assert isinstance(seen, LockSeen)
        assert (seen.locked, seen.method, seen.user_slot) == (False, "keycode", 4)


async def test_a_use_that_is_told_in_both_ways_is_one_fact() -> None:
    async with living(lock_node(2, 255, **KWIKSET)) as s:
        for event in (
            ValueReported(2, ALARM_TYPE, 19),
            ValueReported(2, ALARM_LEVEL, 4),
            ValueReported(2, CURRENT, 0),
            Notified(2, 6, 6, 4),
        ):
            s.life.note(event)
        (seen,) = await s.seen(LockSeen)
        assert isinstance(seen, LockSeen)
        assert (seen.method, seen.user_slot) == ("keycode", 4)


async def test_numbers_of_a_device_that_is_no_lock_or_of_an_unknown_maker_mean_nothing() -> None:
    async with living(node(3, **KWIKSET), lock_node(2, 255)) as s:
        for node_id in (2, 3, 9):
            s.life.note(ValueReported(node_id, ALARM_TYPE, 22))
            s.life.note(ValueReported(node_id, ALARM_LEVEL, 1))
        s.life.note(ValueReported(2, ALARM_LEVEL, 1))
        await asyncio.sleep(0.1)
        assert not [seen for seen in s.port.seen if isinstance(seen, LockSeen | TamperSeen)]


async def test_how_a_node_is_reached_is_told_with_the_names_on_the_way() -> None:
    async with living(lock_node(2), lock_node(7, name="Corridor")) as s:
        s.life.note(StatisticsReported(2, Statistics(sent=1, repeaters=(7, 8))))
        (seen,) = await s.seen(LinkSeen)
        assert isinstance(seen, LinkSeen)
        assert seen.link.route == ("Corridor", "Node 8")


async def test_a_lock_that_reports_a_turn_by_hand_need_not_be_asked() -> None:
    async with living(lock_node(2, 255)) as s:
        s.life.note(Notified(2, 6, 6, 3))
        await s.seen(LockSeen)
        assert not s.memory.talkative
        s.life.note(Notified(2, 6, 1))
        await s.seen(LockSeen, 2)
        assert s.memory.talkative == {ID}


async def test_the_network_is_scanned_at_the_start() -> None:
    async with living(lock_node(2)) as s:
        async with asyncio.timeout(2.0):
            while not s.port.scans:  # noqa: ASYNC110 - a recording port has no event for it
                await asyncio.sleep(0.002)
        assert s.port.scans == [()]


async def test_a_battery_that_has_lost_much_at_once_is_measured_again() -> None:
    async with living(lock_node(2, 0, value(128, "level", 90))) as s:
        s.life.note(ValueReported(2, ValueId(128, 0, "level"), 20))
        await s.seen(BatterySeen)
        async with asyncio.timeout(10.0):
            while ("node.poll_value", 128) not in s.asked:  # noqa: ASYNC110 - a scripted link has no event for it
                await asyncio.sleep(0.01)
        assert s.asked.count(("node.poll_value", 128)) == 1


async def test_a_node_that_was_included_waits_where_everybody_can_see_it() -> None:
    async with living(lock_node(2)) as s:
        s.life.note(NodeAdded(9, lock_node(9, ready=False, interviewStage="None")))
        async with asyncio.timeout(2.0):
            while not s.port.waits:  # noqa: ASYNC110 - a recording port has no event for it
                await asyncio.sleep(0.002)
        assert s.port.waits == {"node-9": ("Node 9", "Its interview has just begun.")}
        s.life.note(NodeReady(9, lock_node(9)))
        await s.seen(LockSeen)
        assert s.port.waits == {}


async def test_a_movement_that_nothing_explains_is_told_in_the_end() -> None:
    async with living(lock_node(2, 255)) as s:
        s.life.note(ValueReported(2, CURRENT, 0))
        assert await s.seen(LockSeen) == [LockSeen(native_id=ID, locked=False)]


async def test_the_rest_of_what_a_lock_says() -> None:
    async with living(lock_node(2, 255, value(128, "level", 50), value(98, "doorStatus", "closed"))) as s:
        s.life.note(BatteryWarned(2))
        s.life.note(Notified(2, 7, 3))
        s.life.note(StatusChanged(2, 3))
        s.life.note(ValueReported(2, CURRENT._replace(name="doorStatus"), "open"))
        s.life.note(InterviewChanged(2, None))
        assert await s.seen(ReachabilitySeen)
        assert await s.seen(BatterySeen) == [BatterySeen(native_id=ID, level=0.5, low=True)]
        assert await s.seen(TamperSeen) == [TamperSeen(native_id=ID)]
        assert await s.seen(DoorSeen) == [DoorSeen(native_id=ID, open=True)]


async def test_a_lock_that_is_heard_again_is_asked_where_its_bolt_is() -> None:
    async with living(lock_node(2, status=3)) as s:
        assert s.link.count("poll_value") == 0
        s.life.note(StatusChanged(2, 4))
        await s.seen(ReachabilitySeen)
        assert s.link.count("poll_value") == 1


async def test_an_exclusion_is_passed_on_and_the_device_takes_no_more_orders() -> None:
    async with living(lock_node(2)) as s:
        s.life.note(NodeRemoved(2, 0))
        s.life.note(NodeAdded(2))
        s.life.note(ValueReported(2, CURRENT, 255))
        await asyncio.sleep(0.02)
        assert s.port.gone == {ID: "It was excluded from the Z-Wave network."}
        outcome = await s.life.execute(LockDoor(device_id="d", native_id=ID))
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "device_unknown")
        s.life.note(NodeReady(2, lock_node(2)))
        await s.seen(LockSeen)
        assert ID in s.port.devices


async def test_commands() -> None:
    async with living(lock_node(2)) as s:
        s.link.answers["set_value"] = {"result": {"status": 255}}
        s.link.answers["poll_value"] = {"value": 255}
        outcome = await s.life.execute(LockDoor(device_id="d", native_id=ID))
        assert outcome.kind is OutcomeKind.DONE
        assert (await s.life.execute(SimulateRemoval(device_id="d", native_id=ID))).kind is OutcomeKind.UNSUPPORTED


async def test_the_controller_s_status_counts() -> None:
    async with living(lock_node(2)) as s:
        s.link.answers.pop("is_failed_node")
        s.life.note(ControllerChanged(1))
        await asyncio.sleep(0.02)
        assert s.port.lost_hops["controller"].code == "controller_unresponsive"
        s.link.answers["is_failed_node"] = {}
        s.life.note(DriverFailed("the serial port is gone"))
        s.life.note(AllNodesReady())
        await asyncio.sleep(0.02)


async def test_a_metadata_change_is_a_new_description() -> None:
    async with living(lock_node(2)) as s:
        target = CURRENT._replace(name="targetMode")
        s.life.note(MetadataReported(2, target, {"states": {"0": "Unsecured"}}))
        await asyncio.sleep(0.02)
        lock = s.port.devices[ID].capabilities.lock
        assert lock is not None
        assert not lock.can_lock


async def _end_of_a_life_that_hears(heard: Sequence[Event]) -> None:
    async with living(lock_node(2)) as s:
        for event in heard:
            s.life.note(event)
        await asyncio.sleep(1.0)


async def test_a_restart_of_zwave_js_ends_the_life() -> None:
    with pytest.raises(ExceptionGroup) as ended:
        await _end_of_a_life_that_hears([DriverRestarted()])
    assert ended.group_contains(DriverError, match="everything is read anew")


async def test_more_than_can_be_kept_ends_the_life_and_drops_nothing_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "QUEUE_SIZE", 5)
    with pytest.raises(ExceptionGroup) as ended:
        await _end_of_a_life_that_hears([ValueReported(2, CURRENT, 0)] * 7)
    assert ended.group_contains(DriverError, match="More than 5 events")


async def test_what_arrived_before_the_end_is_published(caplog: pytest.LogCaptureFixture) -> None:
    async with living(lock_node(2, 255)) as s:
        s.life.note(Notified(2, 6, 6, 3))
        await s.life.finish()
        assert s.port.position(ID) is False
        s.link.answers.pop("get_value_timestamp")
        s.life.note(NodeReady(3, lock_node(3, 0, value(128, "level", 5))))
        s.life.note(Notified(2, 6, 5, 3))
        with caplog.at_level(logging.WARNING):
            await s.life.finish()
        assert "1 events of zwave-js were not taken in before its loss" in caplog.text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(events(), max_size=10))
def test_no_series_of_events_is_too_odd(raw: list[dict[str, object]]) -> None:
    async def scenario() -> None:
        async with living(lock_node(2, 255), node(3), node(4, value(64, "mode", 1))) as s:
            for event in map(read_event, raw):
                if event is not None and not isinstance(event, DriverRestarted):
                    s.life.note(event)
            await s.life.finish()
            assert {seen.native_id for seen in s.port.seen} <= s.port.devices.keys()

    asyncio.run(scenario())
