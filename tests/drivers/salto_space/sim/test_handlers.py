from pathlib import Path

import pytest
from hubd_drivers.salto_space import sim
from hubd_drivers.salto_space.sim.handlers import UNREADABLE, read
from hubd_drivers.salto_space.sim.quirks import Quirks

from tests.drivers.salto_space.sim.asking import Asker, RefusedError, params_of, request

NAMES = "ProtocolID ProtocolVersion DateTime DefaultLanguage"


async def test_info_says_the_time_of_the_server() -> None:
    info = await Asker().ask("GetInfo")
    assert " ".join(child.name for child in info.children) == NAMES
    assert (info.value("ProtocolID"), info.value("DateTime")) == ("SHIP", "2026-07-01T12:00:00")
    assert (await Asker(quirks=Quirks(unpadded_dates=True)).ask("GetInfo")).value("DateTime") == "2026-7-1T12:00:00"


async def test_white_space_around_names_is_taken_off() -> None:
    here = Asker()
    reply = await here.reply("\r\n  GetInfo ")
    assert b"<RequestName>GetInfo</RequestName>" in reply
    assert params_of(reply).value("ProtocolID") == "SHIP"


async def test_what_is_no_request_gets_an_exception_too() -> None:
    here = Asker()
    for body, code in ((b"HELLO", 500), (b"", 500), (b"<Other/>", 501), (b"<RequestCall/>", 501), (b"<a><b>", 500)):
        asked = read(body)
        assert asked.name == UNREADABLE
        with pytest.raises(RefusedError) as caught:
            params_of(await here.desk.answer(asked))
        assert caught.value.code == code


async def test_a_request_without_params_has_none() -> None:
    asked = read(b"<RequestCall><RequestName>GetInfo</RequestName></RequestCall>")
    assert params_of(await Asker().desk.answer(asked)).value("ProtocolID") == "SHIP"


async def test_an_unknown_request_is_502() -> None:
    assert await Asker().code("SaltoDBUser.Teleport") == 502


async def test_a_licence_may_be_missing_on_everything_or_on_the_rest() -> None:
    none, some = Asker(quirks=Quirks(licence="none")), Asker(quirks=Quirks(licence="info_only"))
    assert [await none.code("GetInfo"), await none.code("SaltoDBUserList.Read")] == [13, 13]
    assert [await some.code("GetInfo"), await some.code("SaltoDBUserList.Read")] == [0, 13]


async def test_a_test_may_choose_the_refusal() -> None:
    here = Asker()
    reply = here.desk.refused(read(request("GetInfo")), 1)
    with pytest.raises(RefusedError) as caught:
        params_of(reply)
    assert caught.value.code == 1


def test_it_shares_no_reading_of_messages_with_the_driver() -> None:
    sources = {path: path.read_text("utf-8") for path in Path(sim.__file__).parent.glob("*.py")}
    assert len(sources) > 20
    assert [path.name for path, text in sources.items() if "salto_space.messages" in text] == []


async def test_replies_may_have_line_breaks() -> None:
    here = Asker(quirks=Quirks(line_breaks=True))
    reply = await here.reply("GetInfo")
    assert b"\r\n  SHIP\r\n" in reply
    assert params_of(reply).value("ProtocolID") == "SHIP"
