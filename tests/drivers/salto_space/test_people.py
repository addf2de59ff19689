"""People, access levels and zones together."""

import pytest
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.faults import Fault
from hubd_drivers.salto_space.people import NO_GROUPS, NO_ZONES, AnyMirror, People
from hubd_drivers.salto_space.sim import Quirks, Stp

from hubd.driver.contract import RecordingPort
from hubd.model import AcsGone, AcsGroup, AcsZone, Permission
from tests.drivers.salto_space.linked import config_for, linked
from tests.drivers.salto_space.living import groups, users


async def around(people: People, mirror: AnyMirror, client: SpaceClient, port: RecordingPort) -> None:
    mirror.listing.begin()
    while not await people.step(mirror, client, port):
        pass
    await people.settle(mirror, client, port)


async def read(people: People, client: SpaceClient, port: RecordingPort) -> None:
    for mirror in (people.zones, people.groups, people.users):
        await around(people, mirror, client, port)


async def test_all_that_a_site_has() -> None:
    async with linked() as (client, space):
        port, people = RecordingPort(), People(await config_for(space.port, Stp(), page_size=4))
        await read(people, client, port)
        site = space.site
        assert {one.name for one in groups(port).values()} == {group["Name"] for group in site.groups}
        management = groups(port)[site.group_id("Management")]
        assert Permission(site.door_id("Garage")) in management.entrances
        assert {right.native_id for right in management.zones} == {site.zone_id("Rooms"), site.zone_id("Wellness")}
        zones = {one.name: one for one in port.noted if isinstance(one, AcsZone)}
        assert site.door_id("Pool") in zones["Wellness"].entrances
        assert users(port)[site.user_id("Ana")].groups == tuple(site.linked("User_Group", site.user_id("Ana")))
        assert not port.cautions


async def test_a_deleted_access_level_is_gone() -> None:
    async with linked() as (client, space):
        port, people = RecordingPort(), People(await config_for(space.port, Stp()))
        await read(people, client, port)
        group = space.site.group_id("Guests")
        space.operator.delete_group(group)
        await read(people, client, port)
        assert AcsGone("group", group) in port.noted


async def test_access_levels_that_are_not_listed_are_learnt_from_their_members() -> None:
    async with linked(quirks=Quirks(group_list=False)) as (client, space):
        port, people = RecordingPort(), People(await config_for(space.port, Stp()))
        await read(people, client, port)
        assert groups(port) == {group.id: AcsGroup(group.id, group.id) for group in space.site.groups}
        assert NO_GROUPS in port.cautions
        before = list(port.noted)
        await read(people, client, port)
        assert port.noted == before


async def test_users_that_cannot_be_read_are_no_empty_list() -> None:
    async with linked(quirks=Quirks(licence="info_only")) as (client, space):
        port, people = RecordingPort(), People(await config_for(space.port, Stp()))
        with pytest.raises(Fault, match="licence"):
            await around(people, people.users, client, port)


async def test_zones_that_cannot_be_read_are_told_and_kept() -> None:
    async with linked() as (client, space):
        port, people = RecordingPort(), People(await config_for(space.port, Stp()))
        await read(people, client, port)
        space.faults.refuse("SaltoDBZoneList.Read", 13)
        await read(people, client, port)
        assert NO_ZONES in port.cautions
        assert not any(isinstance(one, AcsGone) for one in port.noted)
        await read(people, client, port)
        assert NO_ZONES not in port.cautions


async def test_one_user_is_found_without_reading_all() -> None:
    for start in ("inclusive", "exclusive"):
        async with linked(quirks=Quirks(page_start=start)) as (client, space):
            port, people = RecordingPort(), People(await config_for(space.port, Stp(), page_size=4))
            await read(people, client, port)
            for user in [user.id for user in space.site.users]:
                space.counters.clear()
                found = await people.find_user(client, user)
                assert found is not None
                assert (found[0].id, found[1].value("ExtUserID")) == (user, user)
                assert space.counters.total == 1, start
            assert await people.find_user(client, "nobody") is None
            new = space.operator.add_user("New", "One")
            assert await people.find_user(client, new) is not None
