import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import StatusChanged, ValueReported
from hubd_drivers.zwave.facts import STATUS_ASLEEP, STATUS_AWAKE, ValueId
from hubd_drivers.zwave.failures import answer_lost
from hubd_drivers.zwave.thermostat.vigil import AWAKE_SECONDS, NEXT_SECONDS, WOKEN_SECONDS, Vigil

from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.fakes import HOME_ID, FakeLink, FastClock, node, value
from tests.support.site import eventually

type Site = tuple[Vigil, FakeLink]

SPEED = 20.0
AWAKE, ASLEEP = StatusChanged(7, STATUS_AWAKE), StatusChanged(7, STATUS_ASLEEP)


def valve(**more: Any) -> ZwaveDevice:
    facts = node(7, value(67, "setpoint", 20, key=1), **{"canSleep": True, "status": STATUS_ASLEEP, **more})
    return ZwaveDevice(facts, "id", HOME_ID, None, 0.7)


@asynccontextmanager
async def vigil(**answers: Any) -> AsyncIterator[Site]:
    link = FakeLink(**{"set_keep_awake": {}, "ping": {"responded": True}, **answers})
    async with asyncio.TaskGroup() as tasks:
        made = Vigil(link, RecordingPort(clock=FastClock(SPEED)), tasks)
        yield made, link
        made.forget(7)


def told(link: FakeLink) -> list[object]:
    """True, False for keep awake and no more; "ping"."""
    return [arguments.get("keepAwake", name.rpartition(".")[2]) for name, arguments in link.sent]


async def later(seconds: float) -> None:
    await asyncio.sleep(seconds / SPEED)


async def test_what_never_sleeps_always_listens_and_costs_nothing() -> None:
    async with vigil() as (made, link):
        mains = valve(canSleep=False, status=4)
        made.met(mains)
        assert made.listens(mains)
        await made.hold(mains)
        await made.let_go(mains)
        made.end(mains)
        assert link.sent == []


async def test_a_sleeper_listens_from_its_waking_for_as_long_as_is_safe() -> None:
    async with vigil() as (made, _):
        assert not made.listens(valve(status=STATUS_AWAKE)), "zwave-js may call it awake for ever"
        made.note(AWAKE)
        assert made.listens(valve())
        await later(AWAKE_SECONDS - 2)
        made.note(ValueReported(7, ValueId(67, 0, "setpoint", 1), 20))
        await later(4)
        assert made.listens(valve())
        await later(AWAKE_SECONDS)
        assert not made.listens(valve())
        made.note(AWAKE)
        made.note(ASLEEP)
        assert not made.listens(valve())
        made.note(ValueReported(7, ValueId(67, 0, "setpoint", 1), 20))
        assert not made.listens(valve()), "it may have spoken without listening"


async def test_only_a_sleeper_that_is_waited_for_is_kept_awake() -> None:
    async with vigil() as (made, link):
        made.note(AWAKE)
        await later(WOKEN_SECONDS + 1)
        assert link.sent == []
        made.note(ASLEEP)
        assert not made.listens(valve())
        made.note(AWAKE)
        await eventually(lambda: told(link) == [True])


async def test_a_sleeper_for_which_nobody_comes_is_let_go() -> None:
    async with vigil() as (made, link):
        made.listens(valve())
        made.note(AWAKE)
        await eventually(lambda: told(link) == [True, False, "ping"])
        made.note(ASLEEP)
        made.note(AWAKE)
        await later(WOKEN_SECONDS + 1)
        assert told(link) == [True, False, "ping"], "it is waited for once"


async def test_one_that_fell_asleep_meanwhile_is_not_pinged() -> None:
    async with vigil() as (made, link):
        made.listens(valve())
        made.note(AWAKE)
        await later(0.5)
        made.note(ASLEEP)
        await later(WOKEN_SECONDS + 1)
        assert told(link) == [True, False]


async def test_a_command_keeps_it_until_its_last_frame() -> None:
    async with vigil() as (made, link):
        made.listens(valve())
        made.note(AWAKE)
        await made.hold(valve())
        await later(WOKEN_SECONDS + 1)
        assert told(link)[-1] is True, "however long it takes"
        await made.let_go(valve())
        made.end(valve())
        await later(NEXT_SECONDS + 1)
        assert told(link)[-1] is False
        assert "ping" not in told(link), "zwave-js sends it to sleep after that frame"


async def test_a_command_that_breaks_off_lets_it_go_a_moment_later() -> None:
    async with vigil() as (made, link):
        made.note(AWAKE)
        await made.hold(valve())
        made.end(valve())
        await eventually(lambda: told(link) == [True, False, "ping"])


async def test_what_an_earlier_life_left_is_cleared() -> None:
    async with vigil() as (made, link):
        made.met(valve())
        await eventually(lambda: told(link) == [False])


async def test_a_server_that_does_not_do_it_ends_nothing() -> None:
    async with vigil(set_keep_awake=answer_lost()) as (made, link):
        await made.hold(valve())
        assert told(link) == [True]
