"""Requests and replies as such."""

import pytest
from hubd_drivers.salto_space.document import DocumentError, Element, parse
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.messages.envelope import (
    Effect,
    call,
    checked,
    id_list,
    page_request,
    read_id,
    read_page,
    read_reply,
    texts,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.salto_space.messages.samples import refused, reply, result


def refusal(body: bytes, expected: str = "GetInfo") -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read_reply(body, expected)
    return caught.value


def test_a_request_is_a_document_of_ascii() -> None:
    assert call("GetInfo").body == (
        b'<?xml version="1.0" encoding="UTF-8"?><RequestCall><RequestName>GetInfo</RequestName><Params/></RequestCall>'
    )
    assert call("X", Element("Name", "é")).body.isascii()
    assert call("GetInfo").effect is Effect.READS


def test_a_request_shows_nothing_of_what_it_carries() -> None:
    assert "4711" not in repr(call("X", Element("PINCode", "4711")))


def test_a_page_is_asked_for_with_what_is_wanted_and_no_more() -> None:
    request = page_request("SaltoDBUserList.Read", 2, "StartingFromExtUserID", "ab", ["ReturnMembership_User_Group"])
    assert texts(request.params) == {
        "MaxCount": "2",
        "StartingFromExtUserID": "ab",
        "ReturnMembership_User_Group": "1",
    }
    assert texts(page_request("X", 2, "Start", "").params) == {"MaxCount": "2"}


def test_a_page_of_nothing_is_not_asked_for() -> None:
    with pytest.raises(ValueError, match="at least one"):
        page_request("X", 0, "Start", "")


def test_ids_of_a_list_stand_once() -> None:
    assert [one.text for one in id_list("L", "I", ["b", "a", "b"])] == ["b", "a"]


@pytest.mark.parametrize("ids", [[""], ["a", " "], ["\n"], "ab"])
def test_odd_ids_are_refused(ids: list[str]) -> None:
    with pytest.raises(ValueError, match=r"an id is empty|as a list"):
        checked(ids)


def test_the_params_of_a_reply() -> None:
    assert result("GetInfo", "<a>1</a>") == Element("Params", children=[Element("a", "1")])
    assert read_reply(reply(" GetInfo\n", "<Params/>"), "GetInfo") == Element("Params")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html></html>", "not_xml"),
        (b"", "empty"),
        (b"<RequestCall><RequestName>GetInfo</RequestName><Params/></RequestCall>", "not_a_reply"),
        (reply("Other", "<Params/>"), "other_reply"),
        (reply("", "<Params/>"), "other_reply"),
        (reply("getinfo", "<Params/>"), "other_reply"),
        (reply("GetInfo", ""), "no_params"),
        (reply("GetInfo", "<params/>"), "no_params"),
    ],
)
def test_what_is_no_reply_to_the_request_is_refused(body: bytes, code: str) -> None:
    assert refusal(body).code == code


def test_a_refusal_is_a_fault() -> None:
    with pytest.raises(Fault, match="being edited") as caught:
        read_reply(refused("SaltoDBUser.Update", " 201 "), "SaltoDBUser.Update")
    assert (caught.value.code, caught.value.kind) == (201, FaultKind.LOCKED)


def test_a_refusal_counts_whatever_request_it_names_and_whatever_stands_beside() -> None:
    for body in (
        refused("", "500"),
        refused("Other", "500"),
        reply("X", "<Params/><Exception><Code>500</Code></Exception>"),
    ):
        with pytest.raises(Fault) as caught:
            read_reply(body, "X")
        assert (caught.value.code, caught.value.request) == (500, "X")


@pytest.mark.parametrize("code", ["", "x", "9" * 40])
def test_a_refusal_without_a_number_is_a_fault_too(code: str) -> None:
    with pytest.raises(Fault, match="no number") as caught:
        read_reply(refused("X", code, "Because."), "X")
    assert (caught.value.code, caught.value.message) == (-1, "Because.")


@pytest.mark.parametrize(
    ("eof", "expected"), [("<EOF>1</EOF>", True), ("<EOF>0</EOF>", False), ("", None), ("<EOF/>", None)]
)
def test_a_page_says_whether_it_is_the_last(eof: str, expected: bool | None) -> None:  # noqa: FBT001 - a table
    page = read_page(result("X", f"<L><R>1</R></L>{eof}"), "L", "R", lambda one: one.text)
    assert (page.records, page.eof, page.broken, page.raw) == (("1",), expected, 0, ())


def test_records_without_an_id_are_counted() -> None:
    page = read_page(
        result("X", "<L><R>1</R><R/><Other/><R>3</R></L>"), "L", "R", lambda one: one.text or None, raw=True
    )
    assert (page.records, page.broken) == (("1", "3"), 1)
    assert [one.text for one in page.raw] == ["1", "3"]


def test_a_missing_list_is_empty_only_where_the_server_says_it_is_the_end() -> None:
    page = read_page(result("X", "<EOF>1</EOF>"), "L", "R", lambda one: one.text)
    assert (page.records, page.eof) == ((), True)
    for params in ("", "<EOF>0</EOF>", "<Other/>"):
        with pytest.raises(DocumentError) as caught:
            read_page(result("X", params), "L", "R", lambda one: one.text)
        assert caught.value.code == "no_list"


def test_an_empty_list_is_an_empty_page() -> None:
    assert read_page(result("X", "<L/>"), "L", "R", lambda one: one.text).records == ()


def test_the_id_of_a_change() -> None:
    assert read_id(result("X", "<ExtUserID> a </ExtUserID>"), "ExtUserID") == "a"
    assert read_id(result("X", ""), "ExtUserID") is None


def test_of_two_elements_with_one_name_the_first_counts() -> None:
    assert texts(result("X", "<a>1</a><a>2</a>")) == {"a": "1"}


@given(st.binary(max_size=200))
def test_any_body_ends_in_one_of_two_errors_or_a_result(body: bytes) -> None:
    for whole in (body, reply("X", "<Params/>") + body, reply("X", "<Params/>")[: len(body)]):
        try:
            found: Element | Exception = read_reply(whole, "X")
        except (DocumentError, Fault) as error:
            found = error
        assert isinstance(found, Element | DocumentError | Fault)


def test_a_request_can_be_read_by_the_other_side() -> None:
    root = parse(call("X", id_list("L", "I", ["a", "b"])).body)
    params = root.child("Params")
    assert root.value("RequestName") == "X"
    assert params == Element("Params", children=[id_list("L", "I", ["a", "b"])])
