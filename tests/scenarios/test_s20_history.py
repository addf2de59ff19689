"""S20, history: who asked, when, old and new times, what the lock did; also of a code that is gone, PIN excluded."""

from pathlib import Path

import pytest

from tests.scenarios.client import client_of_process
from tests.scenarios.codes import gone, make, reached, soon, virtual
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario

PIN, OTHER = "42861375", "91357428"


async def test_the_story_of_a_code_that_is_gone(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, virtual()) as daemon:
        async with client_of_process(daemon) as client:
            key = await client.ok("/hub/keys/create", {"name": "Reception", "role": "operator"})
            starts_at, ends_at = soon(hours=-1), soon(days=1)
            code = await make(client, name="Anna", code=PIN, starts_at=starts_at, ends_at=ends_at, sync=True)
            change = {"access_code_id": code["access_code_id"], "ends_at": soon(days=2), "code": OTHER}
            await client.ok("/access_codes/update", change, token=key["token"])
            await reached(client, code, "set")
            await client.ok("/access_codes/delete", {"access_code_id": code["access_code_id"]}, token=key["token"])
            await gone(client, code)
        await daemon.kill()
        await daemon.start()
        async with client_of_process(daemon) as client:
            body = {"access_code_id": code["access_code_id"]}
            entries = (await client.ok("/access_codes/get_timeline", body))["timeline_events"]
            story = [(entry["event_type"].removeprefix("access_code."), entry["actor"]) for entry in reversed(entries)]
            assert sorted(kind for kind, _ in story) == [
                "changed",
                "code_changed",
                "created",
                "deleted",
                "mutations_requested",
                "removed_from_device",
                "set_on_device",
                "set_on_device",
                "time_frame_changed",
            ]
            actors = dict(story)
            assert actors["created"]["display_name"] == "owner"
            assert actors["time_frame_changed"]["display_name"] == "Reception"
            assert actors["removed_from_device"] == {"type": "system"}
            moved = next(entry for entry in entries if entry["event_type"].endswith("time_frame_changed"))
            assert code["ends_at"][:19] in moved["description"]
            assert PIN not in str(entries)
            assert OTHER not in str(entries)
            assert entries == sorted(entries, key=lambda entry: str(entry["occurred_at"]), reverse=True)
