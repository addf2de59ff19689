import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hubd_drivers.zwave.controller import JAMMED, READY, UNRESPONSIVE, ControllerWatch
from hubd_drivers.zwave.failures import CommandError, Kind, answer_lost, command_error
from zwave_js_server.exceptions import FailedZWaveCommand, NotConnected

from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.fakes import Answer, FakeLink, FastClock

GONE = command_error(FailedZWaveCommand("", 202, "serial port is not open"))
NOT_KNOWN = command_error(FailedZWaveCommand("", 105, "not supported"))
FINE = {"failed": False}


def watch(*, seconds: float = 1.0, **answers: Answer) -> tuple[ControllerWatch, FakeLink, RecordingPort]:
    port, link = RecordingPort(clock=FastClock()), FakeLink(**answers)
    return ControllerWatch(link, port, seconds), link, port


@asynccontextmanager
async def running(controller: ControllerWatch) -> AsyncIterator[None]:
    task = asyncio.create_task(controller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(port: RecordingPort, *, lost: bool) -> None:
    async with asyncio.timeout(2.0):
        while bool(port.lost_hops) is not lost:  # noqa: ASYNC110 - a recording port has no event for it
            await asyncio.sleep(0.002)


async def test_a_pulled_stick_is_noticed_and_so_is_its_return() -> None:
    answers: list[object] = [FINE, GONE, GONE, FINE]
    controller, link, port = watch(is_failed_node=answers)
    async with running(controller):
        await until(port, lost=True)
        assert port.lost_hops["controller"].code == "controller_lost"
        await until(port, lost=False)
    assert controller.loss is None
    assert controller.recovered.is_set()
    assert {name for name, _ in link.sent} == {"controller.is_failed_node"}


async def test_a_suspicion_is_checked_at_once() -> None:
    controller, link, _ = watch(seconds=10_000, is_failed_node=FINE)
    async with running(controller):
        await asyncio.sleep(0.01)
        assert link.count("is_failed_node") == 0
        controller.suspect()
        await asyncio.sleep(0.01)
        assert link.count("is_failed_node") == 1


async def test_a_controller_is_asked_what_it_can_answer() -> None:
    controller, link, _ = watch(is_failed_node=NOT_KNOWN, get_background_rssi={"rssiChannel0": -90})
    assert await controller.check()
    assert await controller.check()
    assert [name for name, _ in link.sent] == [
        "controller.is_failed_node",
        "controller.get_background_rssi",
        "controller.get_background_rssi",
    ]


async def test_a_controller_that_can_answer_nothing_is_not_called_lost() -> None:
    controller, link, port = watch(is_failed_node=NOT_KNOWN, get_background_rssi=NOT_KNOWN, get_powerlevel=NOT_KNOWN)
    assert await controller.check()
    assert await controller.check()
    assert len(link.sent) == 3
    controller.status(UNRESPONSIVE)
    assert port.lost_hops
    controller.status(READY)
    assert await controller.check()
    assert not port.lost_hops


async def test_one_that_objects_is_there() -> None:
    controller, _, _ = watch(is_failed_node=CommandError(Kind.REFUSED, "invalid_value", "No.", 322))
    assert await controller.check()


async def test_an_unresponsive_stick_is_back_only_when_it_answers() -> None:
    answers: list[object] = [GONE, FINE]
    controller, _, port = watch(is_failed_node=answers)
    controller.status(UNRESPONSIVE)
    assert port.lost_hops["controller"].code == "controller_unresponsive"
    controller.status(READY)  # zwave-js says so in hope, having reopened the port
    assert port.lost_hops
    assert not await controller.check()
    assert await controller.check()
    assert not port.lost_hops


async def test_a_channel_that_is_occupied() -> None:
    controller, _, port = watch(is_failed_node=FINE)
    controller.status(JAMMED)
    assert port.lost_hops["controller"].code == "controller_jammed"


async def test_a_question_that_hangs() -> None:
    controller, _, port = watch()
    assert not await controller.check()
    assert port.lost_hops["controller"].code == "controller_silent"


async def test_a_lost_server_says_nothing_about_the_stick() -> None:
    controller, _, port = watch(is_failed_node=command_error(NotConnected()))
    assert not await controller.check()
    controller, _, port = watch(is_failed_node=answer_lost())
    assert not await controller.check()
    assert not port.lost_hops


async def test_a_closed_serial_port_is_a_lost_stick_at_once_and_an_open_one_is_checked() -> None:
    controller, link, port = watch(seconds=10_000, is_failed_node=GONE, start_listening_logs={})
    await controller.hear_log()
    assert link.sent == [("driver.start_listening_logs", {"filter": {"source": "driver"}})]
    async with running(controller):
        controller.port(is_open=False)
        assert port.lost_hops["controller"].code == "controller_lost"
        controller.port(is_open=True)
        assert (controller.loss, controller.recoveries) == (None, 1)
        await until(port, lost=True)
        link.answers["is_failed_node"] = FINE
        controller.suspect()
        await until(port, lost=False)


async def test_a_port_that_opens_is_no_word_of_a_stick_that_does_not_answer() -> None:
    controller, _, port = watch()
    controller.status(UNRESPONSIVE)
    controller.port(is_open=True)
    assert port.lost_hops["controller"].code == "controller_unresponsive"


async def test_a_server_that_keeps_its_log_to_itself_is_no_trouble() -> None:
    refusal = command_error(FailedZWaveCommand("", 1, "unknown command"))
    controller, _, port = watch(start_listening_logs=refusal)
    await controller.hear_log()
    assert port.lost_hops == {}
