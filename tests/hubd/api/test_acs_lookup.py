from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from hubd.api import acs_lookup
from hubd.core.policy import Policy
from hubd.model import Permission
from hubd.model.errors import NotFoundError, RefusedError
from tests.hubd.api.access import Acs
from tests.hubd.api.harness import running_api
from tests.support import access
from tests.support.access import AccessDriver

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def test_systems_by_id(acs: Acs) -> None:
    hub = acs.api.hub
    assert acs_lookup.instance_of(hub, acs.system_id.upper()) == "space"
    assert acs_lookup.known_instance(hub, hub.account_id("space")) is None
    with pytest.raises(NotFoundError):
        acs_lookup.instance_of(hub, hub.account_id("space"))


async def test_who_may_pass_a_door_and_when(acs: Acs) -> None:
    hub, now = acs.api.hub, acs.api.clock.now()
    lobby, pool = (hub.devices[acs.device_id(name)] for name in ("door-lobby", "door-pool"))
    ada, bob = (hub.access.user(acs.user_id(name)) for name in ("user-ada", "user-bob"))
    assert acs_lookup.passing(hub, lobby) == {ada.id}
    assert acs_lookup.passing(hub, pool) == {bob.id}
    assert acs_lookup.may_pass(hub, ada, lobby, now)
    assert not acs_lookup.may_pass(hub, ada, pool, now)
    own = Permission("door-pool", now, now + timedelta(hours=1))
    later = replace(ada, user=replace(ada.user, entrances=(own,)))
    assert acs_lookup.may_pass(hub, later, pool, now)
    assert not acs_lookup.may_pass(hub, later, pool, now + timedelta(hours=1))
    assert not acs_lookup.may_pass(hub, replace(later, instance="site"), pool, now)


async def test_a_door_that_the_site_does_not_manage(tmp_path: Path) -> None:
    driver = AccessDriver(access.furnished())
    policy = Policy(("entrance", "encoder"), exclude_ids=("door-pool",))
    async with running_api(tmp_path / "data", access.instance(driver, policy=policy)) as api:
        acs = Acs(api, driver)
        listed = (await api.ok("/acs/entrances/list"))["acs_entrances"]
        assert [one["display_name"] for one in listed] == ["Lobby", "Shed", "Room 101"]
        error = await api.refused("/acs/entrances/unlock", {"acs_entrance_id": acs.device_id("door-pool")})
        assert (error["status"], error["type"]) == (400, "device_unmanaged")
        assert "[drivers.space]" in error["message"]
        assert driver.system.openings == []


def test_two_systems_are_kept_apart() -> None:
    acs_lookup.check_same("a", "a")
    with pytest.raises(RefusedError, match="two different") as caught:
        acs_lookup.check_same("a", "b")
    assert caught.value.code == "acs_systems_differ"


def test_bounds_and_words() -> None:
    assert acs_lookup.is_before(NOW, None)
    assert acs_lookup.is_before(NOW, NOW + timedelta(seconds=1))
    assert not acs_lookup.is_before(NOW, NOW)
    assert acs_lookup.is_before(NOW, datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(minutes=30))))
    assert acs_lookup.is_before(NOW, datetime(2026, 3, 1, 1))  # noqa: DTZ001 - without an offset it is UTC
    assert acs_lookup.has_words(None)
    assert acs_lookup.has_words("ADA", None, "Ada Example")
    assert not acs_lookup.has_words("bob", "Ada Example")


async def test_a_user_of_another_system(tmp_path: Path) -> None:
    space, annex = (AccessDriver(access.furnished()) for _ in range(2))
    async with running_api(tmp_path / "data", access.instance(space), access.instance(annex, "annex")) as api:
        notes = api.hub.access.notes
        body = {"acs_user_id": notes.user_id("space", "user-ada"), "acs_system_id": notes.system_id("annex")}
        error = await api.refused("/acs/users/get", body)
        assert (error["status"], error["type"]) == (404, "not_in_acs_system")
        body = {
            "acs_user_id": notes.user_id("space", "user-ada"),
            "acs_access_group_id": notes.group_id("annex", "group-staff"),
        }
        error = await api.refused("/acs/users/add_to_access_group", body)
        assert (error["status"], error["type"]) == (400, "acs_systems_differ")
        assert len((await api.ok("/acs/systems/list"))["acs_systems"]) == 2
        assert len((await api.ok("/acs/users/list", {"acs_system_id": notes.system_id("annex")}))["acs_users"]) == 2
