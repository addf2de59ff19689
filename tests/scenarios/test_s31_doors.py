"""S31 for doors: an order goes out once and in time, or not at all, to the door that is meant; its end is true."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.salto_space.sim import DoorState, Operation, Quirks, Trouble

from hubd.model.command import UnlockDoor
from tests.scenarios.client import settled, until
from tests.scenarios.space import (
    NOTICED,
    TRANSPORTS,
    Premises,
    Transport,
    at_home,
    lines,
    opened,
    premises,
    premises_of_process,
)

pytestmark = pytest.mark.scenario

OPEN = "OnlineDoor.Open"
DOOR = "Main entrance"


@pytest.fixture(params=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each way to the server."""
    return TRANSPORTS[request.param]


async def is_resolved(home: Premises, attempt_id: str) -> bool:
    attempt = (await home.client.ok("/action_attempts/get", {"action_attempt_id": attempt_id}))["action_attempt"]
    return attempt["stages"]["resolved_at"] is not None


async def test_one_order_is_one_request_with_exactly_one_door(transport: Transport, tmp_path: Path) -> None:
    async with premises(tmp_path, transport, quirks=Quirks(empty_command_list="all")) as home:
        attempt = await home.unlock(DOOR)
        assert (attempt["status"], attempt["action_type"]) == ("success", "UNLOCK_DOOR")
        assert [one.door_id for one in home.space.opened] == [home.floor.door_id(DOOR)]
        assert home.space.counters.requests[OPEN] == 1
        await home.hears_all()
        (event,) = await home.events("lock.unlocked")
        assert event["method"] == "remote"
        assert event["action_attempt_id"] == attempt["action_attempt_id"]
        assert event["acs_entrance_id"] == (await home.entrance(DOOR))["acs_entrance_id"]


@pytest.mark.parametrize("trouble", [Trouble.DROP_REPLY, Trouble.HTML, Trouble.HALF, Trouble.JUNK])
async def test_an_answer_that_is_lost_is_told_as_such_and_the_trail_settles_it(
    trouble: Trouble, transport: Transport, tmp_path: Path
) -> None:
    async with premises(tmp_path, transport, audit_seconds=1.0) as home:
        if trouble is Trouble.DROP_REPLY:
            home.space.faults.drop_reply(OPEN)
        else:
            home.space.faults.garble(OPEN, trouble)
        attempt = await home.unlock(DOOR)
        assert attempt["action_type"] == "UNLOCK_DOOR"
        await until(lambda: is_resolved(home, attempt["action_attempt_id"]), NOTICED)
        found = await settled(home.client, attempt["action_attempt_id"])
        assert (found["status"], found["error"]) == ("success", None)
        assert opened(home.space, DOOR) == 1
        assert home.space.counters.requests[OPEN] == 1, "it was not sent again"


async def test_an_order_that_was_dropped_unread_is_not_sent_again(transport: Transport, tmp_path: Path) -> None:
    """The bytes went out, so nobody knows; that the trail stays silent is no proof, and the order stays unsure."""
    async with premises(tmp_path, transport) as home:
        home.space.faults.drop_request(OPEN)
        attempt = await home.unlock(DOOR)
        assert (attempt["status"], attempt["error"]["type"]) == ("error", "sent_unconfirmed")
        await home.reads_on(3)
        assert home.space.opened == []
        assert home.space.counters.requests[OPEN] == 1


async def test_an_order_is_not_carried_out_late(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        door = await home.entrance(DOOR)
        hold = home.space.faults.hold(OPEN)
        order = UnlockDoor(device_id=door["acs_entrance_id"], native_id=home.floor.door_id(DOOR))
        hub = home.live.hub
        first = await hub.submit(order, "test", deadline_seconds=0.4)
        waiting = await hub.submit(order, "test", deadline_seconds=0.2)
        await hold.reached.wait()
        assert (await settled(home.client, waiting))["error"]["type"] == "deadline_exceeded"
        assert (await settled(home.client, first))["error"]["type"] == "sent_unconfirmed"
        hold.release()
        await home.reads_on(2)
        assert home.space.counters.requests[OPEN] == 1, "the one behind it never went out"


async def test_a_reply_that_says_nothing_of_the_door_is_no_success(tmp_path: Path) -> None:
    async with premises(tmp_path, quirks=Quirks(action_results=False), audit_seconds=3600.0) as home:
        home.space.faults.hold("SaltoDBAuditTrail.Read")  # the trail would settle it
        attempt = await home.unlock(DOOR)
        assert (attempt["status"], attempt["error"]["type"]) == ("error", "sent_unconfirmed")
        assert home.space.counters.requests[OPEN] == 1
        home.space.faults.clear()


@pytest.mark.parametrize(("how", "code"), [("lost", "device_disconnected"), ("emergency", "order_not_taken")])
async def test_a_door_that_does_not_obey_says_why(how: str, code: str, tmp_path: Path) -> None:
    async with premises(tmp_path, poll_seconds=60.0, sync_seconds=3600.0) as home:
        lock = home.floor.locks[home.floor.door_id(DOOR)]
        if how == "lost":
            lock.is_connected = False  # the hub has not heard of it yet
        else:
            lock.emergency = DoorState.EMERGENCY_CLOSE
        attempt = await home.unlock(DOOR)
        assert (attempt["status"], attempt["error"]["type"]) == ("error", code)
        assert "encoder" not in attempt["error"]["message"]
        assert home.space.opened == []
        assert home.space.counters.requests[OPEN] == 1


async def test_a_crash_under_an_order_never_repeats_it(transport: Transport, tmp_path: Path) -> None:
    async with premises_of_process(tmp_path, transport) as (space, daemon):
        async with at_home(space, daemon) as home:
            body = {"acs_entrance_id": (await home.entrance(DOOR))["acs_entrance_id"]}
            begun_at, hold = home.begun_at, space.faults.hold(OPEN, after=True)
            call = asyncio.create_task(home.client.call("/acs/entrances/unlock", body))
            await asyncio.wait_for(hold.reached.wait(), NOTICED)
            await daemon.kill()
            await asyncio.wait({call})
            assert call.exception() is not None
        hold.release()
        await daemon.start()
        async with at_home(space, daemon, begun_at) as home:
            (attempt,) = (await home.client.ok("/action_attempts/list"))["action_attempts"]
            await until(lambda: is_resolved(home, attempt["action_attempt_id"]), NOTICED)
            found = await settled(home.client, attempt["action_attempt_id"])
            assert (found["status"], found["error"]) == ("success", None), "the trail has the opening"
            await home.hears_all()
        assert opened(space, DOOR) == 1
        assert space.counters.requests[OPEN] == 1


async def test_doors_do_not_hold_each_other_and_nothing_opens_them_all(tmp_path: Path) -> None:
    """Orders come in at once, for online, standalone and unknown doors; each opens its own or none."""
    async with premises(tmp_path) as home:
        entrances = await home.entrances()
        bodies = [{"acs_entrance_id": one["acs_entrance_id"]} for one in entrances.values()]
        answers = await asyncio.gather(*(home.client.call("/acs/entrances/unlock", body) for body in bodies))
        online = {name for name, one in entrances.items() if one["can_unlock_with_cloud_key"]}
        assert {answer.status for answer in answers} == {200, 400}
        names = {place.id: place.name for place in home.floor.places()}
        assert Counter(names[one.door_id] for one in home.space.opened) == Counter(online)
        wrongs: list[dict[str, Any]] = [{}, {"acs_entrance_id": ""}, {"acs_entrance_id": []}, {"acs_entrance_id": None}]
        for wrong in wrongs:
            assert (await home.client.call("/acs/entrances/unlock", wrong)).status == 400
        assert len(home.space.opened) == len(online) == len(lines(home.floor, Operation.OPENED_ONLINE))
