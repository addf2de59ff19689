import asyncio
import json
import logging
from typing import Any

import pytest

from hubd.api.router import FAILED_LOGINS_PER_MINUTE, ROUTES, Router
from hubd.core.message import Request
from hubd.model.event import Role
from tests.hubd.api.harness import Api
from tests.hubd.api.judge import faults

UNSERVED = ["/access_grants/create", "/noise_sensors/list", "/devices/simulate/paid_subscription", "/spaces/get"]


def request(path: str, method: str = "POST", **options: Any) -> Request:
    return Request(method=method, path=path, remote="192.0.2.7", **options)


async def test_what_a_hub_does_not_serve(api: Api) -> None:
    for path in UNSERVED:
        for method in ("GET", "POST", "BREW"):
            error = await api.refused(path, method=method)
            assert (error["status"], error["type"]) == (501, "not_supported_by_hub")
            assert path in error["message"]


NOWHERE = ["/nothing", "/", "//", "/devices", "/devices/get/x", "/DEVICES/GET", "/\udcff", "/x\ny", "/" + "x" * 9000]


async def test_what_nobody_serves(api: Api) -> None:
    for path in NOWHERE:
        error = await api.refused(path)
        assert (error["status"], error["type"]) == (404, "route_not_found")
        assert len(error["message"]) < 500


async def test_a_slash_at_the_end_is_forgiven(api: Api) -> None:
    response = await api.router.handle(request("/devices/list/", headers={"authorization": f"Bearer {api.token}"}))
    assert response.status == 200


async def test_a_verb_that_a_route_does_not_take(api: Api) -> None:
    for route in ROUTES:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"} - {*route.verbs}:
            answer = await api.call(route.path, method=method)
            assert (answer.status, answer.error["type"]) == (405, "method_not_allowed")
            assert answer.headers["allow"] == ", ".join(route.verbs)


async def test_every_route_but_the_public_ones_needs_a_key(api: Api) -> None:
    public = set()
    for number, route in enumerate(ROUTES):
        for method in route.verbs:
            api.remote = f"192.0.2.{number}"
            answer = await api.call(route.path, method=method, token="")
            if answer.status == 200:
                public.add(route.path)
            else:
                assert (answer.status, answer.error["type"]) == (401, "unauthorized")
    assert public == {"/health", "/openapi.json"} == {route.path for route in ROUTES if route.is_public}


NO_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Bearer seam_x_y",
    "Bearer seam_a_b_c_d",
    "Bearer seam_\udcff_x",
    "Basic dXNlcjpwYXNz",
    "seam_x",
    "Bearer seam_at1_x",
]


async def test_what_is_no_key(api: Api) -> None:
    for header in NO_KEYS:
        response = await api.router.handle(request("/devices/list", headers={"authorization": header}))
        assert response.status == 401
        assert not faults("/devices/list", 401, response.headers, response.body)


async def test_a_wrong_secret_or_a_revoked_key(api: Api) -> None:
    assert (await api.refused("/devices/list", token=api.token[:-1] + "x"))["status"] == 401
    key, token = await api.keys.create("app", "viewer", "test")
    await api.ok("/devices/list", token=token)
    await api.ok("/hub/keys/revoke", {"key_id": key.key_id})
    assert (await api.refused("/devices/list", token=token))["type"] == "unauthorized"


async def test_the_scheme_is_read_as_http_says(api: Api) -> None:
    for scheme in ("bearer", "BEARER"):
        response = await api.router.handle(
            request("/devices/list", headers={"authorization": f"{scheme}  {api.token}"})
        )
        assert response.status == 200


async def test_guessing_is_slowed_down_but_locks_nobody_out(api: Api) -> None:
    for _ in range(FAILED_LOGINS_PER_MINUTE):
        assert (await api.refused("/devices/list", token="seam_x_y"))["status"] == 401
    answer = await api.call("/devices/list", token="seam_x_y")
    assert (answer.status, answer.error["type"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    await api.ok("/devices/list")
    api.remote = "192.0.2.2"
    assert (await api.refused("/devices/list", token="seam_x_y"))["status"] == 401


async def test_one_key_cannot_take_everything(api: Api) -> None:
    api.router = Router(api.hub, api.keys, requests_per_second=2)
    statuses = [(await api.call("/devices/list")).status for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2
    await api.ok("/devices/list", token=await api.as_role("viewer"))


async def test_roles(api: Api) -> None:
    below: dict[Role, list[Role]] = {"viewer": [], "operator": ["viewer"], "owner": ["viewer", "operator"]}
    for route in ROUTES:
        for role in below[route.role]:
            error = await api.refused(route.path, method=route.verbs[-1], token=await api.as_role(role))
            assert (error["status"], error["type"]) == (403, "forbidden")
            assert route.role in error["message"]


async def test_every_error_of_a_post_without_a_body_is_typed(api: Api) -> None:
    """An empty body is an empty object: whoever needs a member says which one."""
    for route in ROUTES:
        if "POST" in route.verbs and route.path != "/hub/journal/stream":
            answer = await api.call(route.path, raw=b"")
            same = await api.call(route.path, {})
            assert answer.status == same.status
            assert answer.status in {200, 400}
            if answer.status == 400:
                assert answer.error["type"] == "invalid_input"
                assert len(answer.error["validation_errors"]) == 2


async def test_parameters_stand_in_one_place(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.wrong("", "/devices/get", body, query={"name": "x"})
    await api.ok("/devices/get", body, query={"_strict": "true"})
    await api.wrong("", "/devices/get", body, method="GET")
    await api.ok("/devices/get", query=body)


async def test_members_that_a_route_does_not_take_are_named(api: Api) -> None:
    for route in ROUTES:
        if route.path == "/hub/journal/stream":
            continue
        for method in route.verbs:
            options: Any = {"query": {"no_such": "x"}} if method in {"GET", "DELETE"} else {"body": {"no_such": "x"}}
            answer = await api.call(route.path, method=method, **options)
            assert answer.status == 400
            assert answer.error["message"].startswith("no_such: is not a parameter of this route")


async def test_a_defect_is_told_as_such_and_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Any) -> Any:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(api.router, "_answer", broken)
    with caplog.at_level(logging.ERROR):
        response = await api.router.handle(request("/devices/list\n"))
    body = json.loads(response.body)
    assert (response.status, body["error"]["type"]) == (500, "internal_error")
    assert "secret detail" not in response.body.decode()
    assert "ZeroDivisionError" in caplog.text
    assert "'/devices/list\\n'" in caplog.text


async def test_cancellation_is_not_an_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancelled(_: Any) -> Any:
        raise asyncio.CancelledError

    monkeypatch.setattr(api.router, "_answer", cancelled)
    with pytest.raises(asyncio.CancelledError):
        await api.router.handle(request("/devices/list"))
