import asyncio
import base64
import shutil
import tempfile
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.api.filters import DeviceFilters
from hubd.api.paging import page, start_of
from hubd.api.params import from_query
from hubd.core.message import Request
from hubd.model.device import DeviceDescription
from hubd.model.errors import InvalidInputError, RefusedError
from tests.hubd.api.harness import ORIGIN, Api, instance, running_api

REQUEST = Request(method="GET", path="/devices/list", origin=ORIGIN)

type Row = tuple[int, str]


def cut(rows: list[Row], **filters: Any) -> tuple[list[Row], Any]:
    return page(rows, lambda row: row, DeviceFilters(**filters), REQUEST)


zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
rows_of = st.lists(st.tuples(st.integers(0, 50), st.text("abc", min_size=1, max_size=3)), unique=True, max_size=30)


@given(rows=rows_of, added=st.lists(rows_of, max_size=8), limit=st.integers(1, 7))
def test_no_row_is_lost_or_repeated_while_rows_are_added(rows: list[Row], added: list[list[Row]], limit: int) -> None:
    """Rows that were there at the beginning come once, those added meanwhile at most once."""
    there, seen, cursor = list(rows), list[Row](), None
    while True:
        found, pagination = cut(there, limit=limit, page_cursor=cursor)
        assert len(found) <= limit
        assert found or not seen
        seen += found
        cursor = pagination.next_page_cursor
        assert pagination.has_next_page is (cursor is not None) is (pagination.next_page_url is not None)
        if cursor is None:
            break
        if added:
            there = list({*there, *added.pop()})
    assert len(seen) == len(set(seen))
    assert set(rows) <= set(seen) <= set(there)
    assert seen == sorted(seen)


@given(rows=rows_of, limit=st.integers(1, 40))
def test_rows_that_go_away_take_nobody_along(rows: list[Row], limit: int) -> None:
    first, pagination = cut(rows, limit=limit)
    rest, _ = cut([row for row in rows if row not in first], limit=1000, page_cursor=pagination.next_page_cursor)
    assert sorted(rows) == first + (rest if pagination.has_next_page else [])


@given(
    st.builds(
        DeviceFilters,
        search=st.none() | st.text(max_size=20),
        device_ids=st.none() | st.lists(st.uuids().map(str), max_size=3).map(tuple),
        include_if=st.none() | st.lists(st.text(max_size=5), max_size=3).map(tuple),
        custom_metadata_has=st.none()
        | st.dictionaries(st.text(max_size=5), st.booleans() | st.text(max_size=5), max_size=3),
        created_before=st.none() | st.datetimes(timezones=zones),
        limit=st.integers(1, 5),
    )
)
def test_the_url_asks_for_the_same(filters: DeviceFilters) -> None:
    rows = [(n, "x") for n in range(9)]
    first, pagination = page(rows, lambda row: row, filters, REQUEST)
    assert pagination.next_page_url is not None
    assert pagination.next_page_url.isascii()
    query = urlsplit(pagination.next_page_url).query
    again = from_query(tuple(parse_qsl(query, keep_blank_values=True)), DeviceFilters)
    second, _ = page(rows, lambda row: row, again, REQUEST)
    assert first + second == rows[: 2 * filters.limit]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "!!!!",
        "A" * 2000,
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b'["x",[1]]').decode(),
        base64.urlsafe_b64encode(b'["x",[%d,"a"]]' % 2**63).decode(),
        base64.urlsafe_b64encode(b'["x",[1e300,"a"]]').decode(),
        base64.urlsafe_b64encode(b'["x",[1,"\\ud800"]]').decode(),
        base64.urlsafe_b64encode(b"[" * 1000).decode(),
    ],
)
def test_what_is_no_cursor(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^page_cursor: "):
        start_of(DeviceFilters(page_cursor=cursor))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_text_as_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises((InvalidInputError, RefusedError)):
        start_of(DeviceFilters(page_cursor=cursor))


async def test_other_parameters_do_not_go_with_a_cursor(api: Api) -> None:
    body = {"limit": 1, "search": "room"}
    cursor = (await api.ok("/devices/list", body))["pagination"]["next_page_cursor"]
    for other in ({"limit": 1}, {"search": "climate"}, {"search": "room", "device_ids": []}):
        error = await api.refused("/devices/list", {**other, "page_cursor": cursor})
        assert (error["status"], error["type"]) == (400, "mismatched_page_parameters")
    for same in ({"search": "room"}, {"search": "room", "limit": 500}, {"search": "room", "custom_metadata_has": {}}):
        found = (await api.ok("/devices/list", {**same, "page_cursor": cursor}))["devices"]
        assert [device["display_name"] for device in found] == ["Room 102", "Room 103"]


async def follow(api: Api, answer: dict[str, Any]) -> dict[str, Any]:
    """Follow `next_page_url` by a plain GET."""
    url = answer["pagination"]["next_page_url"]
    assert url.startswith(f"{ORIGIN}/devices/list?")
    parts = urlsplit(url)
    return await api.ok(parts.path, method="GET", query=parse_qsl(parts.query, keep_blank_values=True))


async def test_the_url_is_followed_by_a_plain_get(api: Api) -> None:
    metadata = {"k": "true", "b": True, "a b&c=d": "é"}
    for device in (await api.ok("/devices/list"))["devices"]:
        await api.ok("/devices/update", {"device_id": device["device_id"], "custom_metadata": metadata})
    body = {
        "limit": 2,
        "custom_metadata_has": metadata,
        "include_if": [],
        "created_before": "2999-01-01T00:00:00+02:00",
    }
    answer = await api.ok("/devices/list", body)
    rest = await follow(api, answer)
    names = [device["display_name"] for device in answer["devices"] + rest["devices"]]
    assert sorted(names) == ["Climate 101", "Room 101", "Room 102", "Room 103"]
    assert rest["pagination"] == {"has_next_page": False, "next_page_cursor": None, "next_page_url": None}


async def test_a_query_that_was_a_get_goes_on_as_one(api: Api) -> None:
    answer = await api.ok("/devices/list", method="GET", query=[("limit", 3), ("search", ""), ("_strict", "true")])
    assert len((await follow(api, answer))["devices"]) == 1


@settings(max_examples=5)
@given(limit=st.integers(1, 6), steps=st.lists(st.integers(0, 3), max_size=6))
async def test_devices_found_while_somebody_pages(limit: int, steps: list[int]) -> None:
    folder = await asyncio.to_thread(tempfile.mkdtemp)
    try:
        async with running_api(Path(folder) / "data", instance(locks=8, thermostats=0)) as api:
            before = {record.device.device_id for record in api.hub.devices.values()}
            seen: list[str] = []
            answer = await api.ok("/devices/list", {"limit": limit})
            while True:
                seen += [device["device_id"] for device in answer["devices"]]
                if not answer["pagination"]["has_next_page"]:
                    break
                for number in range(steps.pop() if steps else 0):
                    template = api.driver().devices["lock-1"].description
                    found = DeviceDescription(f"new-{len(seen)}-{number}", "lock", "virtual_lock", "New")
                    found = msgspec.structs.replace(found, capabilities=template.capabilities)
                    await api.hub.found("site", found, ())
                answer = await follow(api, answer)
            assert len(seen) == len(set(seen))
            assert before <= set(seen)
            assert set(seen) == set(api.hub.devices)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)
