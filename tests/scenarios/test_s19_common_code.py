"""S19, one code on two hundred locks: answered at once, a dead lock holds nobody, the same call changes nothing."""

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from tests.scenarios.client import client_of_process, until
from tests.scenarios.codes import reached, virtual
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario

CREATE = "/access_codes/create_multiple"
SECONDS = 1.0


async def test_two_hundred_locks(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual(locks=200)) as daemon, client_of_process(daemon) as client:
        ids = [lock["device_id"] for lock in (await client.ok("/locks/list"))["locks"]]
        dead = ids[7]
        await client.ok("/devices/simulate/disconnect", {"device_id": dead})
        body = {"device_ids": ids, "name": "Fair"}
        headers = {"authorization": f"Bearer {client.token}"}
        started = perf_counter()
        answer = await client.send("PUT", CREATE, [], headers, json.dumps(body).encode())
        seconds = perf_counter() - started
        assert answer.status == 200
        assert seconds < SECONDS, f"{seconds:.2f} s for {len(ids)} locks"
        made = json.loads(answer.raw)["access_codes"]
        assert [code["device_id"] for code in made] == ids
        assert len({code["code"] for code in made}) == 1

        async def standing() -> dict[str, list[dict[str, Any]]]:
            found: dict[str, list[dict[str, Any]]] = {}
            for code in (await client.ok("/access_codes/list", {"search": "Fair"}))["access_codes"]:
                found.setdefault(code["status"], []).append(code)
            return found

        async def others_are_set() -> bool:
            return len((await standing()).get("set", ())) == len(ids) - 1

        await until(others_are_set, 30.0)
        (late,) = (await standing())["setting"]
        assert late["device_id"] == dead
        assert [problem["error_code"] for problem in late["errors"]] == ["device_disconnected"]
        again = (await client.ok(CREATE, body, method="PUT"))["access_codes"]
        assert [code["access_code_id"] for code in again] == [code["access_code_id"] for code in made]
        await client.ok("/devices/simulate/connect", {"device_id": dead})
        await reached(client, late, "set")


async def test_repeating_it_after_a_crash_changes_nothing(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon:
        async with client_of_process(daemon) as client:
            ids = [lock["device_id"] for lock in (await client.ok("/locks/list"))["locks"]]
            first = (await client.ok(CREATE, {"device_ids": ids, "name": "Fair"}, method="PUT"))["access_codes"]
        await daemon.kill()
        await daemon.start()
        async with client_of_process(daemon) as client:
            again = (await client.ok(CREATE, {"device_ids": ids, "name": "Fair"}, method="PUT"))["access_codes"]
            for before, after in zip(first, again, strict=True):
                assert (after["access_code_id"], after["code"]) == (before["access_code_id"], before["code"])
                await reached(client, after, "set")
            assert len((await client.ok("/access_codes/list"))["access_codes"]) == len(ids)
