"""Asking single devices on the emulated network, by the real zwave-js-server."""

import pytest

from hubd.driver import ActionError
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.person import Person, act, site

pytestmark = pytest.mark.node

PLAIN_LOCK = 2
PLAIN_ID = "7e570001-node-2-ffff.ffff.fffe"


async def test_a_ping_tells_whether_the_device_is_there(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _):
        result = await act(driver, "ping", device=PLAIN_ID)
        assert result.message == f"Door lock 7e570001-2 answers, after {result.facts['milliseconds']} ms."
        await care_network.op("dead", node=PLAIN_LOCK)
        with pytest.raises(ActionError) as caught:
            await act(driver, "ping", device=PLAIN_ID)
        assert (caught.value.code, caught.value.message) == ("no_answer", "Door lock 7e570001-2 does not answer.")
        with pytest.raises(ActionError) as caught:
            await act(driver, "interview_again", device=PLAIN_ID)
        assert caught.value.code == "no_answer"


async def test_another_interview_keeps_the_codes(care_network: SharedNetwork) -> None:
    await care_network.op("local_code", node=PLAIN_LOCK, slot=3, code="4711")
    async with site(care_network.url) as (driver, port):
        person = Person()
        result = await act(driver, "interview_again", person, device=PLAIN_ID)
        assert result.message == "Door lock 7e570001-2 is interviewed."
        assert any(said.startswith("Interview, ") for said in person.said)
        assert await care_network.op("codes", node=PLAIN_LOCK) == {"3": "4711"}
        assert "sim.clearAllCount" not in await care_network.op("state", node=PLAIN_LOCK)
        assert not port.gone
    await care_network.op("local_code", node=PLAIN_LOCK, slot=3, code=None)
