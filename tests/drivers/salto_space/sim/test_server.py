import asyncio

import aiohttp
import pytest
from hubd_drivers.salto_space.sim.builders import demo_site
from hubd_drivers.salto_space.sim.server import Space
from hubd_drivers.salto_space.sim.stp import Stp
from hubd_drivers.salto_space.sim.web import MEDIA_TYPE, Http

from tests.drivers.salto_space.sim.asking import Line, RefusedError, params_of, request
from tests.support.clock import settle


def one_door(space: Space) -> str:
    return f"<ExtDoorIDList><ExtDoorID>{space.site.door_id('Garage')}</ExtDoorID></ExtDoorIDList>"


async def test_both_transports_stand_on_one_state() -> None:
    async with Space(demo_site(), transport=(Stp(), Http())) as space, aiohttp.ClientSession() as session:
        assert space.port == space.ports[0] != space.ports[1]
        line = await Line.to(space.port)
        await line.ask("OnlineDoor.Open", one_door(space))
        url, headers = f"http://127.0.0.1:{space.ports[1]}/", {"Content-Type": MEDIA_TYPE}
        async with session.post(url, data=request("SaltoDBAuditTrail.Read"), headers=headers) as response:
            trail = params_of(await response.read()).children[0].children
        assert [event.value("Operation") for event in trail] == ["28"]
        assert space.counters.requests == {"OnlineDoor.Open": 1, "SaltoDBAuditTrail.Read": 1}
        assert ([one.door_id for one in space.opened], space.disasters) == ([space.site.door_id("Garage")], [])
        await line.close()


async def test_a_restart_drops_connections_and_keeps_port_and_state() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        port = space.port
        line = await Line.to(port)
        await line.ask("OnlineDoor.Open", one_door(space))
        await space.stop()
        with pytest.raises(EOFError):
            await line.frame()
        with pytest.raises(ConnectionRefusedError):
            await Line.to(port)
        space.person.leaves_open(space.site.door_id("Pool"))
        await space.start()
        again = await Line.to(port)
        trail = (await again.ask("SaltoDBAuditTrail.Read")).children[0].children
        assert [event.value("Operation") for event in trail] == ["28", "62"]
        await again.close()
        await line.close()


async def test_a_hanging_server_accepts_and_stops_all_the_same() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        space.hang = True
        line = await Line.to(space.port)
        line.send("GetInfo")
        asked = asyncio.create_task(line.frame())
        await settle()
        assert space.hang
        assert not asked.done()
        await space.stop()
        with pytest.raises(EOFError):
            await asked
        await line.close()


async def test_another_computer_is_closed_without_a_byte() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        space.limited_to = "10.0.0.5"
        line = await Line.to(space.port)
        with pytest.raises(EOFError):
            await line.frame()
        await line.close()
        space.limited_to = "127.0.0.1"
        line = await Line.to(space.port)
        assert (await line.ask("GetInfo")).value("ProtocolID") == "SHIP"
        await line.close()
        assert space.limited_to == "127.0.0.1"


async def test_an_encoder_holds_its_own_connection_only() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        user = next(user for user in space.site.users if not user.is_set("CurrentKeyExists"))
        params = f"<ExtUserID>{user.id}</ExtUserID><EncoderID>Encoder#1</EncoderID>"
        slow, quick = await Line.to(space.port), await Line.to(space.port)
        waiting = asyncio.create_task(slow.ask("Encoder.SaltoDBUser.AssignNewKey", params))
        await space.encoders["Encoder#1"].waits.wait()
        with pytest.raises(RefusedError) as caught:
            await quick.ask("Encoder.ReadKey", "<EncoderID>Encoder#1</EncoderID>")
        assert caught.value.code == 402
        space.present_card("Encoder#1", "04FFEE")
        assert (await waiting).value("ROMCode") == "04FFEE"
        assert user["CurrentROMCode"] == "04FFEE"
        await slow.close()
        await quick.close()


async def test_stopping_breaks_off_what_an_encoder_waits_for() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        line = await Line.to(space.port)
        line.send("Encoder.ReadKey", "<EncoderID>Encoder#2</EncoderID>")
        await space.encoders["Encoder#2"].waits.wait()
        await space.stop()
        with pytest.raises(EOFError):
            await line.frame()
        await line.close()
    assert not space.encoders["Encoder#2"].waits.is_set()


async def test_a_port_that_is_taken_is_said_and_nothing_is_left_open() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        other = Space(demo_site(), transport=(Stp(), Stp(port=space.port)))
        with pytest.raises(OSError, match="in use"):
            await other.start()
        with pytest.raises(ConnectionRefusedError):
            await Line.to(other.port)


async def test_connections_are_dropped_while_it_goes_on_listening() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        line = await Line.to(space.port)
        await line.ask("GetInfo")
        await space.drop_connections()
        with pytest.raises(EOFError):
            await line.frame()
        await line.close()
        line = await Line.to(space.port)
        await line.ask("GetInfo")
        await line.close()
