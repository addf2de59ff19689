import pytest
from hubd_drivers.salto_space.sim.schema import ENTITIES, USER, Field, Kind


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Kind.FLAG, "1", "true"),
        (Kind.NUMBER, "-1", "1.5"),
        (Kind.MOMENT, "2026-07-01T24:00:00", "2026-07-01 10:00:00"),
        (Kind.MOMENT, "2004-9-2T12:30:20", "yesterday"),
    ],
)
def test_a_field_takes_what_it_holds(kind: Kind, good: str, bad: str) -> None:
    assert Field("X", kind).takes(good)
    assert not Field("X", kind).takes(bad)


def test_elements_are_named_as_space_names_them() -> None:
    names = {link.element: link.item for link in USER.links}
    assert names["SaltoDB.MembershipList.User_Group"] == "SaltoDB.Membership.User_Group"
    assert names["SaltoDB.AccessPermissionList.User_Door"] == "SaltoDB.AccessPermission.User_Door"
    assert [entity.element for entity in ENTITIES.values()][3:5] == ["SaltoDBLocker", "SaltoDBHotelRoom"]


def test_users_have_their_fields_in_the_order_of_real_replies() -> None:
    names = [field.name for field in USER.fields]
    assert names[:5] == ["ExtUserID", "ExtPartitionID", "Title", "FirstName", "LastName"]
    assert names.index("CurrentKeyExists") + 1 == names.index("CurrentKeyPeriod")
    assert names[-1] == "AuthorizationCodeList"
    assert USER.by_name["CurrentROMCode"].is_read_only
