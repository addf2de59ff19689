import pytest
from hubd_drivers.salto_space.sim.edits import padded
from hubd_drivers.salto_space.sim.people import Operator
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.records import Permit
from hubd_drivers.salto_space.sim.schema import DOOR, GROUP, USER, ZONE

from tests.drivers.salto_space.sim.asking import SUMMER, Asker, small_site
from tests.support.clock import ManualClock


def asker(quirks: Quirks | None = None) -> Asker:
    clock = ManualClock(SUMMER)
    return Asker(small_site(clock), quirks, clock)


def user(key: str, inner: str = "") -> str:
    return f"<SaltoDBUser><ExtUserID>{key}</ExtUserID>{inner}</SaltoDBUser>"


def group(key: str, inner: str = "") -> str:
    return f"<SaltoDBGroup><ExtGroupID>{key}</ExtGroupID>{inner}</SaltoDBGroup>"


def members(*ids: str, name: str = "ExtUserID") -> str:
    items = "".join(
        f"<SaltoDB.Membership.User_Group><{name}>{key}</{name}></SaltoDB.Membership.User_Group>" for key in ids
    )
    return f"<SaltoDB.MembershipList.User_Group>{items}</SaltoDB.MembershipList.User_Group>"


def doors(door: str, inner: str) -> str:
    name = "SaltoDB.AccessPermission.Group_Door"
    item = f"<{name}><ExtDoorID>{door}</ExtDoorID>{inner}</{name}>"
    return f"<SaltoDB.AccessPermissionList.Group_Door>{item}</SaltoDB.AccessPermissionList.Group_Door>"


async def test_a_user_is_made_changed_and_deleted() -> None:
    here = asker()
    made = await here.ask("SaltoDBUser.Insert", user("n1", "<FirstName> Zo&#235; </FirstName><Office>1</Office>"))
    assert made.value("ExtUserID") == "n1"
    record = here.site.users["n1"]
    assert (record["FirstName"], record["Office"], record["CurrentKeyExists"]) == ("Zoë", "1", "0")
    changed = await here.ask("SaltoDBUser.Update", user("n1", "<LastName>Q</LastName>"))
    assert changed.value("ExtUserID") == "n1"
    assert (record["FirstName"], record["LastName"]) == ("Zoë", "Q")
    assert (await here.ask("SaltoDBUser.Delete", "<ExtUserID>n1</ExtUserID>")).value("ExtUserID") == "n1"
    assert "n1" not in here.site.users


async def test_insert_or_update_does_what_fits() -> None:
    here = asker()
    for last in ("One", "Two"):
        await here.ask("SaltoDBUser.InsertOrUpdate", user("n1", f"<LastName>{last}</LastName>"))
    assert here.site.users["n1"]["LastName"] == "Two"
    assert len(here.site.users) == 6


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("SaltoDBUser.Insert", user("u1"), 202),
        ("SaltoDBUser.Insert", user(""), 12),
        ("SaltoDBUser.Insert", "", 501),
        ("SaltoDBUser.Update", user("nobody"), 200),
        ("SaltoDBUser.Delete", "<ExtUserID>nobody</ExtUserID>", 200),
        ("SaltoDBUser.Delete", "", 12),
        ("SaltoDBUser.Update", user("u1", "<IsBanned>yes</IsBanned>"), 503),
        ("SaltoDBUser.Update", user("u1", "<UserExpiration>soon</UserExpiration>"), 503),
        ("SaltoDBUser.Update", user("u1", "<UserExpiration>2026-02-30T00:00:00</UserExpiration>"), 503),
        ("SaltoDBUser.Update", user("u1", members("nothing", name="ExtGroupID")), 11),
        ("SaltoDBUser.Update", user("u1", members("", name="ExtGroupID")), 12),
        ("SaltoDBGroup.Insert", group("g1"), 10),
        ("SaltoDBGroup.Update", group("nothing"), 11),
        ("SaltoDBGroup.Update", group("g1", members("nobody")), 200),
        ("SaltoDBGroup.Update", group("g1", doors("nowhere", "")), 100),
        ("SaltoDBGroup.Update", group("g1", doors("d1", "<UsePeriod>1</UsePeriod>")), 12),
        ("SaltoDBGroup.Update", group("g1", doors("d1", "<TimezoneTableID>x</TimezoneTableID>")), 503),
        ("SaltoDBDoor.Insert", "<SaltoDBDoor><ExtDoorID>d1</ExtDoorID></SaltoDBDoor>", 102),
        ("SaltoDBDoor.Delete", "<ExtDoorID>nowhere</ExtDoorID>", 100),
        ("SaltoDBZone.Delete", "<ExtZoneID>nothing</ExtZoneID>", 11),
        ("SaltoDBLocker.Insert", "<SaltoDBLocker><ExtDoorID>l1</ExtDoorID></SaltoDBLocker>", 502),
    ],
)
async def test_what_cannot_be_done_has_its_code_and_changes_nothing(name: str, params: str, code: int) -> None:
    here = asker()
    before = await here.reply("SaltoDBUserList.Read")
    assert await here.code(name, params) == code
    assert await here.reply("SaltoDBUserList.Read") == before


async def test_a_list_replaces_the_old_one_and_one_left_out_stays() -> None:
    here = asker()
    await here.ask("SaltoDBGroup.Update", group("g1", members("u1", "u2")))
    await here.ask("SaltoDBGroup.Update", group("g1", members("u2", "u3") + "<Name>New</Name>"))
    assert sorted(here.site.linked("User_Group", "g1", is_reversed=True)) == ["u2", "u3"]
    await here.ask("SaltoDBUser.Update", user("u4", members("g1", name="ExtGroupID")))
    await here.ask("SaltoDBGroup.Update", group("g1", "<Name>Newer</Name>"))
    assert sorted(here.site.linked("User_Group", "g1", is_reversed=True)) == ["u2", "u3", "u4"]
    await here.ask("SaltoDBGroup.Update", group("g1", members()))
    assert not here.site.linked("User_Group", "g1", is_reversed=True)
    assert here.site.groups["g1"].name == "Newer"


async def test_lists_may_be_merged_and_scalars_reset() -> None:
    here = asker(Quirks(lists_on_update="merged", scalars_left_out="reset"))
    here.site.permit("User_Group", "u1", "g1")
    Operator(here.site).give_key("u1", "04AB")
    await here.ask("SaltoDBUser.Update", user("u1", "<Title>Dr</Title>" + members("g2", name="ExtGroupID")))
    record = here.site.users["u1"]
    assert sorted(here.site.linked("User_Group", "u1")) == ["g1", "g2"]
    assert (record["Title"], record["LastName"], record["AuditOpenings"]) == ("Dr", "", "1")
    assert record["CurrentROMCode"] == "04AB", "what hosts cannot set is not reset"


async def test_a_permission_has_its_period() -> None:
    here = asker()
    period = "<Period><StartDate>2026-7-1T14:00:00</StartDate><EndDate>2026-07-08T24:00:00</EndDate></Period>"
    await here.ask("SaltoDBGroup.Insert", group("new", doors("d1", f"<UsePeriod>1</UsePeriod>{period}")))
    assert here.site.linked("Group_Door", "new") == {"d1": Permit(0, "2026-07-01T14:00:00", "2026-07-08T24:00:00")}


async def test_unknown_and_read_only_elements() -> None:
    body = user("u1", "<Nickname>x</Nickname>")
    own = user("u1", "<CurrentROMCode>04FF</CurrentROMCode><AuthorizationCodeList/>")
    here = asker()
    assert await here.code("SaltoDBUser.Update", body) == 0
    assert await here.code("SaltoDBUser.Update", own) == 0
    assert here.site.users["u1"]["CurrentROMCode"] == ""
    strict = asker(Quirks(unknown_elements="refused", read_only_elements="refused"))
    assert await strict.code("SaltoDBUser.Update", body) == 501
    assert await strict.code("SaltoDBUser.Update", own) == 501


async def test_a_record_on_an_operators_screen_is_locked() -> None:
    here = asker()
    operator = Operator(here.site)
    for entity, key, code in ((USER, "u1", 201), (GROUP, "g1", 101), (DOOR, "d1", 101)):
        operator.opens_record(entity, key)
        body = f"<{entity.id}>{key}</{entity.id}>"
        assert await here.code(f"{entity.element}.Update", f"<{entity.element}>{body}</{entity.element}>") == code
        assert await here.code(f"{entity.element}.Delete", body) == code
        operator.closes_record(entity, key)
        assert await here.code(f"{entity.element}.Delete", body) == 0


async def test_business_rules_of_users() -> None:
    here = asker(Quirks(licensed_users=5))
    operator = Operator(here.site)
    operator.give_key("u1", "04AB")
    here.site.groups["g2"].partition = "2"
    flag = "<KeyIsCancellableThroughBlacklist>0</KeyIsCancellableThroughBlacklist>"
    until = "<UserExpiration.Enabled>1</UserExpiration.Enabled><UserExpiration>{}</UserExpiration>"
    update = "SaltoDBUser.Update"
    assert await here.code("SaltoDBUser.Insert", user("n1")) == 14
    assert await here.code(update, user("u2", "<AutoKeyEdit.ROMCode>04AB</AutoKeyEdit.ROMCode>")) == 203
    assert await here.code(update, user("u1", members("g2", name="ExtGroupID"))) == 204
    assert await here.code(update, user("u1", flag)) == 205
    assert await here.code(update, user("u2", flag)) == 206
    assert await here.code(update, user("u2", flag + until.format("2026-07-09T00:00:00"))) == 206
    assert await here.code(update, user("u2", flag + until.format("2026-07-08T00:00:00"))) == 0


async def test_zones_keep_their_type_and_low_ones_are_few() -> None:
    here = asker()
    for number in range(96):
        here.site.add(ZONE, {"ExtZoneID": f"low{number}", "IsLow": "1"})
    low = "<SaltoDBZone><ExtZoneID>{}</ExtZoneID><IsLow>{}</IsLow></SaltoDBZone>"
    assert await here.code("SaltoDBZone.InsertOrUpdate", low.format("new", 1)) == 601
    assert await here.code("SaltoDBZone.InsertOrUpdate", low.format("low1", 0)) == 600
    assert await here.code("SaltoDBZone.InsertOrUpdate", low.format("new", 0)) == 0


def test_times_are_kept_with_two_digits() -> None:
    assert padded("2004-9-2T7:30:20") == "2004-09-02T07:30:20"
    assert padded("2026-12-31T24:00:00") == "2026-12-31T24:00:00"
