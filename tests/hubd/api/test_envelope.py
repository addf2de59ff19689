import json
from typing import Any

import msgspec
import pytest

from hubd.api import shapes
from hubd.api.envelope import AccessError, RouteError, TooManyError, answer, failure, quotable
from hubd.model.errors import (
    BusyError,
    HubError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    StoreError,
)


def told(error: HubError) -> tuple[int, dict[str, Any], dict[str, str]]:
    response = failure(error, "r-1")
    body = json.loads(response.body)
    assert body["ok"] is False
    assert body["error"]["request_id"] == "r-1"
    return response.status, body["error"], dict(response.headers)


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (InvalidInputError("limit", "is wrong"), 400, None),
        (RefusedError("device_unmanaged", "No."), 400, None),
        (RefusedError("duplicate_access_code", "No."), 409, None),
        (RefusedError("climate_preset_in_use", "No."), 409, None),
        (RefusedError("manual_override_not_allowed", "No."), 409, None),
        (NotFoundError("device_not_found", "No."), 404, None),
        (AccessError(401, "unauthorized", "No."), 401, ("www-authenticate", "Bearer")),
        (AccessError(403, "forbidden", "No."), 403, None),
        (RouteError(404, "route_not_found", "No."), 404, None),
        (RouteError(405, "method_not_allowed", "No.", ("GET", "POST")), 405, ("allow", "GET, POST")),
        (RouteError(501, "not_supported_by_hub", "No."), 501, None),
        (TooManyError(0.01, "Slow."), 429, ("retry-after", "1")),
        (TooManyError(60.0, "Slow."), 429, ("retry-after", "60")),
        (BusyError("device_queue_full", "Full."), 429, ("retry-after", "1")),
        (BusyError("stopping", "Stopping."), 503, ("retry-after", "1")),
        (StoreError("disk_full", "Full."), 503, ("retry-after", "1")),
        (HubError("internal_error", "Defect."), 500, None),
    ],
)
def test_each_error_has_its_status(error: HubError, status: int, header: tuple[str, str] | None) -> None:
    found, body, headers = told(error)
    assert (found, body["type"], body["message"]) == (status, error.code, error.message)
    assert headers.pop("content-type").startswith("application/json")
    assert headers == ({} if header is None else dict([header]))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("limit", {"_errors": [], "limit": {"_errors": ["is wrong"]}}),
        ("device_ids[3]", {"_errors": [], "device_ids": {"_errors": ["[3]: is wrong"]}}),
        ("properties.name", {"_errors": [], "properties": {"_errors": ["name: is wrong"]}}),
        ("", {"_errors": ["is wrong"]}),
    ],
)
def test_the_wrong_parameter_is_named_as_the_sdks_ask_for_it(field: str, expected: dict[str, Any]) -> None:
    _, body, _ = told(InvalidInputError(field, "is wrong"))
    assert body["validation_errors"] == expected
    assert body["message"].endswith("is wrong")


def test_data_is_there_when_there_is_some() -> None:
    assert told(NotFoundError("device_not_found", "No.", device_id="x"))[1]["data"] == {"device_id": "x"}
    assert "data" not in told(NotFoundError("event_not_found", "No."))[1]


def test_an_answer() -> None:
    response = answer(shapes.Ok())
    assert (response.status, response.body) == (200, b'{"ok":true}')


@pytest.mark.parametrize("text", ["x" * 10_000, "\udcff", "ä\n"])
def test_what_a_caller_sent_can_be_quoted(text: str) -> None:
    quoted = quotable(text)
    assert len(quoted) <= 320
    msgspec.json.encode(quoted)
