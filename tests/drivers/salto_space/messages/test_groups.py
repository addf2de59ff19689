from datetime import UTC

import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.messages import Effect, Permission
from hubd_drivers.salto_space.messages.groups import (
    GroupLists,
    SpaceGroup,
    delete_group,
    list_groups,
    read_group,
    read_groups,
    update_group,
)

from tests.drivers.salto_space.messages.samples import record, result

GROUP = """<SaltoDBGroup><ExtGroupID>staff</ExtGroupID><Name>Staff</Name><Description>Everybody</Description>
<SaltoDB.AccessPermissionList.Group_Door><SaltoDB.AccessPermission.Group_Door><ExtDoorID>d</ExtDoorID><UsePeriod>0</UsePeriod>
</SaltoDB.AccessPermission.Group_Door></SaltoDB.AccessPermissionList.Group_Door><SaltoDB.AccessPermissionList.Group_Zone/>
<SaltoDB.MembershipList.User_Group><SaltoDB.Membership.User_Group><ExtUserID>u1</ExtUserID></SaltoDB.Membership.User_Group>
</SaltoDB.MembershipList.User_Group></SaltoDBGroup>"""


def test_a_record() -> None:
    assert read_group(record(GROUP), UTC) == SpaceGroup(
        id="staff",
        name="Staff",
        description="Everybody",
        users=("u1",),
        doors=(Permission(target="d"),),
        zones=(),
    )
    assert read_group(record("<SaltoDBGroup/>"), UTC) is None


def test_a_page() -> None:
    page = read_groups(result("X", f"<SaltoDBGroupList>{GROUP}</SaltoDBGroupList><EOF>0</EOF>"), UTC, raw=True)
    assert ([one.id for one in page.records], page.eof, page.raw) == (["staff"], False, (record(GROUP),))


def test_asking_for_a_page() -> None:
    request = list_groups(10, "a", [GroupLists.USERS, GroupLists.ZONES])
    assert (request.name, request.effect) == ("SaltoDBGroupList.Read", Effect.READS)
    assert [(one.name, one.text) for one in request.params] == [
        ("MaxCount", "10"),
        ("StartingFromExtGroupID", "a"),
        ("ReturnMembership_User_Group", "1"),
        ("ReturnAccessPermissions_Group_Zone", "1"),
    ]


def test_changes() -> None:
    request = update_group(record(GROUP))
    assert (request.name, request.effect) == ("SaltoDBGroup.Update", Effect.WRITES)
    assert request.params == Element("Params", children=[record(GROUP)])
    with pytest.raises(ValueError, match="no record of an access level"):
        update_group(Element("SaltoDBGroup"))


def test_deleting() -> None:
    assert delete_group("g").params == Element("Params", children=[Element("ExtGroupID", "g")])
    assert (delete_group("g").name, delete_group("g").effect) == ("SaltoDBGroup.Delete", Effect.WRITES)
    with pytest.raises(ValueError, match="empty"):
        delete_group("")
