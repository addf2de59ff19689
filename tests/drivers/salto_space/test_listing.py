"""One list, read around and around."""

import pytest
from hubd_drivers.salto_space import messages as ship
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.listing import Listing
from hubd_drivers.salto_space.messages import SpaceUser
from hubd_drivers.salto_space.sim import Quirks

from tests.drivers.salto_space.linked import linked
from tests.drivers.salto_space.named import named_by

QUIRKS = (
    Quirks(),
    Quirks(page_start="exclusive"),
    Quirks(page_order="made", eof="absent"),
    Quirks(page_cap=2, eof="late"),
    Quirks(page_start="exclusive", page_order="made", eof="absent", page_cap=3),
)


def listing(client: SpaceClient, count: int = 4) -> Listing[SpaceUser]:
    zone = client._zone  # noqa: SLF001 - the one of the config
    return Listing(lambda start: ship.list_users(count, start), lambda params: ship.read_users(params, zone))


async def around(listing: Listing[SpaceUser], client: SpaceClient) -> list[str]:
    """Read a round; returns the ids that were handed over."""
    listing.begin()
    fresh: list[str] = []
    while True:
        step = await listing.step(client)
        fresh += [one.id for one in step.fresh]
        listing.keep(step)
        if step.is_end:
            return fresh


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
async def test_each_round_has_everybody_and_hands_over_what_changed_pages_have(quirks: Quirks) -> None:
    async with linked(quirks=quirks) as (client, space):
        one = listing(client)
        everybody = sorted(user.id for user in space.site.users)
        assert sorted(await around(one, client)) == everybody
        assert await around(one, client) == []
        assert sorted(one.seen) == everybody
        somebody = space.site.user_id("Ana")
        space.operator.rename_user(somebody, "Eva", "Ruiz")
        changed = await around(one, client)
        assert somebody in changed
        assert len(changed) <= 4
        space.operator.delete_user(somebody)
        await around(one, client)
        assert sorted(one.seen) == [other for other in everybody if other != somebody]
        new = space.operator.add_user("New", "One")
        assert new in await around(one, client)


async def test_whether_pages_begin_with_the_record_asked_from_is_learnt() -> None:
    async with linked() as (client, _):
        one = listing(client)
        learnt = [one.begins_with_start]
        await around(one, client)
        assert [*learnt, one.begins_with_start] == [None, True]
    async with linked(quirks=Quirks(page_start="exclusive")) as (client, _):
        one = listing(client)
        await around(one, client)
        assert one.begins_with_start is False


async def test_a_page_with_a_touched_record_is_handed_over_twice_more() -> None:
    async with linked() as (client, space):
        one, somebody = listing(client), space.site.user_id("Ana")
        await around(one, client)
        one.touch(somebody)
        assert [somebody in await around(one, client) for _ in range(3)] == [True, True, False]


async def test_a_page_that_was_not_told_is_read_again() -> None:
    async with linked() as (client, _):
        one = listing(client)
        one.begin()
        first = await one.step(client)
        again = await one.step(client)
        assert [user.id for user in again.fresh] == [user.id for user in first.fresh]


async def test_a_record_without_an_id_makes_the_round_prove_nothing() -> None:
    async with linked() as (client, space):
        one = listing(client)
        await around(one, client)
        whole = [one.is_whole]
        space.site.users[space.site.user_id("Ana")].change({"ExtUserID": " "})
        for _ in range(2):
            await around(one, client)
            whole.append(one.is_whole)
        assert whole == [True, False, False], "its page is not taken for unchanged"
