"""Read, change, write: whatever the server may do with what is left out, nothing is lost by an edit."""

import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.messages.edits import GROUP_ORDER, READ_ONLY, USER_ORDER, edited
from hubd_drivers.salto_space.messages.links import USER_GROUPS, membership
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.salto_space.messages.samples import USER, record

HIDDEN = {"PINCode", "WiegandCode"}


def names(element: Element) -> list[str]:
    return [child.name for child in element]


def test_what_is_not_changed_stays_as_and_where_it_is() -> None:
    before = record(USER)
    after = edited(before, {"FirstName": "Pep"})
    gone = {"CurrentROMCode", "CurrentKeyExists", "CurrentKeyPeriod", "CurrentKeyStatus", "PictureFileName"}
    expected = [one for one in names(before) if one not in {*gone, "AuthorizationCodeList"}]
    assert names(after) == expected
    for child in after:
        assert child.text == "Pep" if child.name == "FirstName" else child is before.child(child.name)


def test_the_record_that_was_read_is_not_changed() -> None:
    before = record(USER)
    edited(before, {"FirstName": "Pep", "Title": None, "ExtPartitionID": "p"})
    assert before == record(USER)


@pytest.mark.parametrize("name", sorted(READ_ONLY))
def test_what_the_server_alone_sets_is_never_sent(name: str) -> None:
    assert names(edited(Element("SaltoDBUser", children=[Element(name, "1")]), {})) == []
    with pytest.raises(ValueError, match="the server alone"):
        edited(Element("SaltoDBUser"), {name: "1"})


@pytest.mark.parametrize("text", ["", " ", "****", "••••"])
@pytest.mark.parametrize("name", ["PINCode", "WiegandCode", "KeypadCode"])
def test_a_code_that_the_server_hides_is_not_sent_back(name: str, text: str) -> None:
    assert names(edited(Element("SaltoDBUser", children=[Element(name, text)]), {})) == []


def test_a_code_that_the_server_tells_is_kept() -> None:
    assert edited(Element("SaltoDBUser", children=[Element("PINCode", "4711")]), {}).value("PINCode") == "4711"
    assert edited(Element("SaltoDBUser", children=[Element("PINCode", "4711")]), {"PINCode": ""}).children == [
        Element("PINCode")
    ]


@pytest.mark.parametrize("name", [USER_GROUPS, "SaltoDB.AccessPermissionList.User_Door", "AuthorizationCodeList"])
def test_an_empty_list_is_sent_only_if_it_is_the_change(name: str) -> None:
    before = Element("SaltoDBUser", children=[Element(name)])
    assert names(edited(before, {})) == []
    assert names(edited(before, {"Title": "x"})) == ["Title"]
    assert names(edited(before, {name: Element(name)})) == [name]


def test_a_list_that_was_read_is_sent_back_whole() -> None:
    lists = [membership(of_user="u", ids=["a", "b"]), Element("Title", "x")]
    assert edited(Element("SaltoDBUser", children=lists), {"Title": "y"}).child(USER_GROUPS) == lists[0]


def test_a_list_is_replaced_in_its_place() -> None:
    after = edited(record(USER), {USER_GROUPS: membership(of_user="u", ids=["x"])})
    assert after.child(USER_GROUPS) == membership(of_user="u", ids=["x"])
    assert names(after).count(USER_GROUPS) == 1


def test_a_new_element_gets_its_place() -> None:
    after = edited(record(USER), {"ExtPartitionID": "p", "LockdownEnabled": "0", "Later": "1"})
    found = names(after)
    assert found.index("ExtPartitionID") == 1
    assert found.index("IsBanned") < found.index("LockdownEnabled") < found.index("OverridePrivacy")
    assert found[-1] == "Later"


def test_a_new_record_has_the_order_of_real_replies() -> None:
    changes: dict[str, str | Element | None] = {
        "LastName": "b",
        "ExtUserID": "u",
        USER_GROUPS: membership(of_user="u", ids=["g"]),
        "FirstName": "a",
    }
    assert names(edited(Element("SaltoDBUser"), changes)) == ["ExtUserID", "FirstName", "LastName", USER_GROUPS]
    assert names(edited(Element("SaltoDBGroup"), {"Name": "n", "ExtGroupID": "g"})) == ["ExtGroupID", "Name"]


def test_an_element_is_left_out() -> None:
    after = edited(record(USER), {"PhoneNumber": None, "NotThere": None})
    assert after.child("PhoneNumber") is None


def test_of_an_element_that_stands_twice_one_change_remains() -> None:
    twice = Element("SaltoDBUser", children=[Element("Title", "a"), Element("Title", "b")])
    assert edited(twice, {"Title": "c"}).children == [Element("Title", "c")]


def test_an_element_under_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot stand for"):
        edited(Element("SaltoDBUser"), {"Title": Element("Office", "x")})


@given(
    st.lists(st.sampled_from([*USER_ORDER, "Other"]), unique=True),
    st.dictionaries(st.sampled_from([name for name in USER_ORDER if name not in READ_ONLY]), st.text("ab", min_size=1)),
)
def test_any_edit_keeps_the_rest_and_its_order(present: list[str], changes: dict[str, str]) -> None:
    before = Element("SaltoDBUser", children=[Element(name, "1") for name in present])
    after = edited(before, changes)
    kept = [name for name in present if name not in READ_ONLY]
    assert [name for name in names(after) if name in kept] == kept
    assert set(names(after)) == {*kept, *changes}
    assert all(after.value(name) == changes.get(name, "1") for name in names(after))


@given(st.permutations(GROUP_ORDER))
def test_a_record_is_built_in_one_order_whatever_that_of_the_changes(order: list[str]) -> None:
    assert names(edited(Element("SaltoDBGroup"), dict.fromkeys(order, "1"))) == list(GROUP_ORDER)
