"""Raw HTTP at the daemon: whatever bytes come, the answer is never a 500, and the daemon lives on."""

import http.client
import json
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.api.router import ROUTES
from tests.hubd.api.daemon import Daemon
from tests.hubd.api.judge import faults

PATHS = [route.path for route in ROUTES if route.path not in {"/hub/journal/stream", "/webhooks/create"}]
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"]


def send(daemon: Daemon, method: str, target: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a request and judge the answer."""
    parts = urlsplit(daemon.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        names = {name.lower() for name, _ in headers}
        if b"authorization" not in names:
            connection.putheader("authorization", f"Bearer {daemon.token}")
        if b"content-length" not in names and b"transfer-encoding" not in names:
            connection.putheader("content-length", str(len(body)))
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    if method == "HEAD":
        assert response.status in {400, 404, 405, 501}
    else:
        wrong = faults(urlsplit(target).path.rstrip("/"), response.status, found, content)
        assert not wrong, (method, target[:200], body[:200], headers, wrong)


paths = st.sampled_from(PATHS) | st.binary(max_size=12).map(lambda raw: "/x" + quote_from_bytes(raw))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.uuids().map(str)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    ["device_id", "limit", "page_cursor", "name", "custom_metadata", "custom_metadata_has", "event_types", "between"]
)
bodies = (
    st.binary(max_size=60)
    | st.dictionaries(names, values, max_size=3).map(lambda found: json.dumps(found).encode())
    | values.map(lambda found: json.dumps(found).encode())
)
pairs = st.tuples(
    names.map(quote) | st.binary(max_size=4).map(quote_from_bytes), st.binary(max_size=8).map(quote_from_bytes)
)
queries = st.lists(pairs, max_size=4).map(lambda found: "&".join(f"{name}={value}" for name, value in found))
header_values = st.binary(max_size=12).map(lambda raw: bytes(set(raw) - {0, 10, 13}).strip())
header_names = st.sampled_from(
    [b"idempotency-key", b"authorization", b"content-type", b"last-event-id", b"accept", b"x-y", b"seam-workspace"]
)


@given(
    method=st.sampled_from(VERBS),
    path=paths,
    query=queries,
    body=bodies,
    headers=st.lists(st.tuples(header_names, header_values), max_size=2, unique_by=lambda pair: pair[0]),
)
def test_any_request(
    daemon: Daemon, method: str, path: str, query: str, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    send(daemon, method, f"{path}?{query}" if query else path, body, headers)


DEEP = 100_000
ODD_BODIES: list[Any] = [
    pytest.param(b"[" * DEEP, id="deep array"),
    pytest.param(b'{"custom_metadata":' * DEEP, id="deep object"),
    pytest.param(b'{"limit": ' + b"9" * DEEP + b"}", id="huge integer"),
    pytest.param(b'{"limit": 1e999999}', id="huge float"),
    pytest.param(b'{"limit": -0.0}', id="minus zero"),
    pytest.param(b'{"search": "\xff\xfe"}', id="not UTF-8"),
    pytest.param(b'{"search": "\\ud800"}', id="half a surrogate"),
    pytest.param(b'{"search": "\\u0000"}', id="nul"),
    pytest.param(b'{"device_ids": [' + b'"x",' * DEEP + b'"x"]}', id="long list"),
    pytest.param(b'{"search": "' + b"x" * DEEP + b'"}', id="long text"),
    pytest.param(b"{" + b",".join(b'"k%d": 1' % n for n in range(DEEP // 10)) + b"}", id="many members"),
    pytest.param(b'{"limit": 1, "limit": 2}', id="a member twice"),
    pytest.param("{}".encode("utf-16"), id="UTF-16"),
    pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
    pytest.param(b"limit=1&search=x", id="a form"),
]


@pytest.mark.parametrize("body", ODD_BODIES)
@pytest.mark.parametrize("path", ["/devices/list", "/devices/update", "/events/list", "/locks/lock_door"])
def test_odd_bodies(daemon: Daemon, path: str, body: bytes) -> None:
    send(daemon, "POST", path, body, [])


ODD_TARGETS = [
    "/devices/list?limit=1&limit=2",
    "/devices/list?device_ids=&device_ids=&device_ids=",
    "/devices/list?custom_metadata_has.a=1&custom_metadata_has.a=2",
    "/devices/list?custom_metadata_has=1&custom_metadata_has.a=2",
    "/devices/list?" + "&".join(["search=x"] * 1001),
    "/devices/list?limit=" + "9" * 5000,
    "/devices/list?search=%FF%FE",
    "/devices/list?search=%00",
    "/devices/list?%FF=1",
    "/devices/list?=",
    "/devices/list?&&&",
    "/devices/list?search=%ED%A0%80",
    "/devices/list?search=%",
    "/devices/list?" + "x" * 7000 + "=1",
    "/events/list?since=%2B",
    "/events/list?between=2026-01-01&between=2026-01-01&between=2026-01-01",
    "/%FF%FE",
    "/devices/%00",
    "/devices/list%2F",
    "//devices/list",
    "/../devices/list",
]


@pytest.mark.parametrize("target", ODD_TARGETS, ids=lambda target: target[:40])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_odd_targets(daemon: Daemon, method: str, target: str) -> None:
    send(daemon, method, target, b"", [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"authorization", b"Bearer \xff\xfe"),
        (b"authorization", b"Bearer " + b"x" * 7000),
        (b"idempotency-key", b"\xff"),
        (b"idempotency-key", b"x" * 300),
        (b"content-type", b"text/plain; charset=nonsense"),
        (b"content-encoding", b"gzip"),
        (b"content-encoding", b"nonsense"),
        (b"host", b"localhost:port"),
        (b"cookie", b"=;;=\xff"),
        (b"expect", b"nonsense"),
        (b"connection", b"upgrade"),
        (b"upgrade", b"websocket"),
        (b"last-event-id", b"\xb2"),
        (b"x" * 5000, b"1"),
    ],
)
def test_odd_headers(daemon: Daemon, name: bytes, value: bytes) -> None:
    for path in ("/devices/list", "/devices/update"):
        send(daemon, "POST", path, b"{}", [(name, value)])


def test_a_body_that_is_too_large(daemon: Daemon) -> None:
    send(daemon, "POST", "/devices/list", b" " * (1024 * 1024 + 1), [])


@pytest.mark.soak
@given(
    method=st.sampled_from(VERBS),
    path=paths,
    query=queries,
    body=bodies,
    headers=st.lists(st.tuples(header_names, header_values), max_size=2, unique_by=lambda pair: pair[0]),
)
def test_any_request_for_long(
    daemon: Daemon, method: str, path: str, query: str, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    send(daemon, method, f"{path}?{query}" if query else path, body, headers)
