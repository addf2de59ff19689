"""The SmartStart list of the real zwave-js-server, and a device that calls."""

import asyncio
import hashlib

import pytest
from hubd_drivers.zwave.care import smart_start

from hubd.driver import ActionError
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fakes import FakeLink
from tests.drivers.zwave.person import Person, act, arguments_of, leave, network_of, site

S2_LOCK = 3
DSK = "11111-22222-33333-44444-55555-00001-00002-00003"


def qr_code(dsk: str, version: int = 1) -> str:
    """What the label of a device with this DSK says, asking for S2 Access Control and Authenticated."""
    digits = dsk.replace("-", "")
    product_type, product = "0010" + "16387" + "02048", "0220" + "65535" + "00001" + "00002" + "00003"
    rest = f"006{digits}{product_type}{product}"
    checksum = int.from_bytes(hashlib.sha1(rest.encode()).digest()[:2])  # noqa: S324 - as the format has it
    return f"90{version:02}{checksum:05}{rest}"


@pytest.mark.node
async def test_a_device_on_the_list_is_included_when_it_calls(care_network: SharedNetwork) -> None:
    dsk = await care_network.op("join", like=S2_LOCK, device="smart lock")
    await care_network.op("give_up")
    pin, _, rest = dsk.partition("-")
    async with site(care_network.url) as (driver, port):
        person = Person()
        added = await act(driver, "smart_start_add", person, code=qr_code(dsk), name="Back door")
        assert added.message == (
            "Back door is on the SmartStart list: give it power, and it is included within ten minutes."
        )
        listed = await act(driver, "smart_start_list")
        entry = {"name": "Back door", "dsk": rest, "security": "S2 Authenticated, S2 Access Control"}
        assert listed.table == ({**entry, "is_active": True, "node_id": None, "device": None},)
        assert pin not in f"{added} {person.said}".replace(rest, "")
        await care_network.op("join", like=S2_LOCK, device="smart lock", smartStart=True)
        async with asyncio.timeout(30):
            while f"7e570001-dsk-{rest}" not in port.devices:  # noqa: ASYNC110 - a recording port has no event for it
                await asyncio.sleep(0.05)
        assert port.devices[f"7e570001-dsk-{rest}"].name == "Back door"
        row = (await act(driver, "smart_start_list")).table[0]
        assert row["device"] == "Back door"
        await leave(care_network, driver, row["node_id"])
        row = (await act(driver, "smart_start_list")).table[0]
        assert row["is_active"] is False, "what was excluded does not come back by itself"
        assert (await act(driver, "smart_start_remove", dsk=f"*****-{rest}")).facts["name"] == "Back door"
        assert (await act(driver, "smart_start_list")).table == ()


@pytest.mark.node
async def test_codes_that_are_none_are_refused(care_network: SharedNetwork) -> None:
    code = qr_code(DSK)
    cases = {
        code[:-1] + str((int(code[-1]) + 1) % 10): "code_invalid",
        qr_code(DSK, version=0): "not_smart_start",
        "https://example.com/a-page-that-is-no-code-at-all": "code_invalid",
        DSK.replace("-", " "): "code_invalid",
    }
    async with site(care_network.url) as (driver, _):
        for wrong, expected in cases.items():
            with pytest.raises(ActionError) as caught:
                await act(driver, "smart_start_add", code=wrong)
            assert caught.value.code == expected
            assert wrong not in f"{caught.value.message} {caught.value.remedy}"
        with pytest.raises(ActionError) as caught:
            await act(driver, "smart_start_remove", dsk=DSK.partition("-")[2])
        assert caught.value.code == "not_listed"
        with pytest.raises(ActionError) as caught:
            await act(driver, "smart_start_remove", dsk="12345-" * 7)
        assert caught.value.code == "dsk_invalid"


@pytest.mark.parametrize(
    "entries",
    [
        None,
        5,
        [None, 4, "x", []],
        [{"dsk": 7}, {"dsk": "12345-11111"}],
        [{"dsk": DSK, "securityClasses": 9, "name": 3}],
    ],
)
async def test_lists_of_any_shape_are_shown(entries: object) -> None:
    network = network_of(FakeLink(get_provisioning_entries={"entries": entries}))
    result = await smart_start.show(network, arguments_of("smart_start_list"), Person())
    assert DSK[:5] not in repr(result)
    assert all(set(row) == {"name", "dsk", "security", "is_active", "node_id", "device"} for row in result.table)
