import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.people import Operator
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.records import Permit
from hubd_drivers.salto_space.sim.schema import ENTITIES, USER

from tests.drivers.salto_space.sim.asking import SUMMER, Asker, small_site
from tests.support.clock import ManualClock

USERS = "SaltoDBUserList.Read"


def asker(quirks: Quirks | None = None) -> Asker:
    clock = ManualClock(SUMMER)
    return Asker(small_site(clock), quirks, clock)


def page(params: Element, kind: str = "User") -> tuple[list[str], str]:
    rows = params.child(f"SaltoDB{kind}List")
    assert rows is not None
    key = ENTITIES[kind].id
    return [row.value(key) for row in rows.children], params.value("EOF", "absent")


def params(count: int | None = None, start: str = "") -> str:
    asked = "" if count is None else f"<MaxCount>{count}</MaxCount>"
    return asked + (f"<StartingFromExtUserID>{start}</StartingFromExtUserID>" if start else "")


async def test_pages_begin_at_an_id_and_say_when_they_end() -> None:
    here = asker()
    assert page(await here.ask(USERS, params(2))) == (["u1", "u2"], "0")
    assert page(await here.ask(USERS, params(2, " u2 "))) == (["u2", "u3"], "0")
    assert page(await here.ask(USERS, params(2, "u4"))) == (["u4", "u5"], "1")
    assert page(await here.ask(USERS, params())) == (["u1", "u2", "u3", "u4", "u5"], "1")
    assert page(await here.ask(USERS, params(9, "zz"))) == ([], "1")


@pytest.mark.parametrize(
    ("quirks", "start", "wanted"),
    [
        (Quirks(page_start="exclusive"), "u2", (["u3", "u4"], "0")),
        (Quirks(eof="absent"), "u4", (["u4", "u5"], "absent")),
        (Quirks(eof="late"), "u4", (["u4", "u5"], "0")),
        (Quirks(eof="late"), "u5", (["u5"], "1")),
        (Quirks(page_cap=1), "u2", (["u2"], "0")),
    ],
)
async def test_pages_may_be_otherwise(quirks: Quirks, start: str, wanted: tuple[list[str], str]) -> None:
    assert page(await asker(quirks).ask(USERS, params(2, start))) == wanted


async def test_pages_may_come_in_the_order_of_making() -> None:
    here = asker(Quirks(page_order="made", page_start="exclusive"))
    here.site.add(USER, {"ExtUserID": "a"})
    here.site.remove(here.site.users["u5"])
    assert page(await here.ask(USERS, params(9, "u4"))) == (["a"], "1")
    assert page(await here.ask(USERS, params(9, "u5"))) == (["a"], "1")


async def test_a_record_has_its_fields_in_order_and_lists_only_when_asked() -> None:
    here = asker()
    here.site.permit("User_Group", "u1", "g1")
    here.site.permit("User_Door", "u1", "d1", Permit(2, "2026-07-01T14:00:00", "2026-07-08T24:00:00"))
    here.site.permit("User_Zone", "u1", "z1")
    bare = (await here.ask(USERS, params(1))).children[0].children[0]
    assert [child.name for child in bare.children][:3] == ["ExtUserID", "ExtPartitionID", "Title"]
    assert bare.child("SaltoDB.MembershipList.User_Group") is None
    assert bare.child("CurrentKeyPeriod") is None
    asked = "".join(f"<{link.switch}>1</{link.switch}>" for link in USER.links)
    full = (await here.ask(USERS, params(1) + asked)).children[0].children[0]
    groups = full.child("SaltoDB.MembershipList.User_Group")
    doors = full.child("SaltoDB.AccessPermissionList.User_Door")
    assert groups is not None
    assert doors is not None
    assert [(item.value("ExtUserID"), item.value("ExtGroupID")) for item in groups.children] == [("u1", "g1")]
    permit = doors.children[0]
    assert [child.name for child in permit.children] == [
        "ExtUserID",
        "ExtDoorID",
        "TimezoneTableID",
        "UsePeriod",
        "Period",
    ]
    period = permit.child("Period")
    assert period is not None
    assert (permit.value("UsePeriod"), period.value("EndDate")) == ("1", "2026-07-08T24:00:00")
    zones = full.child("SaltoDB.AccessPermissionList.User_Zone")
    assert zones is not None
    unused = zones.children[0].child("Period")
    assert unused is not None
    assert (zones.children[0].value("UsePeriod"), unused.value("StartDate")) == ("0", "1900-01-01T00:00:00")
    locations = full.child("SaltoDB.AccessPermissionList.User_Location")
    assert locations is not None
    assert locations.children == []


async def test_an_item_may_name_only_the_other_end() -> None:
    here = asker(Quirks(membership_ids="far"))
    here.site.permit("User_Group", "u1", "g1")
    asked = "<ReturnMembership_User_Group>1</ReturnMembership_User_Group>"
    rows = (await here.ask("SaltoDBGroupList.Read", asked)).children[0]
    members = rows.children[0].child("SaltoDB.MembershipList.User_Group")
    assert members is not None
    assert [[child.name for child in item.children] for item in members.children] == [["ExtUserID"]]


async def test_what_was_serialised_is_kept_until_it_changes() -> None:
    here = asker()
    before = await here.reply(USERS)
    assert all(user.cache for user in here.site.users)
    assert await here.reply(USERS) == before
    Operator(here.site).rename_user("u3", "Zoë", "Quinn")
    after = await here.reply(USERS)
    assert "Zoë".encode() in after
    assert after != before


async def test_each_kind_of_place_and_zones_have_their_list() -> None:
    here = Asker()
    found = {}
    for kind in ("Door", "Locker", "HotelRoom", "HotelSuite", "Zone", "Group", "User"):
        found[kind] = len(page(await here.ask(f"SaltoDB{kind}List.Read"), kind)[0])
    assert found == {"Door": 12, "Locker": 3, "HotelRoom": 6, "HotelSuite": 1, "Zone": 2, "Group": 4, "User": 15}


@pytest.mark.parametrize(
    ("quirks", "shown"), [(Quirks(), "4711"), (Quirks(secrets="stars"), "****"), (Quirks(secrets="hidden"), "")]
)
async def test_codes_may_be_hidden(quirks: Quirks, shown: str) -> None:
    here = asker(quirks)
    Operator(here.site).change(USER, "u1", {"PINCode": "4711"})
    assert (await here.ask(USERS, params(1))).children[0].children[0].value("PINCode") == shown


async def test_bad_parameters_have_their_codes() -> None:
    here = asker()
    assert await here.code(USERS, "<MaxCount>many</MaxCount>") == 503
    assert await here.code(USERS, "<MaxCount>-1</MaxCount>") == 12
    assert await here.code(USERS, "<ReturnMembership_User_Group>yes</ReturnMembership_User_Group>") == 503
    assert await here.code(USERS, "<New>1</New>") == 0
    assert await asker(Quirks(unknown_elements="refused")).code(USERS, "<New>1</New>") == 501
    assert await asker(Quirks(group_list=False)).code("SaltoDBGroupList.Read") == 502
