import pytest
from hubd_drivers.salto_space.sim.locks import DoorState, Wiring
from hubd_drivers.salto_space.sim.people import Operator, Person
from hubd_drivers.salto_space.sim.records import Permit
from hubd_drivers.salto_space.sim.schema import DOOR, USER
from hubd_drivers.salto_space.sim.state import Site
from hubd_drivers.salto_space.sim.trail import Operation, SubjectType

from tests.drivers.salto_space.sim.asking import SUMMER, small_site
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SUMMER)


@pytest.fixture
def site(clock: ManualClock) -> Site:
    made = small_site(clock)
    made.add(DOOR, {"ExtDoorID": "w1", "Name": "Wired", "OpenTime": "6"}, wiring=Wiring.WIRED)
    Operator(made).give_key("u1", "04AB")
    return made


def operations(site: Site) -> list[int]:
    return [event.what.operation for event in site.trail.events]


@pytest.mark.parametrize(
    ("table", "near", "far"),
    [("User_Door", "u1", "w1"), ("User_Zone", "u1", "z1"), ("Group_Door", "g1", "w1"), ("Group_Zone", "g1", "z1")],
)
def test_a_key_opens_by_each_kind_of_permission(
    site: Site, clock: ManualClock, table: str, near: str, far: str
) -> None:
    site.permit("User_Group", "u1", "g1")
    site.permit("Door_Zone", "w1", "z1")
    assert Person(site).opens("w1", "u1") is Operation.NOT_ALLOWED
    assert not site.locks["w1"].is_unlocked(clock.now())
    site.permit(table, near, far)
    assert Person(site).opens("w1", "u1") is Operation.OPENED_WITH_KEY
    assert site.locks["w1"].is_unlocked(clock.now())
    last = site.trail.events[-1].what
    assert (last.subject.type, last.subject.id, last.subject.card) == (SubjectType.CARDHOLDER, "u1", "04AB")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"IsBanned": "1"}, Operation.KEY_CANCELLED),
        ({"UserActivation": "2026-07-01T12:00:01"}, Operation.NOT_ACTIVATED),
        ({"UserActivation": "2026-07-01T12:00:00"}, Operation.OPENED_WITH_KEY),
        ({"UserExpiration.Enabled": "1", "UserExpiration": "2026-07-01T12:00:00"}, Operation.EXPIRED),
        ({"UserExpiration.Enabled": "1", "UserExpiration": "2026-07-01T24:00:00"}, Operation.OPENED_WITH_KEY),
        ({"UserExpiration.Enabled": "0", "UserExpiration": "2000-01-01T00:00:00"}, Operation.OPENED_WITH_KEY),
    ],
)
def test_a_key_is_refused_with_its_reason(site: Site, values: dict[str, str], wanted: Operation) -> None:
    site.permit("User_Door", "u1", "w1")
    Operator(site).change(USER, "u1", values)
    assert Person(site).opens("w1", "u1") is wanted


def test_a_period_and_the_mode_of_a_door_refuse_too(site: Site) -> None:
    person = Person(site)
    site.permit("User_Door", "u1", "w1", Permit(0, "2026-07-01T14:00:00", "2026-07-02T24:00:00"))
    assert person.opens("w1", "u1") is Operation.OUT_OF_DATE
    site.permit("User_Door", "u1", "w1")
    person.wants_privacy("w1")
    assert person.opens("w1", "u1") is Operation.PRIVACY
    Operator(site).change(USER, "u1", {"OverridePrivacy": "1"})
    assert person.opens("w1", "u1") is Operation.OPENED_WITH_KEY
    site.locks["w1"].emergency = DoorState.EMERGENCY_CLOSE
    assert person.opens("w1", "u1") is Operation.EMERGENCY
    person.wants_privacy("w1", ends=True)
    assert operations(site) == [83, 40, 87, 17, 95, 41]


def test_nobody_opens_without_a_key(site: Site) -> None:
    with pytest.raises(ValueError, match="no key"):
        Person(site).opens("w1", "u2")


def test_what_an_offline_lock_sees_is_known_when_an_operator_has_been_there(site: Site, clock: ManualClock) -> None:
    site.permit("User_Door", "u1", "d1")
    Person(site).opens("d1", "u1")
    assert operations(site) == []
    clock.step(3600)
    assert Operator(site).collects("d1") == 1
    assert operations(site) == [17]
    assert site.trail.events[0].what.at == SUMMER


def test_alarms_begin_and_end(site: Site, clock: ManualClock) -> None:
    person, lock = Person(site), site.locks["w1"]
    person.goes_out("w1")
    person.leaves_open("w1")
    states = [lock.state(clock.now())]
    person.shuts("w1")
    person.breaks_in("w1")
    states.append(lock.state(clock.now()))
    person.shuts("w1")
    states.append(lock.state(clock.now()))
    assert states == [DoorState.LEFT_OPEN, DoorState.INTRUSION, DoorState.CLOSED]
    person.tampers("w1")
    person.tampers("w1", ends=True)
    person.lets_battery_run_down("w1", 1)
    assert (lock.battery, lock.is_tampered) == (1, False)
    person.lets_battery_run_down("w1", 0)
    person.holds_office("w1", "u1")
    modes = [lock.is_office]
    person.holds_office("w1", "u1", ends=True)
    assert [*modes, lock.is_office] == [True, False]
    assert operations(site) == [16, 62, 63, 60, 64, 61, 67, 115, 49, 50]


def test_a_lost_lock_tells_the_rest_when_it_is_back(site: Site) -> None:
    operator = Operator(site)
    operator.loses("w1")
    Person(site).leaves_open("w1")
    assert operations(site) == [1001]
    assert operator.regains("w1") == 1
    assert operations(site) == [1001, 1000, 62]
    with pytest.raises(ValueError, match="offline"):
        operator.loses("d1")


def test_an_operator_edits_users_groups_doors_and_zones(site: Site) -> None:
    operator = Operator(site)
    user, group, door = operator.add_user("Zoë", "Q", Title="Dr"), operator.add_group("New"), operator.add_door("Gate")
    zone = operator.add_zone("Area", door)
    assert all(len(key) == 32 for key in (user, group, door, zone))
    operator.join(user, group)
    operator.rename_user(user, "Zoë", "R")
    operator.rename_group(group, "Newer")
    operator.rename_door(door, "Garden gate")
    assert site.users[user].name == "Dr Zoë R"
    assert (site.groups[group].name, site.doors[door].name) == ("Newer", "Garden gate")
    assert list(site.linked("User_Group", user)) == [group]
    assert list(site.linked("Door_Zone", door)) == [zone]
    operator.part(user, group)
    assert not site.linked("User_Group", user)
    operator.ban_user(user)
    assert site.users[user].is_set("IsBanned")
    operator.ban_user(user, ends=True)
    assert not site.users[user].is_set("IsBanned")
    operator.delete_user(user)
    operator.delete_group(group)
    operator.delete_door(door)
    assert (len(site.users), len(site.groups), len(site.doors)) == (5, 2, 4)
    for missing in (operator.delete_door, operator.delete_user):
        with pytest.raises(KeyError):
            missing("nobody")
    with pytest.raises(KeyError):
        operator.rename_door("nobody", "x")


def test_a_key_is_given_and_cancelled(site: Site) -> None:
    user = site.users["u1"]
    assert (user["CurrentROMCode"], user["CurrentKeyStatus"]) == ("04AB", "1")
    assert user["CurrentKeyPeriod.StartDate"] == "2026-07-01T00:00:00"
    assert user["CurrentKeyPeriod.EndDate"].endswith("T24:00:00")
    Operator(site).cancel_key("u1")
    assert not user.is_set("CurrentKeyExists")
    assert "CurrentKeyPeriod.EndDate" not in user.values


def test_a_record_on_the_screen_is_held(site: Site) -> None:
    operator = Operator(site, "front desk")
    operator.opens_record(USER, "u1")
    assert site.users["u1"].holder == "front desk"
    operator.closes_record(USER, "u1")
    assert site.users["u1"].holder is None
