import asyncio

import pytest
from hubd_drivers.salto_space.sim.people import Operator
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.schema import USER

from tests.drivers.salto_space.sim.asking import SUMMER, Asker, RefusedError, small_site
from tests.support.clock import ManualClock

ASSIGN = "Encoder.SaltoDBUser.AssignNewKey"
UPDATE = "Encoder.SaltoDBUser.UpdateCurrentKey"
READ = "Encoder.ReadKey"


def asker(quirks: Quirks | None = None) -> Asker:
    clock = ManualClock(SUMMER)
    here = Asker(small_site(clock), quirks, clock)
    Operator(here.site).give_key("u1", "04AB")
    return here


def params(user: str = "", encoder: str = "Encoder#1") -> str:
    who = f"<ExtUserID>{user}</ExtUserID>" if user else ""
    return f"{who}<EncoderID>{encoder}</EncoderID>"


async def test_a_first_key_is_written_when_a_card_is_there() -> None:
    here = asker()
    waiting = asyncio.create_task(here.ask(ASSIGN, params("u2")))
    await here.encoders["Encoder#1"].waits.wait()
    assert await here.code(ASSIGN, params("u3")) == 402
    here.encoders["Encoder#1"].present("04CD")
    assert (await waiting).value("ROMCode") == "04CD"
    user = here.site.users["u2"]
    assert (user["CurrentROMCode"], user["CurrentKeyExists"], user["CurrentKeyStatus"]) == ("04CD", "1", "1")


async def test_nobody_comes() -> None:
    here = asker()
    waiting = asyncio.create_task(here.code(ASSIGN, params("u2")))
    await here.clock.advance(15)
    assert await waiting == 403
    assert not here.site.users["u2"].is_set("CurrentKeyExists")


@pytest.mark.parametrize(
    ("name", "asked", "card", "code"),
    [
        (ASSIGN, params("u1"), "04CD", 305),
        (UPDATE, params("u2"), "04CD", 300),
        (ASSIGN, params("nobody"), "04CD", 200),
        (ASSIGN, params("u2", "USB"), "04CD", 400),
        (ASSIGN, params("u2"), "04AB", 203),
        (UPDATE, params("u1"), "04CD", 7),
        (UPDATE, params("u1"), "04AB", 0),
    ],
)
async def test_what_cannot_be_written_has_its_code(name: str, asked: str, card: str, code: int) -> None:
    here = asker()
    here.encoders["Encoder#1"].present(card)
    assert await here.code(name, asked) == code


async def test_what_changed_while_it_waited_counts() -> None:
    here = asker()
    waiting = asyncio.create_task(here.ask(ASSIGN, params("u2")))
    await here.encoders["Encoder#1"].waits.wait()
    Operator(here.site).delete_user("u2")
    here.encoders["Encoder#1"].present("04CD")
    with pytest.raises(RefusedError) as caught:
        await waiting
    assert caught.value.code == 200
    Operator(here.site).opens_record(USER, "u3")
    assert await here.code(ASSIGN, params("u3")) == 201


async def test_a_key_is_read_and_replies_may_be_empty() -> None:
    for quirks, wanted in ((Quirks(), "04CD"), (Quirks(encoder_reply="empty"), "")):
        here = asker(quirks)
        here.encoders["Encoder#1"].present("04CD")
        read = await here.ask(READ, params() + "<ReturnROMCode>1</ReturnROMCode>")
        assert read.value("ROMCode") == wanted
        assert (await here.ask(READ, params())).children == []
