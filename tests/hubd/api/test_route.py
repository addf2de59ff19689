import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubd.api import shapes
from hubd.api.route import ACT, as_attempt, route
from hubd.api.router import ROUTES

FIXTURE = json.loads((Path(__file__).parents[2] / "fixtures/seam/openapi.json").read_text("utf-8"))
VERBS = json.loads((Path(__file__).parents[3] / "hubd/api/seam_routes.json").read_text("utf-8"))
SEAMS = [one for one in ROUTES if one.path in VERBS]
OWN = {"/health", "/openapi.json"}
NOT_SERVED = {"/devices/simulate/paid_subscription"}
"""Of the routes in the fixture: a hub sells no subscription."""


LEFT_OUT = {"/acs/entrances/unlock": {"acs_credential_id"}}
"""What Seam requires and a hub does not: an extension, told in docs/api.md."""


def members(schema: dict[str, Any]) -> set[str]:
    """Return the properties of an object, also of one that is a union."""
    found = set(schema.get("properties", ()))
    for part in (*schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= members(part)
    return found


def official(operation: dict[str, Any]) -> set[str]:
    """Return the names of an operation's parameters, from query and body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {one["name"] for one in operation.get("parameters", ())} | members(content.get("schema", {}))


def test_the_summary_is_the_first_line_of_the_handler() -> None:
    async def handler(_: Any, __: Any) -> shapes.Ok:
        """Do it.

        Well.
        """
        return shapes.Ok()

    built = route("/x", ACT, handler, shapes.Ok)
    assert (built.summary, built.role, built.is_public) == ("Do it.", "viewer", False)
    assert built.retell is as_attempt


def test_no_path_is_served_twice() -> None:
    assert len({one.path for one in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("one", SEAMS, ids=lambda one: one.path)
def test_seams_routes_take_seams_verbs(one: Any) -> None:
    assert sorted(one.verbs) == VERBS[one.path]


def test_other_routes_are_the_hubs_own() -> None:
    assert {one.path for one in ROUTES if one not in SEAMS and not one.path.startswith("/hub/")} == OWN


def test_what_the_fixture_holds_is_served() -> None:
    assert FIXTURE["paths"].keys() - {one.path for one in ROUTES} == NOT_SERVED
    assert {one.path for one in SEAMS} <= FIXTURE["paths"].keys()


@pytest.mark.parametrize("one", SEAMS, ids=lambda one: one.path)
def test_every_parameter_of_seams_schema_is_taken_and_no_other(one: Any) -> None:
    ours = {field.encode_name for field in msgspec.structs.fields(one.params)}
    theirs: set[str] = set().union(*(official(operation) for operation in FIXTURE["paths"][one.path].values()))
    assert ours == theirs


@pytest.mark.parametrize("one", SEAMS, ids=lambda one: one.path)
def test_what_seam_requires_is_required(one: Any) -> None:
    required = {field.encode_name for field in msgspec.structs.fields(one.params) if field.required}
    for operation in FIXTURE["paths"][one.path].values():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {})
        if "parameters" not in operation and not schema.get("properties"):
            continue  # the document describes no parameters here, or a choice of them
        named = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter.get("required")}
        assert required == (named | set(schema.get("required", ()))) - LEFT_OUT.get(one.path, set())
