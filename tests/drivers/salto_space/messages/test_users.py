import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import KeyStatus, MobileApp
from hubd_drivers.salto_space.messages import Effect, Permission, Request, edited, read_reply
from hubd_drivers.salto_space.messages.users import (
    SpaceUser,
    UserLists,
    card_serial,
    delete_user,
    insert_user,
    list_users,
    read_user,
    read_users,
    update_user,
)

from tests.drivers.salto_space.messages.samples import USER, record, reply, result

MADRID = ZoneInfo("Europe/Madrid")


def user(*fields: tuple[str, str]) -> SpaceUser:
    children = [Element("ExtUserID", "u"), *(Element(name, text) for name, text in fields)]
    found = read_user(Element("SaltoDBUser", children=children), MADRID)
    assert found is not None
    return found


def test_a_record_as_real_servers_write_it() -> None:
    found = read_user(record(USER), MADRID)
    assert found == SpaceUser(
        id="A1B2C3D4E5F60718293A4B5C6D7E8F90",
        first_name="José",
        last_name="García",
        notes=("Night", "", "x"),
        starts_at=datetime(2023, 12, 31, 23, tzinfo=UTC),
        ends_at=datetime(2024, 12, 31, 23, tzinfo=UTC),
        is_banned=False,
        audits_openings=True,
        calendar=0,
        has_pin=True,
        overrides_privacy=True,
        has_key=True,
        key_status=KeyStatus.UPDATE_REQUIRED,
        key_status_number=3,
        key_starts_at=datetime(2023, 12, 31, 23, tzinfo=UTC),
        key_ends_at=datetime(2024, 6, 30, 22, tzinfo=UTC),
        card_serial="04A1B2C3D4E5F6",
        phone="+34600112233",
        mobile_app=MobileApp.JUSTIN_MOBILE,
        groups=("staff",),
        doors=(
            Permission(
                target="door1",
                timezone_table=0,
                starts_at=datetime(2024, 2, 29, 23, tzinfo=UTC),
                ends_at=datetime(2024, 3, 2, 23, tzinfo=UTC),
            ),
        ),
    )


def test_codes_are_not_kept_and_the_repr_shows_the_id_alone() -> None:
    found = read_user(record(USER), MADRID)
    assert found is not None
    kept = repr(msgspec.structs.astuple(found))
    assert "471199" not in kept
    assert "99887766" not in kept
    assert repr(found) == "SpaceUser(id='A1B2C3D4E5F60718293A4B5C6D7E8F90')"
    page = read_users(result("X", f"<SaltoDBUserList>{USER}</SaltoDBUserList>"), MADRID, raw=True)
    for secret in ("471199", "34600112233", "04A1B2", "04a1b2", "Garc"):
        assert secret not in repr(page)


def test_a_record_that_says_nothing() -> None:
    assert user() == SpaceUser(id="u")


@pytest.mark.parametrize("text", ["", "  ", "x" * 300])
def test_a_record_without_a_usable_id_is_none(text: str) -> None:
    assert read_user(Element("SaltoDBUser", children=[Element("ExtUserID", text)]), MADRID) is None


@pytest.mark.parametrize(
    ("enabled", "text", "is_known"),
    [
        ("1", "2030-01-01T00:00:00", True),
        ("1", "2000-01-01T00:00:00", True),
        ("0", "2030-01-01T00:00:00", False),
        ("0", "2000-01-01T00:00:00", False),
        ("", "2030-01-01T00:00:00", True),
        ("", "2000-01-01T00:00:00", False),
        ("1", "never", False),
    ],
)
def test_an_end_counts_if_it_is_switched_on(enabled: str, text: str, is_known: bool) -> None:  # noqa: FBT001 - a table
    assert (user(("UserExpiration.Enabled", enabled), ("UserExpiration", text)).ends_at is not None) is is_known


def test_numbers_that_are_not_known_are_kept_beside() -> None:
    found = user(("CurrentKeyStatus", "17"), ("MobileAppType", "9"), ("IsBanned", "maybe"))
    assert (found.key_status, found.key_status_number, found.mobile_app, found.is_banned) == (None, 17, None, None)


@pytest.mark.parametrize(("text", "expected"), [("", ""), ("0" * 14, ""), ("04ab", "04AB"), ("0", "")])
def test_zeros_are_no_card(text: str, expected: str) -> None:
    assert card_serial(text) == expected


def test_a_page() -> None:
    params = read_reply(
        reply(
            "SaltoDBUserList.Read",
            f"<Params><SaltoDBUserList>{USER}<SaltoDBUser><Title>no id</Title></SaltoDBUser></SaltoDBUserList>"
            "<EOF>1</EOF></Params>",
        ),
        "SaltoDBUserList.Read",
    )
    page = read_users(params, MADRID, raw=True)
    assert ([one.last_name for one in page.records], page.eof, page.broken) == (["García"], True, 1)
    assert page.raw == (record(USER),)
    assert read_users(params, MADRID).raw == ()


def test_asking_for_a_page() -> None:
    request = list_users(500, "abc", [UserLists.GROUPS, UserLists.DOORS])
    assert (request.name, request.effect) == ("SaltoDBUserList.Read", Effect.READS)
    assert [(one.name, one.text) for one in request.params] == [
        ("MaxCount", "500"),
        ("StartingFromExtUserID", "abc"),
        ("ReturnMembership_User_Group", "1"),
        ("ReturnAccessPermissions_User_Door", "1"),
    ]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (insert_user(record(USER)), "SaltoDBUser.Insert"),
        (update_user(record(USER)), "SaltoDBUser.Update"),
    ],
)
def test_a_change_carries_the_record(request_: Request, name: str) -> None:
    assert (request_.name, request_.effect) == (name, Effect.WRITES)
    assert request_.params == Element("Params", children=[record(USER)])


def test_a_change_as_it_is_sent() -> None:
    change = edited(Element("SaltoDBUser"), {"ExtUserID": "u", "FirstName": "José"})
    assert insert_user(change).body.endswith(
        b"<RequestName>SaltoDBUser.Insert</RequestName><Params><SaltoDBUser><ExtUserID>u</ExtUserID>"
        b"<FirstName>Jos&#233;</FirstName></SaltoDBUser></Params></RequestCall>"
    )


@pytest.mark.parametrize("make", [insert_user, update_user])
def test_a_record_of_something_else_or_nobody_is_not_sent(make: Callable[[Element], Request]) -> None:
    for element in (Element("SaltoDBGroup", children=[Element("ExtUserID", "u")]), Element("SaltoDBUser")):
        with pytest.raises(ValueError, match="no record of a user"):
            make(element)


def test_deleting() -> None:
    request = delete_user("u")
    assert (request.name, request.effect) == ("SaltoDBUser.Delete", Effect.WRITES)
    assert request.params == Element("Params", children=[Element("ExtUserID", "u")])
    with pytest.raises(ValueError, match="empty"):
        delete_user(" ")


@pytest.mark.soak
def test_a_big_page_is_read_at_five_megabytes_a_second() -> None:
    body = reply("X", f"<Params><SaltoDBUserList>{USER * 3_000}</SaltoDBUserList><EOF>0</EOF></Params>")
    began = time.process_time()
    page = read_users(read_reply(body, "X"), MADRID)
    assert len(page.records) == 3_000
    assert len(body) / (time.process_time() - began) > 5_000_000
