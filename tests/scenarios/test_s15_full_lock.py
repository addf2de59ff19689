"""S15, full lock: a warning from 80 % on, and a refusal that says what is there; later times may still have room."""

from pathlib import Path

import pytest

from tests.scenarios.client import client_of_process
from tests.scenarios.codes import gone, make, put_in, reached, soon, virtual
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario


async def test_a_lock_fills_up_and_empties_again(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual(code_slots=5)) as daemon, client_of_process(daemon) as client:
        foreign = await put_in(client, "5829", "Cleaner")
        codes = [await make(client, name=f"Guest {number}", sync=True) for number in range(4)]
        device = await client.device()
        (warning,) = device["warnings"]
        assert warning["warning_code"] == "max_access_codes_reached"
        assert (warning["active_access_code_count"], warning["max_active_access_code_count"]) == (5, 5)
        error = await client.refused("/access_codes/create", {"device_id": device["device_id"]})
        assert (error["status"], error["type"]) == (409, "no_space_for_access_code_on_device")
        there = {foreign["access_code_id"], *(code["access_code_id"] for code in codes)}
        assert set(error["data"]["access_code_ids_on_device"]) == there
        assert all(name in error["message"] for name in ("Cleaner", "Guest 0", "Guest 3"))
        await client.ok("/access_codes/delete", {"access_code_id": codes[0]["access_code_id"]})
        await gone(client, codes[0])
        await reached(client, await make(client, name="Guest 5"), "set")


async def test_room_is_counted_over_time(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual(code_slots=2)) as daemon, client_of_process(daemon) as client:
        for number in range(2):
            await make(client, name=f"Now {number}", starts_at=soon(hours=-1), ends_at=soon(days=1))
            await make(client, name=f"Next {number}", starts_at=soon(days=1, hours=1), ends_at=soon(days=2))
        body = {"device_id": await client.device_id(), "starts_at": soon(hours=12), "ends_at": soon(days=5)}
        error = await client.refused("/access_codes/create", body)
        assert error["type"] == "no_space_for_access_code_on_device"
        await make(client, starts_at=soon(days=3), ends_at=soon(days=4))
