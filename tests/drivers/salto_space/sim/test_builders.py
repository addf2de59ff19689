from datetime import UTC, datetime, timedelta

from hubd_drivers.salto_space.sim.builders import add_history, big_site, demo_site, now_utc
from hubd_drivers.salto_space.sim.locks import Wiring
from hubd_drivers.salto_space.sim.people import verdict
from hubd_drivers.salto_space.sim.state import Site

from tests.drivers.salto_space.sim.asking import SUMMER


def summer() -> datetime:
    return SUMMER


def values(site: Site) -> list[dict[str, str]]:
    return [record.values for table in site.tables.values() for record in table]


def test_the_demo_is_a_small_hotel() -> None:
    site = demo_site(now=summer)
    online = [place.name for place in site.places() if site.locks[place.id].is_online]
    assert online == ["Main entrance", "Staff entrance", "Garage", "Pool", "Gym", "Spa"]
    assert {site.locks[site.door_id(name)].wiring for name in online} == {Wiring.WIRED, Wiring.RADIO}
    assert (len(site.doors), len(site.users), len(site.groups)) == (12, 15, 4)
    keyless = [user for user in site.users if not user.is_set("CurrentKeyExists")]
    assert len(keyless) == 3
    guest = site.users["host-00000"]
    opens = [place.name for place in site.places() if verdict(site, guest, place.id) is None]
    assert opens[:4] == ["Main entrance", "Pool", "Gym", "Spa"]
    assert [name.split()[0] for name in opens[4:]] == ["Room"], "by a permission of its own"


def test_users_are_made_in_space_and_by_hosts() -> None:
    ids = [user.id for user in demo_site(now=summer).users]
    assert sum(len(key) == 32 for key in ids) == 10
    assert "host-00003" in ids


def test_a_site_is_the_same_for_the_same_seed() -> None:
    assert values(demo_site(now=summer)) == values(demo_site(now=summer))
    assert values(demo_site(now=summer, seed=2)) != values(demo_site(now=summer))
    assert values(big_site(50, 40, now=summer)) == values(big_site(50, 40, now=summer))


def test_a_big_site_has_the_size_that_was_asked_for() -> None:
    site = big_site(300, 80, now=summer)
    assert len(site.users) == 300
    assert len(list(site.places())) == 80
    assert sum(lock.is_online for lock in site.locks.values()) == 10
    assert all(site.linked("User_Group", user.id) for user in site.users)
    assert any("García" in user.name for user in site.users)
    serials = [user["CurrentROMCode"] for user in site.users if user.is_set("CurrentKeyExists")]
    assert len(serials) == len(set(serials)) == 200
    assert len(big_site(3, 0, now=summer).users) == 3


def test_a_history_fills_the_last_days() -> None:
    site = demo_site(now=summer)
    add_history(site, 100, days=2)
    times = [event.what.at for event in site.trail.events]
    assert (len(times), times[0], times == sorted(times)) == (100, SUMMER - timedelta(days=2), True)
    assert times[-1] < SUMMER
    empty = big_site(0, 8, now=summer)
    add_history(empty, 5)
    assert len(empty.trail) == 0


def test_now_is_aware() -> None:
    assert now_utc().tzinfo is UTC
