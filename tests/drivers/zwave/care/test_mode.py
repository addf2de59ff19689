"""The stick does not stay in a mode that it was brought into."""

import asyncio
import logging

import pytest
from hubd_drivers.zwave.care.mode import MARKER, Mode
from hubd_drivers.zwave.failures import CommandError, Kind, answer_lost

from hubd.driver import ActionError
from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.fakes import FakeLink, FastClock
from tests.drivers.zwave.person import is_marked

REFUSED = CommandError(Kind.UNCERTAIN, "zwave_error", "It does not.", 207)
IDLE, INCLUDING, EXCLUDING, BUSY = ({"state": {"inclusionState": state}} for state in range(4))


async def ready(link: FakeLink, port: RecordingPort) -> Mode:
    """A mode in a life that has nothing to make good for."""
    mode = Mode(link, port)
    await mode.recover()
    return mode


async def begun() -> dict[str, object]:
    return {"success": True}


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        (IDLE, []),
        (INCLUDING, ["stop_inclusion"]),
        (EXCLUDING, ["stop_exclusion"]),
        (BUSY, ["grant_security_classes", "validate_dsk_and_enter_pin", "cancel_secure_bootstrap_s2"]),
        ({"state": None}, []),
    ],
)
async def test_the_stick_is_stopped_as_its_state_demands(state: object, sent: list[str]) -> None:
    link, port = FakeLink(get_state=state, **{name: {} for name in sent}), RecordingPort()
    async with (await ready(link, port)).open("inclusion", begun):
        assert await is_marked(port)
    assert [name.rpartition(".")[2] for name, _ in link.sent] == ["get_state", *sent]
    assert not await is_marked(port)


async def test_what_zwave_js_does_not_wait_for_is_no_failure() -> None:
    refusal = CommandError(Kind.REFUSED, "not_asked", "No.")
    link = FakeLink(
        get_state=BUSY,
        grant_security_classes=refusal,
        validate_dsk_and_enter_pin=refusal,
        cancel_secure_bootstrap_s2={},
    )
    assert await Mode(link, RecordingPort()).close()


@pytest.mark.parametrize("answers", [{"get_state": REFUSED}, {"get_state": INCLUDING, "stop_inclusion": REFUSED}, {}])
async def test_a_stick_that_does_not_stop_is_told(answers: dict[str, object]) -> None:
    port = RecordingPort(clock=FastClock(40))
    with pytest.raises(ActionError) as caught:
        async with (await ready(FakeLink(**answers), port)).open("inclusion", begun):
            raise ActionError("nobody_joined", "Nobody came.", "Try again.")
    assert caught.value.code == "inclusion_not_stopped"
    assert caught.value.message == "Nobody came. The stick does not leave inclusion mode."
    assert await is_marked(port)


async def test_a_success_stays_one_though_the_end_of_the_mode_is_not_known(caplog: pytest.LogCaptureFixture) -> None:
    port = RecordingPort()
    with caplog.at_level(logging.WARNING):
        async with (await ready(FakeLink(get_state=REFUSED), port)).open("exclusion", begun):
            pass
    assert "whether the Z-Wave stick has left exclusion mode is not known" in caplog.text


async def test_a_cancellation_and_a_lost_link_pass(caplog: pytest.LogCaptureFixture) -> None:
    port = RecordingPort()
    with pytest.raises(asyncio.CancelledError):
        async with (await ready(FakeLink(get_state=answer_lost()), port)).open("inclusion", begun):
            raise asyncio.CancelledError
    assert "the Z-Wave stick may be left in inclusion mode" in caplog.text
    assert await is_marked(port)


async def test_the_next_life_ends_what_was_left() -> None:
    port = RecordingPort()
    await asyncio.to_thread(lambda: (port.storage / MARKER).touch(0o600))
    link = FakeLink(get_state=INCLUDING, stop_inclusion={"success": True})
    await Mode(link, port).recover()
    assert [name for name, _ in link.sent] == ["controller.get_state", "controller.stop_inclusion"]
    assert not await is_marked(port)
    await Mode(FakeLink(), port).recover()


async def test_a_mode_of_somebody_else_is_not_ended() -> None:
    async def refused() -> dict[str, object]:
        return {"success": False}

    link, port = FakeLink(), RecordingPort()
    with pytest.raises(ActionError) as caught:
        async with (await ready(link, port)).open("inclusion", refused):
            pytest.fail("it was not begun")
    assert caught.value.code == "controller_busy"
    assert link.sent == []
    assert not await is_marked(port)


async def test_no_mode_is_opened_before_the_last_one_is_ended() -> None:
    port, order = RecordingPort(), list[str]()
    await asyncio.to_thread(lambda: (port.storage / MARKER).touch(0o600))

    async def begin() -> dict[str, object]:
        order.append("begin")
        return {"success": True}

    def stopped(**_: object) -> dict[str, object]:
        order.append("stop")
        return {"success": True}

    mode = Mode(FakeLink(get_state=[INCLUDING, IDLE], stop_inclusion=stopped), port)

    async def include() -> None:
        async with mode.open("inclusion", begin):
            assert await is_marked(port)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(include())
        tasks.create_task(mode.recover())
    assert order == ["stop", "begin"]


async def test_what_is_still_open_is_not_forgotten_over_a_refusal() -> None:
    async def refused() -> dict[str, object]:
        return {"success": False}

    port = RecordingPort()
    await asyncio.to_thread(lambda: (port.storage / MARKER).touch(0o600))
    mode = await ready(FakeLink(get_state=REFUSED), port)
    with pytest.raises(ActionError):
        async with mode.open("inclusion", refused):
            pytest.fail("it was not begun")
    assert await is_marked(port)
