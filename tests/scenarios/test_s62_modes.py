"""S62, modes: what a door is in is a warning and an event, known over a restart; and why a key fails is said."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hubd_drivers.salto_space.sim import DoorState, Operation, Quirks, Space, demo_site

from tests.scenarios.client import client_of
from tests.scenarios.space import QUICK, TRANSPORTS, Premises, premises, served, table
from tests.support.site import running_site

pytestmark = pytest.mark.scenario

ONLINE, STANDALONE, ROOM = "Gym", "Plant room", "Room 101"
USER = "Ana García 0"


class Mode(NamedTuple):
    """What somebody does to a door, and how it ends."""

    begin: Callable[[Space, str], object]
    end: Callable[[Space, str], object]


def by_person(name: str) -> Mode:
    def act(space: Space, door: str) -> None:
        getattr(space.person, name)(door)

    def shut(space: Space, door: str) -> None:
        space.person.shuts(door)

    return Mode(act, shut)


def toggled(name: str) -> Mode:
    def act(space: Space, door: str) -> None:
        getattr(space.person, name)(door)

    def end(space: Space, door: str) -> None:
        getattr(space.person, name)(door, ends=True)

    return Mode(act, end)


def office() -> Mode:
    def begin(space: Space, door: str) -> None:
        space.person.holds_office(door, space.site.user_id(USER))

    def end(space: Space, door: str) -> None:
        space.person.holds_office(door, space.site.user_id(USER), ends=True)

    return Mode(begin, end)


def battery() -> Mode:
    def begin(space: Space, door: str) -> None:
        space.person.lets_battery_run_down(door)

    def end(space: Space, door: str) -> None:
        space.person.lets_battery_run_down(door, level=0)

    return Mode(begin, end)


def emergency() -> Mode:
    def begin(space: Space, door: str) -> None:
        space.site.locks[door].emergency = DoorState.EMERGENCY_OPEN

    def end(space: Space, door: str) -> None:
        space.site.locks[door].emergency = None

    return Mode(begin, end)


MODES = {
    "office_mode": office(),
    "privacy_mode": toggled("wants_privacy"),
    "left_open": by_person("leaves_open"),
    "intrusion": by_person("breaks_in"),
    "tamper": toggled("tampers"),
    "low_battery": battery(),
    "emergency_open": emergency(),
}


async def told(home: Premises, mode: str, name: str = ONLINE) -> list[str]:
    """Return the events of a mode of a door, in order."""
    entrance_id = (await home.entrance(name))["acs_entrance_id"]
    types = [f"acs_entrance.{mode}_started", f"acs_entrance.{mode}_ended"]
    found = [one for one in await home.events(*types) if one["acs_entrance_id"] == entrance_id]
    return [one["event_type"].removeprefix(f"acs_entrance.{mode}_") for one in found]


@pytest.mark.parametrize("mode", list(MODES))
async def test_what_an_online_door_is_in_is_a_warning_and_an_event_for_as_long_as_it_is(
    mode: str, tmp_path: Path
) -> None:
    async with premises(tmp_path, TRANSPORTS["stp"]) as home:
        door = home.floor.door_id(ONLINE)
        assert await home.warnings(ONLINE) == set()
        MODES[mode].begin(home.space, door)

        async def is_in_it() -> bool:
            return await home.warnings(ONLINE) == {mode}

        await home.sees(is_in_it)
        (warning,) = (await home.entrance(ONLINE))["warnings"]
        assert warning["message"].endswith(".")
        assert await told(home, mode) == ["started"]
        await home.reads_on()
        assert await told(home, mode) == ["started"], "told once, however often it is read"

        MODES[mode].end(home.space, door)

        async def is_over() -> bool:
            return await home.warnings(ONLINE) == set()

        await home.sees(is_over)
        await home.hears_all()
        assert await told(home, mode) == ["started", "ended"]
        assert {name for name in await home.entrances() if await told(home, mode, name)} == {ONLINE}, "no other door"


async def test_modes_are_known_over_a_restart_of_the_hub_and_what_ended_meanwhile_ends(tmp_path: Path) -> None:
    kept, ended = ("office_mode", "tamper"), ("privacy_mode", "left_open")
    async with served(site=demo_site()) as space:
        drivers = await table(space, TRANSPORTS["stp"], tmp_path, **QUICK)
        door = space.site.door_id(ONLINE)
        begun_at = space.site.trail.last_id
        async with running_site(tmp_path / "data", drivers) as live:
            home = Premises(space, client_of(live), live)
            for mode in (*kept, *ended):
                MODES[mode].begin(space, door)

            async def is_in_all() -> bool:
                return await home.warnings(ONLINE) == {*kept, *ended}

            await home.sees(is_in_all)
        for mode in ended:
            MODES[mode].end(space, door)
        async with running_site(tmp_path / "data", drivers) as live:
            home = Premises(space, client_of(live), live)
            home.begun_at = begun_at

            async def only_kept() -> bool:
                return await home.warnings(ONLINE) == set(kept)

            await home.sees(only_kept)
            await home.hears_all()
            assert {mode: await told(home, mode) for mode in (*kept, *ended)} == {
                **{mode: ["started"] for mode in kept},
                **{mode: ["started", "ended"] for mode in ended},
            }


async def test_modes_of_a_standalone_door_come_with_its_audit_trail(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        door, person = home.floor.door_id(ROOM), home.space.person
        person.wants_privacy(door)
        person.lets_battery_run_down(door)
        await home.reads_on()
        assert await home.warnings(ROOM) == {"standalone"}, "nobody knows yet"
        home.space.operator.collects(door)

        async def is_known() -> bool:
            return await home.warnings(ROOM) == {"standalone", "privacy_mode", "low_battery"}

        await home.sees(is_known)
        person.wants_privacy(door, ends=True)
        home.space.operator.collects(door)

        async def is_over() -> bool:
            return await home.warnings(ROOM) == {"standalone", "low_battery"}

        await home.sees(is_over)
        assert await told(home, "privacy_mode", ROOM) == ["started", "ended"]


@pytest.mark.parametrize("shows", [True, False])
async def test_office_mode_that_is_started_by_the_hub_shows_either_way(shows: bool, tmp_path: Path) -> None:  # noqa: FBT001
    async with premises(tmp_path, quirks=Quirks(office_shows_open=shows)) as home:
        device_id = (await home.entrance(ONLINE))["acs_entrance_id"]
        for action, warnings in (("start_office_mode", {"office_mode"}), ("end_office_mode", set[str]())):
            begin = {"instance": "space", "action": action, "device_id": device_id, "arguments": {}}
            run = (await home.client.ok("/hub/actions/start", begin))["run"]
            while run["state"] == "running":
                query = {"run_id": run["run_id"], "after_version": run["version"]}
                run = (await home.client.ok("/hub/actions/get", query))["run"]
            assert run["state"] == "done", run

            async def is_so(wanted: set[str] = warnings) -> bool:
                return await home.warnings(ONLINE) == wanted

            await home.sees(is_so)
        assert home.space.counters.requests["OnlineDoor.StartOfficeMode"] == 1
        assert home.space.counters.requests["OnlineDoor.EndOfficeMode"] == 1
        assert home.space.opened == []


async def test_why_a_key_does_not_work_is_said(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        floor, person, operator = home.floor, home.space.person, home.space.operator
        ana, gym = floor.user_id(USER), floor.door_id(ONLINE)
        assert person.opens(floor.door_id("Staff entrance"), ana) is Operation.NOT_ALLOWED
        person.wants_privacy(gym)
        assert person.opens(gym, ana) is Operation.PRIVACY
        person.wants_privacy(gym, ends=True)
        operator.ban_user(ana)
        assert person.opens(gym, ana) is Operation.KEY_CANCELLED
        operator.ban_user(ana, ends=True)
        assert person.opens(gym, ana) is Operation.OPENED_WITH_KEY
        await home.hears_all()
        denied = await home.events("lock.access_denied")
        assert [one["reason"]["reason_code"] for one in denied] == [
            "credential_error",
            "blocked_by_privacy_mode",
            "blocklisted_code",
        ]
        acs_user_id = (await home.user(ana))["acs_user_id"]
        assert {one["acs_user_id"] for one in denied} == {acs_user_id}
        words = [one["reason"]["message"] for one in denied]
        assert all(
            word in said for word, said in zip(("may not pass", "privacy mode", "cancelled"), words, strict=True)
        )
        (opened,) = await home.events("lock.unlocked")
        assert (opened["method"], opened["acs_user_id"]) == ("card", acs_user_id)
