import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.api.devices import UpdateDevice
from hubd.api.events import ListEvents
from hubd.api.filters import DeviceFilters
from hubd.api.locks import TurnLock
from hubd.api.params import MAX_QUERY_FIELDS, NoParams, Params, from_json, from_query
from hubd.api.simulate import EnterCode
from hubd.model.errors import InvalidInputError

ID = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def query(kind: type[Params], *pairs: tuple[str, str]) -> Any:
    return from_query(pairs, kind)


def body(kind: type[Params], **members: Any) -> Any:
    return from_json(json.dumps(members).encode(), kind)


def test_an_empty_body_is_an_empty_object() -> None:
    assert from_json(b"", NoParams) == NoParams() == from_json(b" {} ", NoParams)
    assert from_query((), DeviceFilters) == from_json(b"", DeviceFilters)


def test_the_two_dialects_say_the_same() -> None:
    from_body = body(
        DeviceFilters,
        device_ids=[ID, OTHER],
        device_types=["yale_lock"],
        custom_metadata_has={"room": "12", "staff": True, "open": False},
        created_before="2026-03-01T00:00:00Z",
        limit=7,
        search="12",
    )
    from_pairs = query(
        DeviceFilters,
        ("_strict", "true"),
        ("created_before", "2026-03-01T00:00:00Z"),
        ("custom_metadata_has.open", "false"),
        ("custom_metadata_has.room", "12"),
        ("custom_metadata_has.staff", "true"),
        ("device_ids", ID),
        ("device_ids", OTHER),
        ("device_types", "yale_lock"),
        ("limit", "7"),
        ("search", "12"),
    )
    assert from_pairs == from_body
    assert from_body.created_before == datetime(2026, 3, 1, tzinfo=UTC)


def test_an_empty_value_is_null_or_an_empty_list() -> None:
    filters = query(DeviceFilters, ("search", ""), ("device_ids", ""), ("page_cursor", ""), ("custom_metadata_has", ""))
    assert filters.search is None
    assert filters.page_cursor is None
    assert filters.device_ids == ()
    assert filters.custom_metadata_has == {}


def test_nested_members_of_an_object() -> None:
    assert query(UpdateDevice, ("device_id", ID), ("properties.name", "")).properties.name is None
    named = query(UpdateDevice, ("device_id", ID), ("properties.name", "Front"), ("custom_metadata.a.b", "x"))
    assert named.properties.name == "Front"
    assert named.custom_metadata == {"a.b": "x"}


@pytest.mark.parametrize(("word", "value"), [("true", True), ("false", False)])
def test_booleans_of_a_query(word: str, *, value: bool) -> None:
    assert query(TurnLock, ("device_id", ID), ("sync", word)).sync is value


@pytest.mark.parametrize("limit", [b"50", b"50.0", b"5e1"])
def test_whole_numbers_may_be_written_as_floats(limit: bytes) -> None:
    found = from_json(b'{"limit": %s}' % limit, DeviceFilters).limit
    assert (found, type(found)) == (50, int)
    assert query(DeviceFilters, ("limit", limit.decode())).limit == 50


@pytest.mark.parametrize(
    ("kind", "members", "field", "words"),
    [
        (DeviceFilters, {"limit": "50"}, "limit", "expected integer, got string"),
        (DeviceFilters, {"limit": 1.5}, "limit", "expected integer, got float"),
        (DeviceFilters, {"limit": 0}, "limit", ">= 1"),
        (DeviceFilters, {"limit": 10**30}, "limit", "<= 100000"),
        (DeviceFilters, {"limit": None}, "limit", "got null"),
        (DeviceFilters, {"device_ids": ID}, "device_ids", "expected array | null, got string"),
        (DeviceFilters, {"device_ids": [ID, "front"]}, "device_ids[1]", "must be a UUID"),
        (DeviceFilters, {"device_ids": [None]}, "device_ids[0]", "got null"),
        (DeviceFilters, {"custom_metadata_has": {"a": 1}}, "custom_metadata_has[...]", "boolean | string"),
        (DeviceFilters, {"created_before": "soon"}, "created_before", "RFC3339"),
        (DeviceFilters, {"search": "x" * 2001}, "search", "<= 2000"),
        (DeviceFilters, {"device_types": ["x"] * 201}, "device_types", "<= 200"),
        (TurnLock, {}, "device_id", "is required"),
        (TurnLock, {"device_id": ID, "sync": "yes"}, "sync", "expected boolean"),
        (TurnLock, {"device_id": ID, "sync": 1}, "sync", "expected boolean"),
        (TurnLock, {"device_id": ID, "force": True}, "force", "is not a parameter of this route"),
        (UpdateDevice, {"device_id": ID, "properties": {"x": 1}}, "properties.x", "is not a parameter"),
        (UpdateDevice, {"device_id": ID, "properties": {"name": 1}}, "properties.name", "string | null"),
        (ListEvents, {"unstable_offset": -1}, "unstable_offset", ">= 0"),
    ],
)
def test_wrong_members_are_named(kind: type[Params], members: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        body(kind, **members)
    assert caught.value.field == field
    assert words in caught.value.reason
    assert caught.value.message == f"{field}: {caught.value.reason}"
    assert "`" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"search": "\xff"}',
        b'{"search": "\\ud800"}',
        b"[" * 100_000,
        b'{"custom_metadata_has": ' + b'{"a":' * 50_000,
        b'{"limit": ' + b"9" * 5000 + b"}",
        b'{"limit": 1e999}',
        b"null",
        b"[]",
        b'"x"',
        b"0",
        b"{} {}",
        b"\x00",
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInputError):
        from_json(text, DeviceFilters)


@pytest.mark.parametrize(
    ("pairs", "field", "words"),
    [
        ([("search", "a"), ("search", "b")], "search", "more than once"),
        ([("search", ""), ("search", "b")], "search", "more than once"),
        ([("custom_metadata_has.a", "1"), ("custom_metadata_has.a", "1")], "custom_metadata_has.a", "once"),
        ([("custom_metadata_has.a", "1"), ("custom_metadata_has", "")], "custom_metadata_has", "once"),
        ([("custom_metadata_has", "x"), ("custom_metadata_has.a", "1")], "custom_metadata_has.a", "once"),
        ([("custom_metadata_has", "x")], "custom_metadata_has", "expected object"),
        ([("device_ids.a", ID)], "device_ids.a", "is not a parameter"),
        ([("search.a", "x")], "search.a", "is not a parameter"),
        ([("nonsense", "1")], "nonsense", "is not a parameter"),
        ([("", "1")], "", "is not a parameter"),
        ([("limit", "")], "limit", "got null"),
        ([("limit", "nan")], "limit", "expected integer"),
        ([("limit", "1e999")], "limit", "out of range"),
        ([("search", "a\udcff")], "search", "is not UTF-8"),
        ([("limit", "9" * 5000)], "limit", ""),
        ([("connected_account_id", "x")], "connected_account_id", "must be a UUID"),
    ],
)
def test_wrong_queries_are_refused(pairs: list[tuple[str, str]], field: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        query(DeviceFilters, *pairs)
    assert caught.value.field == field
    assert words in caught.value.message


def test_a_query_has_its_bounds() -> None:
    with pytest.raises(InvalidInputError, match="more than 1000 query fields"):
        query(DeviceFilters, *[("device_ids", ID)] * (MAX_QUERY_FIELDS + 1))
    assert len(query(DeviceFilters, *[("device_ids", ID)] * MAX_QUERY_FIELDS).device_ids) == MAX_QUERY_FIELDS


def test_what_is_quoted_is_short_and_can_be_encoded() -> None:
    for name in ("x" * 100_000, "\udc80\udcff", "a`b"):
        with pytest.raises(InvalidInputError) as caught:
            query(DeviceFilters, (name, "1"))
        assert len(caught.value.message) < 1000
        caught.value.message.encode()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
kinds = st.sampled_from([DeviceFilters, ListEvents, UpdateDevice, TurnLock])


@given(kind=kinds, value=st.data())
def test_any_json_is_taken_or_refused(kind: type[Params], value: st.DataObject) -> None:
    names = st.sampled_from(kind.__struct_fields__) | st.text(max_size=5)
    members = value.draw(st.dictionaries(names, anything, max_size=4))
    try:
        assert isinstance(from_json(json.dumps(members).encode(), kind), kind)
    except InvalidInputError as error:
        error.message.encode()


@given(kind=kinds, raw=st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(kind: type[Params], raw: bytes) -> None:
    try:
        assert isinstance(from_json(raw, kind), kind)
    except InvalidInputError as error:
        error.message.encode()


@given(kind=kinds, data=st.data())
def test_any_query_is_taken_or_refused(kind: type[Params], data: st.DataObject) -> None:
    names = st.sampled_from(kind.__struct_fields__)
    nested = st.builds("{}.{}".format, names, st.text(max_size=5))
    loose = st.text(st.characters(categories=None), max_size=5)
    values = loose | st.sampled_from(["", "true", "nan", "-1", "9" * 400, ID, "2026-01-01T00:00:00Z"])
    pairs = data.draw(st.lists(st.tuples(names | nested | loose, values), max_size=5))
    try:
        assert isinstance(from_query(tuple(pairs), kind), kind)
    except InvalidInputError as error:
        error.message.encode()


def test_a_repr_has_no_value() -> None:
    assert repr(body(EnterCode, device_id=ID, code="48213077")) == "EnterCode(…)"
