import asyncio

import pytest
from hubd_drivers.salto_space.sim.mischief import Counters, Faults, Trouble
from hubd_drivers.salto_space.sim.service import PAGE, Service

from tests.drivers.salto_space.sim.asking import Asker, RefusedError, params_of, request
from tests.support.clock import settle

OPEN = "OnlineDoor.Open"


class Served(Service):
    def __init__(self) -> None:
        self.here = Asker()
        self.faults = Faults()
        self.counters = Counters()
        super().__init__(self.here.desk, self.faults, self.counters, self.here.clock)
        door = self.here.site.door_id("Garage")
        self.open = request(OPEN, f"<ExtDoorIDList><ExtDoorID>{door}</ExtDoorID></ExtDoorIDList>")

    @property
    def opened(self) -> int:
        return len(self.here.site.opened)


async def test_requests_are_counted_by_name() -> None:
    served = Served()
    reply = await served.answer(request("GetInfo"))
    await served.answer(b"HELLO")
    assert reply.body is not None
    assert params_of(reply.body).value("ProtocolID") == "SHIP"
    assert served.counters.requests == {"GetInfo": 1, "?": 1}
    assert served.counters.bytes_out > len(reply.body)


async def test_a_reply_is_dropped_after_the_work_and_a_request_before_it() -> None:
    served = Served()
    served.faults.drop_request(OPEN)
    assert (await served.answer(served.open)).body is None
    assert served.opened == 0
    served.faults.drop_reply(OPEN)
    assert (await served.answer(served.open)).body is None
    assert served.opened == 1
    assert (await served.answer(served.open)).body is not None


async def test_a_refusal_of_a_tests_choice_does_nothing() -> None:
    served = Served()
    served.faults.refuse(OPEN, 1)
    reply = await served.answer(served.open)
    with pytest.raises(RefusedError) as caught:
        params_of(reply.body or b"")
    assert (caught.value.code, served.opened) == (1, 0)


async def test_a_request_is_held_before_the_work_or_after_it() -> None:
    served = Served()
    for after in (False, True):
        before = served.opened
        hold = served.faults.hold(OPEN, after=after)
        asked = asyncio.create_task(served.answer(served.open))
        await hold.reached.wait()
        assert served.opened == before + after
        hold.release()
        assert (await asked).body is not None
        assert served.opened == before + 1


async def test_a_delay_goes_by_the_clock() -> None:
    served = Served()
    served.faults.delay(OPEN, 30)
    asked = asyncio.create_task(served.answer(served.open))
    await served.here.clock.advance(29)
    assert (asked.done(), served.opened) == (False, 0)
    await served.here.clock.advance(1)
    assert (await asked).body is not None


async def test_a_reply_is_spoiled_after_the_work() -> None:
    served = Served()
    served.faults.garble(OPEN, Trouble.HTML)
    served.faults.garble(OPEN, Trouble.HALF)
    assert (await served.answer(served.open)).body == PAGE
    assert (await served.answer(served.open)).spoiled is Trouble.HALF
    assert served.opened == 2


async def test_a_hanging_server_answers_when_it_hangs_no_more() -> None:
    served = Served()
    served.is_hanging = True
    asked = asyncio.create_task(served.answer(request("GetInfo")))
    await settle()
    assert served.is_hanging
    assert not asked.done()
    served.is_hanging = False
    assert (await asked).body is not None


def test_only_one_address_may_be_served() -> None:
    served = Served()
    assert served.connected(("10.0.0.9", 1))
    served.limited_to = "10.0.0.5"
    assert [served.connected(peer) for peer in (("10.0.0.5", 1), ("10.0.0.9", 1), None)] == [True, False, False]
    assert (served.counters.connections, served.counters.refused_connections) == (4, 2)
