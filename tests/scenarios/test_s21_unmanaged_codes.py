"""S21, unmanaged codes: what is set by hand is listed, can be taken on or deleted, and is never touched unasked."""

from pathlib import Path

import pytest

from tests.scenarios.client import client_of_process, until
from tests.scenarios.codes import events, make, opens, put_in, reached, virtual
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario

UNMANAGED = "/access_codes/unmanaged"


async def test_a_code_set_by_hand(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon:
        async with client_of_process(daemon) as client:
            found = await put_in(client, "5829", "Cleaner")
            body = {"device_id": found["device_id"]}
            (shown,) = (await client.ok(f"{UNMANAGED}/list", body))["access_codes"]
            assert (shown["access_code_id"], shown["code"], shown["is_managed"]) == (
                found["access_code_id"],
                "5829",
                False,
            )
            guests = [await make(client, name=f"Guest {number}", sync=True) for number in range(3)]
            for guest in guests:
                await client.ok("/access_codes/delete", {"access_code_id": guest["access_code_id"], "sync": True})
            assert await opens(client, "5829")
        await daemon.kill()
        await daemon.start()
        async with client_of_process(daemon) as client:
            assert (await client.ok(f"{UNMANAGED}/list", body))["access_codes"] == [shown]
            assert await opens(client, "5829")
            assert await events(client, found) == ["unmanaged.created", "lock.unlocked", "lock.unlocked"]


async def test_taken_on_twice_is_once_and_deleted_is_gone(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon, client_of_process(daemon) as client:
        found, other = await put_in(client, "5829", "Cleaner"), await put_in(client, "7736", "Old tenant")
        body = {"access_code_id": found["access_code_id"]}
        for _ in range(2):
            await client.ok(f"{UNMANAGED}/convert_to_managed", body, method="PATCH")
        code = await reached(client, found, "set")
        assert (code["code"], code["is_managed"]) == ("5829", True)
        assert (await events(client, found)).count("unmanaged.converted_to_managed") == 1
        await client.ok(f"{UNMANAGED}/delete", {"access_code_id": other["access_code_id"]})

        async def is_gone() -> bool:
            return not (await client.ok(f"{UNMANAGED}/list", {"device_id": other["device_id"]}))["access_codes"]

        await until(is_gone)
        assert not await opens(client, "7736")
        assert await opens(client, "5829")
