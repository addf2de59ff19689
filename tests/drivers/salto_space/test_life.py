"""A life beside the server: both transports, and every reading of the protocol that may be the true one."""

import asyncio
import time
from typing import Any

import pytest
from hubd_drivers.salto_space.driver import SaltoSpaceDriver
from hubd_drivers.salto_space.life import MOST_REFUSALS, NO_TRAIL
from hubd_drivers.salto_space.sim import Basic, Http, Quirks, Space, Stp, add_history, demo_site
from hubd_drivers.salto_space.sim.locks import Wiring
from hubd_drivers.salto_space.sim.schema import USER
from hubd_drivers.salto_space.sim.trail import Operation

from hubd.driver import DriverError
from hubd.driver.contract import RecordingPort, running
from hubd.model import (
    AcsUser,
    CreateUser,
    DeleteUser,
    EditUser,
    EntranceSeen,
    LockDoor,
    OutcomeKind,
    SetMembership,
)
from tests.drivers.salto_space.linked import config_for
from tests.drivers.salto_space.living import QUICK, audits, groups, lines, living, users
from tests.drivers.salto_space.named import named_by
from tests.drivers.salto_space.wire import closed_port
from tests.support.hub import until

TRAIL = "SaltoDBAuditTrail.Read"

READINGS = (
    Quirks(),
    Quirks(scalars_left_out="reset", unknown_elements="refused", read_only_elements="refused"),
    Quirks(page_start="exclusive", page_order="made", eof="absent", page_cap=3),
    Quirks(eof="late", page_cap=2, audit_eof=True),
    Quirks(unknown_door="error", initializing=99, office_shows_open=True),
    Quirks(descending="ignored", utc_ignored=True, filter_times="utc"),
    Quirks(descending="start_is_floor", membership_ids="far", text="iso-8859-1"),
    Quirks(text="references", line_breaks=True, unpadded_dates=True),
    Quirks(closes_after_reply=True, stp_version="01"),
    Quirks(encoder_reply="empty", unknown_door="missing", empty_command_list="refuse"),
    Quirks(secrets="stars"),
)


@pytest.mark.parametrize("quirks", READINGS, ids=named_by)
async def test_a_day_under_every_reading(quirks: Quirks) -> None:
    site = demo_site()
    add_history(site, 30)
    async with living(site=site, quirks=quirks) as h:
        garage, ana = site.door_id("Garage"), site.user_id("Ana")
        before = site.trail.last_id
        assert len(users(h.port)) == len(site.users)
        assert len(h.port.devices) == len(list(site.places())) + 1
        assert (await h.open(garage)).kind is OutcomeKind.DONE
        h.space.person.opens(site.door_id("Main entrance"), ana)
        h.space.person.wants_privacy(site.door_id("Pool"))
        edited = await h.edit(EditUser(subject=ana, full_name="Eva Ruiz"))
        made = await h.edit(CreateUser(subject="hub-1", user=AcsUser("hub-1", "New One")))
        joined = await h.edit(SetMembership(subject="hub-1", group=site.group_id("Guests"), is_member=True))
        assert {one.kind for one in (edited, made, joined)} == {OutcomeKind.DONE}
        h.space.operator.ban_user(ana)
        h.space.present_card("Encoder#1", "04AABBCCDDEE80")
        encoded = await h.encode("hub-1")
        assert encoded.kind is OutcomeKind.DONE
        await until(lambda: users(h.port)[ana].is_suspended, 15)
        await until(lambda: lines(h.port) == [event.id for event in site.trail.since(before + 1)], 5)
        assert users(h.port)[ana].full_name == "Eva Ruiz"
        opened, used, private = audits(h.port)
        assert (opened.entrance, opened.is_remote, opened.user) == (garage, True, None)
        assert (used.entrance_name, used.user, used.passage) == ("Main entrance", ana, "granted")
        assert private.condition == ("privacy_mode", True)
        assert [one.door_id for one in h.space.opened] == [garage]


@pytest.mark.parametrize("transport", [Stp(), Http(), Http(auth=Basic("hub", "secret"))], ids=["stp", "http", "basic"])
async def test_either_transport(transport: Stp | Http, tmp_path: Any) -> None:
    keys: dict[str, Any] = {}
    if isinstance(transport, Http) and transport.auth is not None:
        secret = tmp_path / "secret"
        await asyncio.to_thread(secret.write_text, "secret\n")
        keys = {"auth": "basic", "username": "hub", "secret_file": str(secret)}
    async with living(transport=transport, **keys) as h:
        garage = h.space.site.door_id("Garage")
        assert (await h.open(garage)).kind is OutcomeKind.DONE
        await until(lambda: lines(h.port))
        ana = h.space.site.user_id("Ana")
        h.space.operator.rename_user(ana, "Eva", "Ruiz")
        await until(lambda: users(h.port)[ana].full_name == "Eva Ruiz", 15)
        assert (await h.edit(DeleteUser(subject=ana))).kind is OutcomeKind.DONE


async def test_a_quiet_site_costs_three_questions_a_poll() -> None:
    async with living(poll_seconds=0.2, audit_seconds=0.2, sync_seconds=1.0) as h:
        await until(lambda: h.space.counters.requests["OnlineDoor.GetOnlineStatusList"] >= 2, 10)
        begun = time.monotonic()
        h.space.counters.clear()
        h.port.noted.clear()
        await until(lambda: h.space.counters.requests["OnlineDoor.GetOnlineStatusList"] >= 10, 20)
        assert h.space.counters.total <= 3 * ((time.monotonic() - begun) / 0.2 + 1)
        assert h.port.noted == []


async def test_a_server_that_is_restarted_in_the_middle_of_everything() -> None:
    site = demo_site()
    async with Space(site, transport=Stp()) as space:
        driver = SaltoSpaceDriver(await config_for(space.port, Stp(), **QUICK))
        port = RecordingPort()
        made: list[int] = []
        for number in range(3):
            async with running(driver, port) as task:
                space.person.opens(site.door_id("Main entrance"), site.user_id("Ana"))
                await until(lambda: lines(port)[-1:] == [site.trail.last_id])
                await space.stop()
                await asyncio.wait({task}, timeout=5)
                error = task.exception()
                assert isinstance(error, DriverError)
                assert (error.hop, bool(error.remedy)) == ("server", True)
            space.operator.rename_user(site.user_id("Ana"), "Ana", f"García {number}")
            site.happens(Operation.OPENED_FROM_INSIDE, site.door_id("Gym"))
            site.happens(Operation.OPENED_FROM_INSIDE, site.door_id("Kitchen"))
            await space.start()
            port.known, port.is_ready = dict(port.devices), asyncio.Event()
        async with running(driver, port):
            space.operator.collects(site.door_id("Kitchen"))
            made = [event.id for event in site.trail.events]
            await until(lambda: lines(port) == made)
            assert users(port)[site.user_id("Ana")].full_name == "Ana García 2"
        assert not space.disasters


async def test_late_lines_keep_their_time_and_change_nothing_newer() -> None:
    async with living() as h:
        site, door = h.space.site, h.space.site.door_id("Kitchen")
        site.happens(Operation.OPENED_FROM_INSIDE, door)
        untold = site.locks[door].untold
        untold[0] = untold[0]._replace(at=untold[0].at.replace(year=untold[0].at.year - 1))
        h.space.operator.collects(door)
        await until(lambda: lines(h.port))
        (late,) = audits(h.port)
        assert late.at.year == site.now().year - 1


async def test_a_new_door_in_a_line_is_announced_before_the_line_is_told() -> None:
    async with living(sync_seconds=3600.0) as h:
        door = h.space.operator.add_door("New door")
        h.space.site.happens(Operation.OPENED_FROM_INSIDE, door)
        h.space.operator.collects(door)
        await until(lambda: lines(h.port))
        (line,) = audits(h.port)
        assert (line.entrance, line.entrance_name) == (door, "New door")
        assert door in h.port.devices


async def test_an_order_s_line_comes_at_once() -> None:
    async with living(audit_seconds=3600.0) as h:
        await h.open(h.space.site.door_id("Garage"))
        await until(lambda: lines(h.port), 1)


async def test_the_event_stream_has_the_trail_read_at_once() -> None:
    free = await closed_port()
    async with living(audit_seconds=3600.0, event_stream=f"tcp://127.0.0.1:{free}") as h:
        h.space.person.goes_out(h.space.site.door_id("Gym"))
        writer = await connected(free)
        writer.write(b"\xff\x00 not even JSON")
        await until(lambda: lines(h.port), 3)
        writer.transport.abort()
        await asyncio.sleep(0)


async def connected(port: int) -> asyncio.StreamWriter:
    """Connect as soon as somebody listens."""
    async with asyncio.timeout(5):
        while True:
            try:
                return (await asyncio.open_connection("127.0.0.1", port))[1]
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)


async def test_conditions_of_doors() -> None:
    async with living() as h:
        gym = h.space.site.door_id("Gym")
        h.space.person.tampers(gym)
        await h.port.wait_for(
            lambda seen: (
                isinstance(seen, EntranceSeen) and seen.native_id == gym and seen.conditions.get("tamper") is True
            )
        )
        await until(lambda: lines(h.port))
        assert audits(h.port)[0].condition is None, "of an online door its status tells it"


async def test_a_trail_that_may_not_be_read_is_told_and_the_rest_works() -> None:
    site = demo_site()
    async with Space(site, transport=Stp()) as space:
        space.faults.refuse(TRAIL, 13, 99)
        port = RecordingPort()
        driver = SaltoSpaceDriver(await config_for(space.port, Stp(), **QUICK))
        async with running(driver, port):
            assert NO_TRAIL in port.cautions
            assert len(users(port)) == len(site.users)


async def test_an_edit_is_not_overwritten_by_an_older_page() -> None:
    async with living() as h:
        ana = h.space.site.user_id("Ana")
        held = h.space.faults.hold("SaltoDBUserList.Read", after=True)
        await held.reached.wait()
        edit = asyncio.create_task(h.edit(EditUser(subject=ana, full_name="Eva Ruiz")))
        await asyncio.sleep(0.05)
        assert not edit.done(), "the page that was read before is told first"
        held.release()
        outcome = await edit
        h.port.noted.extend(outcome.noted)
        count = len(h.port.noted)
        await asyncio.sleep(0.5)
        names = [one.full_name for one in h.port.noted[count:] if isinstance(one, AcsUser) and one.native_id == ana]
        assert set(names) <= {"Eva Ruiz"}
        assert users(h.port)[ana].full_name == "Eva Ruiz"


async def test_while_a_card_is_waited_for_everything_else_goes_on() -> None:
    async with living() as h:
        user = next(user.id for user in h.space.site.users if not user.is_set("CurrentKeyExists"))
        encode = asyncio.create_task(h.encode(user))
        await h.space.encoders["Encoder#1"].waits.wait()
        h.space.counters.clear()
        assert (await h.open(h.space.site.door_id("Garage"))).kind is OutcomeKind.DONE
        await until(lambda: h.space.counters.requests["OnlineDoor.GetOnlineStatusList"] > 2)
        assert (await h.edit(EditUser(subject=user, is_suspended=False))).kind is OutcomeKind.DONE
        h.space.present_card("Encoder#1", "04AABBCCDDEE80")
        assert (await encode).kind is OutcomeKind.DONE


async def test_commands_that_make_no_sense_here() -> None:
    async with living() as h:
        garage = h.space.site.door_id("Garage")
        for native_id, kind in (
            (garage, OutcomeKind.UNSUPPORTED),
            ("encoder:Encoder#1", OutcomeKind.UNSUPPORTED),
            ("nowhere", OutcomeKind.REJECTED),
        ):
            outcome = await h.driver.execute(LockDoor(device_id="d", native_id=native_id))
            assert outcome.kind is kind, native_id
        assert h.space.counters.requests["OnlineDoor.Close"] == 0


async def test_deleting_a_group_in_the_gui_shows_at_its_members() -> None:
    async with living() as h:
        site = h.space.site
        group = site.group_id("Guests")
        members = set(site.linked("User_Group", group, is_reversed=True))
        h.space.operator.delete_group(group)
        await until(lambda: group not in groups(h.port), 15)
        await until(lambda: not any(group in users(h.port)[user].groups for user in members), 15)
        h.space.operator.change(USER, next(iter(members)), {"Title": "Dr."})
        await until(lambda: any(user.full_name.startswith("Dr.") for user in users(h.port).values()), 15)


@pytest.mark.parametrize("name", [TRAIL, "OnlineDoor.GetOnlineStatusList", "SaltoDBUserList.Read", "GetInfo"])
async def test_a_refusal_or_two_end_no_life_and_more_do(name: str) -> None:
    async with living() as h:
        for code in (1, 4):
            h.space.faults.refuse(name, code)
        await until(lambda: not list(h.space.faults), 10)
        h.space.counters.clear()
        await until(lambda: h.space.counters.requests[name] > 0, 10)
        assert not h.task.done()
        ended = h.task
        h.space.faults.refuse(name, 1, MOST_REFUSALS)
        await asyncio.wait([ended], timeout=15)
        error = ended.exception()
        assert isinstance(error, DriverError)
        assert error.code == "database_problem"


async def test_a_new_door_in_the_trail_is_announced_as_what_it_is() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        port, config = RecordingPort(), await config_for(space.port, Stp(), **QUICK)
        async with running(SaltoSpaceDriver(config), port):
            pass
        port.known = dict(port.devices)
        door = space.operator.add_door("New gate", Wiring.WIRED)
        space.site.locks[door].is_connected = True
        space.site.happens(Operation.OPENED_FROM_INSIDE, door)
        port.announced.clear()
        port.is_ready.clear()
        async with running(SaltoSpaceDriver(config), port):
            pass
        told = [one.capabilities.entrance for one in port.announced if one.native_id == door]
        assert told
        assert not any(one is None or one.is_standalone for one in told)
