"""What is written into records."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hubd_drivers.salto_space import changes, mapping
from hubd_drivers.salto_space.changes import DOORS, NEVER, ZONES
from hubd_drivers.salto_space.document import Element, parse, write
from hubd_drivers.salto_space.messages import USER_GROUPS, SpaceUser
from hubd_drivers.salto_space.messages.users import read_user
from hypothesis import given
from hypothesis import strategies as st

from hubd.model import AcsUser, EditUser, Permission

MADRID = ZoneInfo("Europe/Madrid")
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_only_what_is_named_changes() -> None:
    space = SpaceUser(id="u", title="Dr.", first_name="Ana", last_name="García")
    assert changes.user_changes(EditUser(subject="u"), space, MADRID) == {}
    assert changes.user_changes(EditUser(subject="u", phone_number=None), space, MADRID) == {"PhoneNumber": ""}
    assert changes.user_changes(EditUser(subject="u", is_suspended=True), space, MADRID) == {"IsBanned": "1"}
    assert changes.user_changes(EditUser(subject="u", full_name="Dr. Eva Ruiz"), space, MADRID) == {
        "FirstName": "Eva",
        "LastName": "Ruiz",
    }
    assert changes.user_changes(EditUser(subject="u", full_name="Eva"), space, MADRID) == {
        "FirstName": "Eva",
        "LastName": "",
        "Title": "",
    }


def test_levels_of_others_stay_as_they_were_read() -> None:
    links = parse(
        b"<SaltoDB.MembershipList.User_Group>"
        b"<SaltoDB.Membership.User_Group><ExtGroupID>a</ExtGroupID><UsePeriod>1</UsePeriod></SaltoDB.Membership.User_Group>"
        b"<SaltoDB.Membership.User_Group><ExtGroupID>b</ExtGroupID></SaltoDB.Membership.User_Group>"
        b"</SaltoDB.MembershipList.User_Group>"
    )
    more = changes.member("u", links, "c")
    assert more.children[:2] == links.children
    assert [(link.value("ExtUserID"), link.value("ExtGroupID")) for link in more.children[2:]] == [("u", "c")]
    assert changes.no_member(more, "b").children == [links.children[0], more.children[2]]
    assert len(changes.member("u", links, "a").children) == 2
    members = parse(
        b"<SaltoDB.MembershipList.User_Group><L><ExtUserID>u</ExtUserID></L><L/></SaltoDB.MembershipList.User_Group>"
    )
    assert changes.without_user(members, "u").children == members.children[1:]


def test_times_are_the_server_s() -> None:
    space = SpaceUser(id="u")
    bounded = changes.user_changes(EditUser(subject="u", starts_at=AT, ends_at=AT), space, MADRID)
    assert bounded == {
        "UserActivation": "2026-05-01T14:00:00",
        "UserExpiration.Enabled": "1",
        "UserExpiration": "2026-05-01T14:00:00",
    }
    free = changes.user_changes(EditUser(subject="u", starts_at=None, ends_at=None), space, MADRID)
    assert free == {"UserActivation": NEVER, "UserExpiration.Enabled": "0"}


def test_a_wish_is_held_to_the_second_of_the_server_s_clock() -> None:
    held = AcsUser("u", "Ana", starts_at=AT, ends_at=AT)
    wish = EditUser(subject="u", full_name=" Ana ", starts_at=AT + timedelta(milliseconds=5), ends_at=AT)
    assert changes.holds(wish, held, MADRID)
    assert not changes.holds(EditUser(subject="u", ends_at=None), held, MADRID)
    assert not changes.holds(EditUser(subject="u", starts_at=AT + timedelta(seconds=1)), held, MADRID)
    assert not changes.holds(EditUser(subject="u", full_name="An"), held, MADRID)
    assert changes.holds(EditUser(subject="u", starts_at=datetime(1999, 1, 1, tzinfo=UTC)), AcsUser("u", "A"), MADRID)
    twice = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30, for the second time
    first = AcsUser("u", "Ana", ends_at=twice - timedelta(hours=1))
    assert changes.holds(EditUser(subject="u", ends_at=twice), first, MADRID), "the text does not say which"


names = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1)


@given(names, st.sets(st.sampled_from("abc")), st.booleans())
def test_a_new_user_reads_as_it_was_wished(name: str, groups: set[str], is_suspended: bool) -> None:  # noqa: FBT001
    wished = AcsUser(
        "u",
        name,
        phone_number="+34600",
        starts_at=AT,
        ends_at=AT + timedelta(days=1),
        is_suspended=is_suspended,
        groups=tuple(sorted(groups)),
        entrances=(Permission("d1"), Permission("d2", AT, AT + timedelta(days=1))),
        zones=(Permission("z"),),
    )
    record = changes.new_user(wished, MADRID)
    read = read_user(parse(write(record)), MADRID)
    assert read is not None
    assert mapping.user(read) == wished


def test_a_right_to_a_door_takes_the_place_of_the_one_that_was() -> None:
    right = Element("SaltoDB.AccessPermission.User_Door", children=[Element("ExtDoorID", "d1")])
    other = Element("SaltoDB.AccessPermission.User_Door", children=[Element("ExtDoorID", "d2")])
    made = changes.permitted("u", Element(DOORS, children=[right, other]), "d1")
    assert [one.value("ExtDoorID") for one in made] == ["d2", "d1"]
    assert made.children[-1].value("UsePeriod") == "0"


def test_a_right_that_is_over_is_none() -> None:
    held = AcsUser("u", "A", entrances=(Permission("d1", AT, AT), Permission("d2")))
    later = AT + timedelta(days=1)
    assert changes.is_permitted(held, "d2", later)
    assert not changes.is_permitted(held, "d1", later)
    assert changes.is_permitted(held, "d1", AT - timedelta(days=1))


def test_revoking_empties_the_lists_that_are_not_empty() -> None:
    record = Element("SaltoDBUser", children=[Element("ExtUserID", "u"), Element(DOORS, children=[Element("x")])])
    record.children.append(Element(ZONES))
    made = changes.without_rights(record, ("g",))
    assert {name: len(list(one)) for name, one in made.items() if isinstance(one, Element)} == {
        DOORS: 0,
        USER_GROUPS: 0,
    }
    assert changes.without_rights(Element("SaltoDBUser"), ()) == {}
    assert changes.has_rights(AcsUser("u", "A", groups=("g",)))
    assert not changes.has_rights(AcsUser("u", "A"))
