"""What is new, what changed and what is gone."""

from typing import Any

import pytest
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.people import People
from hubd_drivers.salto_space.sim import Quirks, Stp

from hubd.driver import SystemClock
from hubd.driver.contract import RecordingPort
from hubd.model import AcsGone, AcsUser
from tests.drivers.salto_space.linked import config_for, linked
from tests.drivers.salto_space.living import users
from tests.drivers.salto_space.named import named_by

QUIRKS = (
    Quirks(),
    Quirks(page_start="exclusive"),
    Quirks(page_start="exclusive", page_order="made", eof="absent", page_cap=3),
)


async def around(mirror: Any, client: SpaceClient, port: RecordingPort) -> None:
    mirror.listing.begin()
    while not (await mirror.step(client, port)).is_end:
        pass
    await mirror.settle(client, port)


async def people_of(space: Any, **keys: Any) -> People:
    return People(await config_for(space.port, Stp(), **({"page_size": 4} | keys)))


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
@pytest.mark.parametrize("page_size", [4, 500])
async def test_only_news_is_told(quirks: Quirks, page_size: int) -> None:
    async with linked(quirks=quirks) as (client, space):
        port, mirror = RecordingPort(), (await people_of(space, page_size=page_size)).users
        await around(mirror, client, port)
        assert users(port).keys() == {user.id for user in space.site.users}
        assert len(mirror) == len(space.site.users)
        port.noted.clear()
        await around(mirror, client, port)
        assert port.noted == []
        somebody = space.site.user_id("Ana")
        space.operator.ban_user(somebody)
        await around(mirror, client, port)
        (noted,) = port.noted
        assert isinstance(noted, AcsUser)
        assert (noted.native_id, noted.is_suspended) == (somebody, True)


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
@pytest.mark.parametrize("page_size", [4, 500])
async def test_who_is_gone_is_asked_for_before_it_is_said(quirks: Quirks, page_size: int) -> None:
    async with linked(quirks=quirks) as (client, space):
        port, mirror = RecordingPort(), (await people_of(space, page_size=page_size)).users
        await around(mirror, client, port)
        gone = [user.id for user in space.site.users][:3]
        for user in gone:
            space.operator.delete_user(user)
        await around(mirror, client, port)
        await around(mirror, client, port)  # where one record cannot be asked for, a second round has to agree
        told = sorted(one.native_id for one in port.noted if isinstance(one, AcsGone))
        assert told == sorted(gone)
        port.noted.clear()
        await around(mirror, client, port)
        assert port.noted == []


async def test_who_was_deleted_while_nobody_looked_is_gone_too() -> None:
    async with linked() as (client, space):
        port = RecordingPort()
        port.noted.append(AcsUser("long-gone", "Somebody"))
        await around((await people_of(space)).users, client, port)
        assert AcsGone("user", "long-gone") in port.noted


class Later(SystemClock):
    passed = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.passed


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_site_that_shows_nobody_for_a_while_is_not_taken_for_deleted(*, restarts: bool) -> None:
    async with linked() as (client, space):
        clock = Later()
        port, mirror = RecordingPort(clock=clock), (await people_of(space)).users
        await around(mirror, client, port)
        everybody = users(port).keys()
        for user in everybody:
            space.operator.delete_user(user)
        if restarts:
            mirror = (await people_of(space)).users
        for _ in range(4):
            await around(mirror, client, port)
            clock.passed += 190.0
        assert users(port).keys() == everybody
        assert f"{len(everybody)} of {len(everybody)} users" in port.cautions["users_missing"]
        for _ in range(2):
            await around(mirror, client, port)
        assert not users(port), "in the end it is believed"
        assert not port.cautions


async def test_doubt_ends_when_they_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked() as (client, space):
        clock = Later()
        port, mirror = RecordingPort(clock=clock), (await people_of(space)).users
        await around(mirror, client, port)
        for _ in range(3):
            with monkeypatch.context() as patch:
                patch.setattr(mirror.listing, "seen", set())
                await mirror.settle(client, port)
            assert "users_missing" in port.cautions
            clock.passed += 500.0
            await around(mirror, client, port)
            assert not port.cautions
        assert len(users(port)) == len(space.site.users)


async def test_somebody_who_only_slipped_through_is_not_gone() -> None:
    async with linked() as (client, space):
        port, mirror = RecordingPort(), (await people_of(space)).users
        await around(mirror, client, port)
        mirror.listing.seen.discard(space.site.user_id("Ana"))
        port.noted.clear()
        await mirror.settle(client, port)
        assert port.noted == []


async def test_what_was_made_from_here_during_a_round_is_not_gone() -> None:
    async with linked() as (client, space):
        port, mirror = RecordingPort(), (await people_of(space)).users
        mirror.listing.begin()
        while not (await mirror.step(client, port)).is_end:
            pass
        mirror.changed("new", AcsUser("new", "New"))
        port.noted.append(AcsUser("new", "New"))
        await mirror.settle(client, port)
        assert not any(isinstance(one, AcsGone) for one in port.noted)


async def test_what_was_not_taken_in_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked() as (client, space):
        port, mirror = RecordingPort(), (await people_of(space)).users
        note = port.note

        async def fails(*_: Any, **__: Any) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(port, "note", fails)
        with pytest.raises(OSError, match="full"):
            await around(mirror, client, port)
        monkeypatch.setattr(port, "note", note)
        await around(mirror, client, port)
        assert len(users(port)) == len(space.site.users)
