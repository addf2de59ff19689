"""S10, lifecycle: unset, setting, set, removing, gone, by polling and by events; `create` answers with the PIN."""

from pathlib import Path

import pytest

from tests.scenarios.client import client_of_process, settled, until
from tests.scenarios.codes import events, get, gone, make, opens, reached, soon, virtual
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario


async def test_a_stay_from_the_booking_to_the_end(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual(latency_ms=250)) as daemon, client_of_process(daemon) as client:
        code = await make(client, name="Anna", starts_at=soon(seconds=2), ends_at=soon(seconds=6))
        assert (code["status"], len(code["code"])) == ("unset", 6)
        assert not await opens(client, code["code"])
        (mutation,) = code["pending_mutations"]
        assert (mutation["mutation_code"], mutation["scheduled_at"]) == ("deferring_creation", code["starts_at"])
        await reached(client, code, "setting")
        await reached(client, code, "set")
        assert await opens(client, code["code"])
        await reached(client, code, "removing")
        await gone(client, code)
        assert not await opens(client, code["code"])
        assert await events(client, code) == [
            "created",
            "set_on_device",
            "lock.unlocked",
            "removed_from_device",
            "deleted",
        ]
        error = await client.refused("/access_codes/get", {"access_code_id": code["access_code_id"]})
        assert (error["status"], error["type"]) == (404, "access_code_not_found")


async def test_set_is_said_only_after_the_lock_confirmed_it(tmp_path: Path) -> None:
    """The lock takes the code and never answers, not even a question: nobody knows, and so nobody says it."""
    async with daemon_process(tmp_path, virtual(fault="silent")) as daemon, client_of_process(daemon) as client:
        code = await make(client, name="Anna")

        async def was_tried() -> bool:
            return bool((await get(client, code))["errors"])

        await until(was_tried)
        shown = await get(client, code)
        assert shown["status"] == "setting"
        assert shown["errors"][0]["error_code"] == "failed_to_set_on_device"
        assert "set_on_device" not in await events(client, code)
        assert await opens(client, code["code"])


async def test_a_lock_that_refuses_is_a_typed_failure(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual(fault="refuse")) as daemon, client_of_process(daemon) as client:
        code = await make(client, name="Anna")
        (pending,) = (await client.ok("/action_attempts/list"))["action_attempts"]
        attempt = await settled(client, pending["action_attempt_id"])
        assert (attempt["status"], attempt["error"]["type"]) == ("error", "failed_to_set_on_device")
        shown = await get(client, code)
        (problem,) = shown["errors"]
        assert (problem["error_code"], problem["message"]) == (
            "failed_to_set_on_device",
            attempt["error"]["message"],
        )
        assert "refused" in problem["message"]
        assert await events(client, code) == ["created", "failed_to_set_on_device"]
        assert not await opens(client, code["code"])
