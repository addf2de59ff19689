import pytest
from hubd_drivers.salto_space.sim.locks import Wiring
from hubd_drivers.salto_space.sim.records import Permit
from hubd_drivers.salto_space.sim.schema import DOOR, GROUP, LOCKER, USER
from hubd_drivers.salto_space.sim.trail import Operation

from tests.drivers.salto_space.sim.asking import SUMMER, small_site
from tests.support.clock import ManualClock

USER_GROUPS = USER.links[-1]
GROUP_USERS = GROUP.links[-1]


def test_a_list_set_at_one_end_is_seen_at_the_other_and_empties_both_caches() -> None:
    site = small_site(ManualClock())
    site.permit("User_Group", "u2", "g1")
    for record in (site.users["u1"], site.users["u2"], site.groups["g1"]):
        record.cache["form"] = b"old"
    site.set_links(site.groups["g1"], GROUP_USERS, {"u1": Permit()})
    assert list(site.links(site.users["u1"], USER_GROUPS)) == ["g1"]
    assert list(site.links(site.users["u2"], USER_GROUPS)) == []
    assert not any(record.cache for record in (site.users["u1"], site.users["u2"], site.groups["g1"]))


def test_a_record_that_goes_takes_its_links_along() -> None:
    site = small_site(ManualClock())
    site.permit("User_Group", "u1", "g1")
    site.permit("User_Door", "u1", "d1")
    site.permit("Group_Door", "g1", "d1")
    site.permit("Door_Zone", "d1", "z1")
    site.users["u1"].cache["form"] = b"old"
    site.remove(site.doors["d1"])
    assert site.linked("User_Door", "u1") == {}
    assert site.linked("Group_Door", "g1") == {}
    assert site.linked("Door_Zone", "z1", is_reversed=True) == {}
    assert not site.users["u1"].cache
    assert "d1" not in site.locks
    site.remove(site.users["u1"])
    assert site.linked("User_Group", "g1", is_reversed=True) == {}
    assert site.users.get("u1") is None


def test_places_share_one_space_of_ids() -> None:
    site = small_site(ManualClock())
    with pytest.raises(ValueError, match="d1"):
        site.add(LOCKER, {"ExtDoorID": "d1"})
    site.add(LOCKER, {"ExtDoorID": "l1", "Name": "Locker"})
    assert site.place("l1") is site.record("Door", "l1")
    assert [place.id for place in site.places()] == ["d1", "d2", "d3", "l1"]
    assert (site.door_id("Locker"), site.group_id("Level 2"), site.zone_id("Zone")) == ("l1", "g2", "z1")
    assert site.user_id("Ana García 3") == site.user_id("García 3") == "u3"
    with pytest.raises(KeyError):
        site.door_id("Level 2")


def test_an_online_lock_tells_at_once_and_an_offline_one_when_it_is_asked() -> None:
    clock = ManualClock(SUMMER)
    site = small_site(clock)
    site.add(DOOR, {"ExtDoorID": "w1", "Name": "Wired"}, wiring=Wiring.WIRED)
    site.happens(Operation.LEFT_OPEN, "d1")
    site.happens(Operation.INTRUSION, "d1")
    clock.step(60)
    site.happens(Operation.LEFT_OPEN, "w1")
    assert [event.what.door_id for event in site.trail.events] == ["w1"]
    assert site.collect("d1", at_most=1) == 1
    assert site.collect("d1") == 1
    assert site.collect("d1") == 0
    told = site.trail.events
    assert [event.what.operation for event in told] == [62, 62, 60]
    assert told[1].id > told[0].id
    assert told[1].what.at < told[0].what.at
    assert told[1].what.subject.name == "Door 1"


def test_ids_made_in_space_are_32_hexadecimal_digits() -> None:
    site = small_site(ManualClock())
    made = {site.made_id() for _ in range(10)}
    assert len(made) == 10
    assert all(len(key) == 32 and set(key) <= set("0123456789ABCDEF") for key in made)
