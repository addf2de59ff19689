"""S12, duplicate PIN: said before and after, with the id of the other code; one's own PIN is no duplicate."""

from pathlib import Path

import pytest

from tests.scenarios.client import client_of_process
from tests.scenarios.codes import get, make, put_in, reached, soon, virtual
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario

PIN = "428613"


async def test_whose_pin_it_is(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon, client_of_process(daemon) as client:
        code = await make(client, code=PIN, sync=True)
        found = await put_in(client, "5829", "Cleaner")
        for pin, key, other in (
            (PIN, "managed_access_code_id", code),
            ("5829", "unmanaged_access_code_id", found),
        ):
            error = await client.refused("/access_codes/create", {"device_id": code["device_id"], "code": pin})
            assert (error["status"], error["type"]) == (409, "duplicate_access_code")
            assert error["data"][key] == other["access_code_id"]
            assert pin not in error["message"]
        elsewhere = await make(client, lock="Room 102", code=PIN, sync=True)
        assert elsewhere["status"] == "set"


async def test_a_code_is_no_duplicate_of_itself_or_of_another_time(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon, client_of_process(daemon) as client:
        code = await make(client, code=PIN, starts_at=soon(hours=-1), ends_at=soon(hours=1), sync=True)
        body = {"access_code_id": code["access_code_id"], "code": PIN, "name": "Anna", "sync": True}
        await client.ok("/access_codes/update", body)
        assert (await get(client, code))["status"] == "set"
        later = await make(client, code=PIN, starts_at=soon(hours=2), ends_at=soon(hours=3))
        assert later["status"] == "unset"
        move = {"access_code_id": later["access_code_id"], "starts_at": soon(minutes=30)}
        error = await client.refused("/access_codes/update", move)
        assert error["data"]["managed_access_code_id"] == code["access_code_id"]
        assert (await reached(client, code, "set"))["code"] == PIN


async def test_a_pin_that_the_hub_chooses_never_collides(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon, client_of_process(daemon) as client:
        body = {"device_id": await client.device_id(), "supported_code_lengths": [4]}
        await client.ok("/access_codes/report_device_constraints", body)
        pins = [(await make(client))["code"] for _ in range(28)]
        assert len(set(pins)) == 28
        assert {len(pin) for pin in pins} == {4}
