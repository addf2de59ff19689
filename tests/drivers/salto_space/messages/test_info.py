from datetime import datetime

from hubd_drivers.salto_space.messages.info import Info, get_info, read_info

from tests.drivers.salto_space.messages.samples import result


def test_the_question() -> None:
    assert (get_info().name, get_info().params.children) == ("GetInfo", [])


def test_the_answer() -> None:
    params = result(
        "GetInfo",
        "<ProtocolID>SHIP</ProtocolID><ProtocolVersion>1.0</ProtocolVersion><DateTime>2004-9-2T12:30:20</DateTime>"
        "<DefaultLanguage>eng</DefaultLanguage>",
    )
    expected = datetime(2004, 9, 2, 12, 30, 20)  # noqa: DTZ001 - the wall's
    assert read_info(params) == Info(protocol="SHIP", version="1.0", wall=expected, language="eng")


def test_an_answer_that_says_nothing() -> None:
    assert read_info(result("GetInfo", "<DateTime>soon</DateTime>")) == Info()
