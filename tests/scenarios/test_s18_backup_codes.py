"""S18, backup codes: a spare PIN is on the lock before anybody needs it, so it works the moment it is pulled."""

from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process, until
from tests.scenarios.codes import get, make, opens, soon, virtual
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario


async def spare(client: HttpCaller) -> list[dict[str, Any]]:
    """Return the backup codes that wait on the lock."""
    codes = (await client.ok("/access_codes/list", {"device_id": await client.device_id()}))["access_codes"]
    return [code for code in codes if code["is_backup"] and code["ends_at"] is None and code["status"] == "set"]


async def test_a_backup_code_opens_also_while_the_lock_is_cut_off(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon, client_of_process(daemon) as client:
        frame: dict[str, Any] = {"starts_at": soon(hours=-1), "ends_at": soon(hours=8)}
        code = await make(client, name="Anna", use_backup_access_code_pool=True, **frame)

        async def is_full() -> bool:
            return len(await spare(client)) == 2

        await until(is_full)
        body = {"device_id": code["device_id"]}
        await client.ok("/devices/simulate/disconnect", body)
        pull = {"access_code_id": code["access_code_id"]}
        backup = (await client.ok("/access_codes/pull_backup_access_code", pull))["backup_access_code"]
        assert (backup["status"], backup["ends_at"], backup["is_backup"]) == ("set", code["ends_at"], True)
        await client.ok("/devices/simulate/connect", body)
        assert await opens(client, backup["code"])
        await until(is_full)
        assert backup["access_code_id"] not in {one["access_code_id"] for one in await spare(client)}
        assert (await get(client, code))["pulled_backup_access_code_id"] == backup["access_code_id"]


async def test_the_pool_outlives_a_crash_and_can_be_given_up(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon:
        async with client_of_process(daemon) as client:
            body = {"device_id": await client.device_id(), "backup_access_code_pool_enabled": True}
            await client.ok("/devices/update", body)
        await daemon.kill()
        await daemon.start()
        async with client_of_process(daemon) as client:

            async def has(count: int) -> bool:
                return len(await spare(client)) == count

            await until(lambda: has(2))
            assert (await client.device())["properties"]["backup_access_code_pool_enabled"] is True
            await client.ok("/devices/update", body | {"backup_access_code_pool_enabled": False})
            await until(lambda: has(0))
            assert (await client.device())["warnings"] == []
