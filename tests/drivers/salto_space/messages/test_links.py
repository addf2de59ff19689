from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.messages.links import USER_GROUPS, Permission, members, membership, permissions

from tests.drivers.salto_space.messages.samples import record

MADRID = ZoneInfo("Europe/Madrid")


def link(**ends: str) -> Element:
    return Element("SaltoDB.Membership.User_Group", children=[Element(name, one) for name, one in ends.items()])


def test_the_access_levels_of_a_user() -> None:
    assert membership(of_user="u", ids={"b", "a"}) == Element(
        USER_GROUPS, children=[link(ExtUserID="u", ExtGroupID="a"), link(ExtUserID="u", ExtGroupID="b")]
    )


def test_the_users_of_an_access_level() -> None:
    assert membership(of_group="g", ids=["u2", "u1", "u2"]) == Element(
        USER_GROUPS, children=[link(ExtUserID="u1"), link(ExtUserID="u2")]
    )


def test_an_empty_list_has_to_be_meant() -> None:
    with pytest.raises(ValueError, match="allow_empty"):
        membership(of_user="u", ids=[])
    assert membership(of_user="u", ids=[], allow_empty=True) == Element(USER_GROUPS)


@pytest.mark.parametrize("ids", [[""], ["a", " "], "ab"])
def test_odd_ids_are_refused(ids: list[str]) -> None:
    with pytest.raises(ValueError, match=r"an id is empty|as a list"):
        membership(of_user="u", ids=ids, allow_empty=True)


@pytest.mark.parametrize(("user", "group"), [("", ""), ("u", "g")])
def test_a_list_has_one_owner(user: str, group: str) -> None:
    with pytest.raises(ValueError, match="belongs to"):
        membership(of_user=user, of_group=group, ids=["a"])


def test_what_is_sent_is_read() -> None:
    owner = Element("SaltoDBUser", children=[membership(of_user="u", ids=["b", "a"])])
    assert members(owner, USER_GROUPS, "ExtGroupID") == ("a", "b")


def test_a_list_that_is_missing_is_not_an_empty_one() -> None:
    assert members(record("<SaltoDBUser/>"), USER_GROUPS, "ExtGroupID") is None
    assert members(record(f"<SaltoDBUser><{USER_GROUPS}/></SaltoDBUser>"), USER_GROUPS, "ExtGroupID") == ()
    assert permissions(record("<SaltoDBUser/>"), "User_Door", "ExtDoorID", UTC) is None


def test_links_without_an_end_are_left_out() -> None:
    owner = Element(
        "SaltoDBUser", children=[Element(USER_GROUPS, children=[link(ExtUserID="u"), link(ExtGroupID="g")])]
    )
    assert members(owner, USER_GROUPS, "ExtGroupID") == ("g",)


def test_permissions_with_and_without_a_period() -> None:
    period = "<Period><StartDate>{}</StartDate><EndDate>{}</EndDate></Period>"
    parts = [
        "<ExtDoorID>a</ExtDoorID><TimezoneTableID>4</TimezoneTableID><UsePeriod>1</UsePeriod>"
        + period.format("2024-03-01T00:00:00", "2024-03-02T24:00:00"),
        "<ExtDoorID>b</ExtDoorID><UsePeriod>0</UsePeriod>" + period.format(*["1900-01-01T00:00:00"] * 2),
        "<ExtDoorID>c</ExtDoorID><UsePeriod>1</UsePeriod>" + period.format("1900-01-01T00:00:00", "never"),
        "<ExtDoorID/><UsePeriod>0</UsePeriod>",
    ]
    item = "SaltoDB.AccessPermission.User_Door"
    links = "".join(f"<{item}>{part}</{item}>" for part in parts)
    name = "SaltoDB.AccessPermissionList.User_Door"
    found = permissions(
        record(f"<SaltoDBUser><{name}>{links}</{name}></SaltoDBUser>"), "User_Door", "ExtDoorID", MADRID
    )
    assert found == (
        Permission(
            target="a",
            timezone_table=4,
            starts_at=datetime(2024, 2, 29, 23, tzinfo=UTC),
            ends_at=datetime(2024, 3, 2, 23, tzinfo=UTC),
        ),
        Permission(target="b"),
        Permission(target="c"),
    )
